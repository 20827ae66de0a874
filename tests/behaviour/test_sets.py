"""A set of collections: the same commands, with the same results as one collection."""

from __future__ import annotations

import json
import shutil

import pytest
from conftest import write_documents
from experiments.common.data import Data

import opendpr
from opendpr.collection import open_collection, open_writer
from opendpr.errors import BusyError
from opendpr.maintenance.add import add_documents
from opendpr.maintenance.divide import divide
from opendpr.model.directory import Model
from opendpr.model.encoder import BertEncoder
from opendpr.serving.settings import Settings

DOCUMENTS, WORDS = 40, 450
QUESTIONS = ("lo1 ri2", "sum3 ama4 con9 document7", "dol5")


@pytest.fixture(scope="module")
def made(tmp_path_factory, tiny_model):
    """A collection, and the set that it was divided into."""
    folder = tmp_path_factory.mktemp("sets")
    documents = write_documents(folder / "docs", DOCUMENTS, WORDS)
    opendpr.add(folder / "wiki", documents, model=str(tiny_model))
    with open_writer(folder / "wiki") as writer:
        divide(writer, folder / "wiki-set", 4)
    return folder


@pytest.fixture
def both(made, tmp_path):
    """The same, to be changed."""
    for name in ("wiki", "wiki-set"):
        shutil.copytree(made / name, tmp_path / name)
    return tmp_path / "wiki", tmp_path / "wiki-set"


def found(collection, where=None):
    """Lists and scores of all retrievers, to the last bit."""
    with opendpr.open(collection) as opened:
        return [
            [(hit.passage, hit.score, hit.parts) for hit in opened.search(question, 15, where, retriever=kind)]
            for kind in ("dense", "bm25", "hybrid")
            for question in QUESTIONS
        ]


def test_a_set_finds_what_one_collection_finds(made):
    assert found(made / "wiki-set") == found(made / "wiki")
    filtered = "path like '%1%'"
    assert found(made / "wiki-set", filtered) == found(made / "wiki", filtered)


def test_a_set_holds_what_the_collection_holds(made):
    with open_collection(made / "wiki") as one, open_collection(made / "wiki-set") as several:
        assert several.counts() == one.counts()
        assert list(several.passages_after(0)) == list(one.passages_after(0))
        assert list(several.summaries()) == list(one.summaries())
        assert several.document("013.txt") == one.document("013.txt")
        pieces = [
            {int(n): v.tobytes() for ns, vs in opened.vectors() for n, v in zip(ns, vs, strict=True)}
            for opened in (one, several)
        ]
        assert pieces[0] == pieces[1]
        assert list(pieces[1]) == sorted(pieces[1])
        assert sum(part.counts()["documents"] > 0 for part in several.parts) == 4


def test_answers_are_the_same(run, made):
    asked = [run("ask", made / name, "what is lo1", "--json") for name in ("wiki", "wiki-set")]
    assert asked[0].returncode == asked[1].returncode == 0, asked[1].stderr
    assert asked[0].stdout == asked[1].stdout


def test_changes_keep_it_equal(run, both):
    one, several = both
    more = write_documents(one.parent / "more", 12, WORDS, seed=5)
    changed = one.parent / "docs"
    changed.mkdir()
    (changed / "lo.txt").write_text("lo1 ri2 " * 120, encoding="utf-8")
    for collection in both:
        assert run("remove", collection, "003.txt", "020.txt").returncode == 0
        added = run("add", collection, more, changed)
        assert added.returncode == 0, added.stderr
        optimized = run("optimize", collection)
        assert optimized.returncode == 0, optimized.stderr
    with open_collection(one) as before, open_collection(several) as after:
        assert list(after.passages_after(0)) == list(before.passages_after(0))
        assert after.counts() == before.counts()
    assert found(several) == found(one)
    verified = run("verify", several)
    assert verified.returncode == 0, verified.stdout


def test_another_model_gives_the_bits_of_one_collection(run, both, other_model):
    for collection in both:
        encoded = run("encode", collection, "--model", other_model)
        assert encoded.returncode == 0, encoded.stderr
    assert found(both[1]) == found(both[0])


def test_verbs_take_a_set(run, made):
    several = made / "wiki-set"
    info = run("info", several, "--json")
    record = json.loads(info.stdout)
    assert record["documents"] == DOCUMENTS
    assert len(record["members"]) == 4
    assert run("list", several).stdout == run("list", made / "wiki").stdout
    assert run("show", several, "007.txt").stdout == run("show", made / "wiki", "007.txt").stdout
    unknown = run("show", several, "07.txt")
    assert unknown.returncode == 3
    assert "did you mean" in unknown.stderr


def test_evaluation_of_a_set_is_that_of_one_collection(run, made, tmp_path):
    questions = tmp_path / "questions.jsonl"
    lines = [{"id": str(n), "question": text, "answers": ["lo1"]} for n, text in enumerate(QUESTIONS)]
    questions.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    records = []
    for name in ("wiki", "wiki-set"):
        written = tmp_path / f"{name}.jsonl"
        done = run("evaluate", made / name, questions, "-k", "5", "-o", written)
        assert done.returncode == 0, done.stderr
        records.append(written.read_text(encoding="utf-8").splitlines()[1:])
    assert records[0] == records[1]


def test_what_a_set_cannot_do_is_said(run, made, tmp_path):
    for command in (
        ("backup", made / "wiki-set", tmp_path / "copy"),
        ("push", made / "wiki-set", "milvus://127.0.0.1"),
    ):
        refused = run(*command)
        assert refused.returncode == 2, refused.stderr
        assert "member-1" in refused.stderr
    assert run("divide", made / "wiki-set", "-o", tmp_path / "again", "--parts", "2").returncode == 2


def test_a_set_takes_no_judgements_and_none_are_lost(run, both, tmp_path):
    one, several = both
    (tmp_path / "questions.jsonl").write_text('{"question": "Where?", "answers": ["Orvik"]}\n')
    for command in (("questions", several, "--add", tmp_path / "questions.jsonl"), ("serve", several, "--judgements")):
        refused = run(*command)
        assert refused.returncode == 2, refused.stderr
        assert "is a set of collections, whose answers cannot be judged" in refused.stderr
    assert not Settings(several, writable=True).takes_judgements
    assert Settings(one, writable=True).takes_judgements
    with opendpr.open(several, retriever="bm25") as opened, pytest.raises(opendpr.UsageError, match="cannot be judged"):
        opened.judge("Where?", "right")
    with opendpr.open(one, retriever="bm25") as opened:
        judgement = opened.judge("Where?", "right")
    refused = run("divide", one, "-o", tmp_path / "again", "--parts", "2")
    assert refused.returncode == 4
    assert "has 1 judged question, and a set" in refused.stderr
    assert f"questions {one} --export FILE" in refused.stderr
    assert not list(tmp_path.glob("again*"))
    assert run("questions", one, "--remove", judgement.id).returncode == 0
    assert run("divide", one, "-o", tmp_path / "again", "--parts", "2").returncode == 0


def test_a_missing_member_is_said_by_name(run, both):
    _, several = both
    (several / "member-3").rename(several.parent / "away")
    refused = run("search", several, "lo1")
    assert refused.returncode == 7
    assert "member-3" in refused.stderr
    more = write_documents(several.parent / "more", 1, WORDS)
    assert run("add", several, more).returncode == 7
    with pytest.raises(BusyError, match="member-3"):
        opendpr.open(several)
    partial = run("search", several, "lo1", "--allow-partial", "--json", "-k", "3")
    assert partial.returncode == 0, partial.stderr
    assert [json.loads(line)["missing"] for line in partial.stdout.splitlines()] == [["member-3"]] * 3
    assert "member-3" in partial.stderr
    with opendpr.open(several, allow_partial=True) as opened:
        assert opened.search("lo1")
        assert opened.missing == ("member-3",)


def test_another_collection_in_a_members_place_is_refused(run, both):
    one, several = both
    shutil.rmtree(several / "member-2")
    shutil.copytree(one, several / "member-2")
    refused = run("search", several, "lo1")
    assert refused.returncode == 4
    assert "another collection" in refused.stderr


def test_allow_partial_is_for_sets_and_engines(run, made):
    refused = run("search", made / "wiki", "lo1", "--allow-partial")
    assert refused.returncode == 2
    assert "sets of collections" in refused.stderr


def test_dividing_goes_on_after_an_interruption(run, made, tmp_path, monkeypatch):
    with open_writer(made / "wiki") as writer:

        def stop(what, done, total):
            if what == "comparing":
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            divide(writer, tmp_path / "set", 3, stop)
        assert not (tmp_path / "set").exists()
    done = run("divide", made / "wiki", "-o", tmp_path / "set", "--parts", "3", "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["documents"] == DOCUMENTS
    assert found(tmp_path / "set") == found(made / "wiki")
    again = run("divide", made / "wiki", "-o", tmp_path / "set", "--parts", "3")
    assert again.returncode == 4
    assert "exists" in again.stderr


def test_damage_in_a_member_is_found(run, both):
    _, several = both
    with open_collection(several) as opened:
        victim = max(opened.parts, key=lambda part: part.counts()["passages"])
        database = victim.path
    content = bytearray(database.read_bytes())
    content[len(content) // 2] ^= 0xFF
    database.write_bytes(content)
    verified = run("verify", several)
    assert verified.returncode == 5
    assert str(database) in verified.stdout


def test_a_stray_document_is_found(run, both):
    _, several = both
    with open_collection(several) as opened:
        strange = next(part for part in opened.parts if part is not opened.part_of("stray"))
        directory = strange.directory
    with open_writer(directory) as writer:
        writer.put_documents([opendpr.Document("stray", "", "a stray document")])
    verified = run("verify", several)
    assert verified.returncode == 5
    assert "'stray'" in verified.stdout


@pytest.mark.slow
@pytest.mark.data
def test_ten_thousand_passages_of_wikipedia_are_found_alike(data, tmp_path, tiny_model):
    pool = Data(data)
    encoder = BertEncoder(Model(tiny_model))
    with open_writer(tmp_path / "one") as writer:
        add_documents(writer, pool.pool("P10"), encoder)
        divide(writer, tmp_path / "set", 4)
    questions = [record["question"] for record in pool.questions("squad", "fit")[:200]]
    for kind in ("hybrid", "dense", "bm25"):
        lists = []
        for name in ("one", "set"):
            with opendpr.open(tmp_path / name, retriever=kind) as opened:
                found = opened.search(questions, 100)
                lists.append([[(hit.passage.number, hit.score, hit.parts) for hit in hits] for hits in found])
        assert lists[1] == lists[0], kind
