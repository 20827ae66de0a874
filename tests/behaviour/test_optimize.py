"""A collection with an approximate index keeps every promise of one without."""

from __future__ import annotations

import gc
import json
import shutil
import tracemalloc
from pathlib import Path

import numpy as np
import pytest

from approximate import COUNT, QUESTIONS, K, copy_with_index, documents, exactly, fill_plain, near, retrieved
from opendpr.answering import open_answerer
from opendpr.collection import open_collection, open_writer
from opendpr.maintenance.add import add_documents
from opendpr.maintenance.optimize import optimize
from opendpr.maintenance.remove import remove
from opendpr.model.directory import find_model
from opendpr.model.encoder import BertEncoder
from opendpr.model.runtime import RuntimeSettings
from opendpr.search.dense import open_dense
from opendpr.search.exact import ExactIndex
from opendpr.search.live import LiveSnapshot
from opendpr.search.retrievers import HybridRetriever
from opendpr.search.snapshot import load_snapshot
from opendpr.search.stored import StoredIndex
from opendpr.serving.loaded_collection import LoadedCollection
from opendpr.text.splitting import Splitter
from opendpr.types import Document


@pytest.fixture(scope="module")
def encoder(tiny_model: Path) -> BertEncoder:
    return BertEncoder(find_model(str(tiny_model)), RuntimeSettings(precision="fp32"))


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory, encoder: BertEncoder) -> Path:
    return fill_plain(tmp_path_factory.mktemp("plain") / "notes", encoder)


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory, plain: Path) -> Path:
    return copy_with_index(tmp_path_factory.mktemp("built") / "notes", plain)


@pytest.fixture
def notes(tmp_path: Path, built: Path) -> Path:
    """A copy of it to change."""
    shutil.copytree(built, tmp_path / "notes")
    return tmp_path / "notes"


def test_optimize_builds_an_index_that_finds_about_the_same(tmp_path, plain, encoder, run):
    shutil.copytree(plain, tmp_path / "notes")
    done = run("optimize", tmp_path / "notes", "--index", "ivf", "--recall", "0.9", "--json")
    assert done.returncode == 0, done.stderr
    dense = json.loads(done.stdout)["dense"]
    assert dense["rows"] == COUNT
    assert min(dense["recall"].values()) >= 0.9
    shown = json.loads(run("info", tmp_path / "notes", "--json").stdout)["dense"]
    assert {key: shown[key] for key in ("recall", "lists", "factor", "factory", "newer")} == {
        **{key: dense[key] for key in ("recall", "lists", "factor", "factory")},
        "newer": 0,
    }
    assert f"recall@20 {dense['recall']['20']:.3f}" in run("info", tmp_path / "notes").stdout
    near(retrieved(tmp_path / "notes", encoder), retrieved(plain, encoder))
    question = QUESTIONS[0]
    ours, right = (
        [json.loads(line)["document_id"] for line in done.stdout.splitlines()]
        for done in (run("search", notes, question, "-r", "dense", "--json") for notes in (tmp_path / "notes", plain))
    )
    assert len(set(ours) & set(right)) >= 4
    done = run("verify", tmp_path / "notes")
    assert done.returncode == 0, done.stdout


def test_exact_looks_at_every_vector_again(notes, encoder, run):
    done = run("optimize", notes, "--index", "exact", "--json")
    assert json.loads(done.stdout)["dense"] is None
    assert not (notes / "dense").exists()
    with open_collection(notes) as collection:
        assert isinstance(load_snapshot(collection, ["dense"]).dense, ExactIndex)
    assert json.loads(run("info", notes, "--json").stdout)["dense"] is None


def test_what_does_not_fit_into_the_memory_is_refused(notes, run):
    before = sorted(path.name for path in notes.rglob("*"))
    for index in ("auto", "exact", "ivf"):
        done = run("optimize", notes, "--memory", "10MB", "--index", index)
        assert done.returncode == 6
        assert "do not fit into 10.0 MB" in done.stderr
    assert sorted(path.name for path in notes.rglob("*")) == before


def test_an_index_without_vectors_is_refused(tmp_path, run):
    (tmp_path / "a.txt").write_text("words")
    assert run("add", tmp_path / "notes", tmp_path / "a.txt", "--no-vectors").returncode == 0
    done = run("optimize", tmp_path / "notes", "--index", "ivf")
    assert done.returncode == 4
    assert "holds no vectors" in done.stderr


def test_a_search_uses_the_index_and_its_scores_are_those_of_the_store(built, encoder):
    with open_collection(built) as collection:
        snapshot = load_snapshot(collection, ["dense"])
        assert isinstance(snapshot.dense, StoredIndex)
        assert len(snapshot.dense) == COUNT
        cache = open_dense(collection)
        assert open_dense(collection, cache) is cache
        vectors = np.concatenate([piece[1] for piece in collection.vectors()]).astype(np.float32)
        questions = encoder.encode_questions(QUESTIONS)
        neighbours = snapshot.dense.search(questions, K)
        for question, scores, numbers in zip(questions, *neighbours, strict=True):
            np.testing.assert_allclose(scores, vectors[numbers - 1] @ question, atol=1e-5)
            scored = snapshot.dense.score(question, np.append(numbers, 10**6))
            np.testing.assert_allclose(scored, np.append(scores, -np.inf), atol=1e-5)


def test_only_newer_vectors_take_memory_beside_the_index(notes, encoder):
    """Of a collection of tens of millions, room for all vectors is more than a machine may have."""
    with open_writer(notes) as writer:
        add_documents(writer, documents(5, first=COUNT), encoder)
    with open_collection(notes) as collection:
        before = load_snapshot(collection, ["dense"])
        tracemalloc.start()
        assert len(load_snapshot(collection, ["dense"], before).dense) == COUNT + 5
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert peak < COUNT * encoder.dim * 2


def test_added_passages_are_found_and_removed_ones_are_not(notes, encoder):
    gone = [next(iter(one)) for one in retrieved(notes, encoder)]
    new = [Document(f"new{n}", "", question) for n, question in enumerate(QUESTIONS)]
    with open_writer(notes) as writer:
        remove(writer, sorted(set(gone)))
        add_documents(writer, new, encoder)
        add_documents(writer, [Document("d3", "", QUESTIONS[1] + " ri8")], encoder)
    ours = retrieved(notes, encoder)
    assert all(not set(gone) & scores.keys() for scores in ours)
    assert [next(iter(scores)) for scores in ours] == [document.id for document in new]
    near(ours, exactly(notes, encoder))
    with open_collection(notes) as collection:
        assert (
            load_snapshot(collection, ["dense"]).dense.search(encoder.encode_questions(QUESTIONS), 2).numbers.max()
            > COUNT
        )


@pytest.mark.parametrize("where", ["half = 1", "part = 3", "part = 3 and half = 1", "id = 'd77'", "part = 99"])
def test_filters_leave_as_many_as_there_are(built, encoder, where):
    for k in (1, K, 400):
        near(retrieved(built, encoder, where, k), exactly(built, encoder, where, k))


def test_hybrid_search_scores_as_without_an_index(built, plain, encoder):
    lists = []
    for directory in (built, plain):
        with open_collection(directory) as collection:
            hits = HybridRetriever(LiveSnapshot(collection), encoder, 2.0).retrieve(QUESTIONS, K)
        lists.append([{hit.passage.document_id: hit.score for hit in some} for some in hits])
    near(*lists)


def test_the_index_follows_at_the_next_optimize_and_readers_go_on_meanwhile(notes, encoder, run):
    questions = encoder.encode_questions(QUESTIONS)
    with open_collection(notes) as collection:
        before = load_snapshot(collection, ["dense"])
        expected = before.dense.search(questions, K)
        with open_writer(notes) as writer:
            add_documents(writer, documents(40, first=COUNT), encoder)
        assert json.loads(run("info", notes, "--json").stdout)["dense"]["newer"] == 40
        done = run("optimize", notes, "--index", "ivf")
        assert done.returncode == 0, done.stderr
        assert f"{COUNT + 40:,} vectors are searched by IVF" in done.stderr
        assert [path.name for path in notes.glob("dense/build-*")] == ["build-2"]
        again = before.dense.search(questions, K)  # whose files have lost their names
        assert again.numbers.tolist() == expected.numbers.tolist()
        after = load_snapshot(collection, ["dense"], before)
        assert len(after.dense) == COUNT + 40
    assert json.loads(run("info", notes, "--json").stdout)["dense"]["newer"] == 0
    near(retrieved(notes, encoder), exactly(notes, encoder))


def is_mapped(path: Path) -> bool:
    """Whether this process has a file mapped to memory, by whatever name it had."""
    gc.collect()
    return str(path) in Path("/proc/self/maps").read_text()


@pytest.mark.parametrize("opened", ["answerer", "service"])
def test_what_is_open_takes_up_a_new_index_with_the_next_question(tmp_path, plain, encoder, opened):
    notes, runtime = tmp_path / "notes", RuntimeSettings(precision="fp32")
    shutil.copytree(plain, notes)
    vectors = notes / "dense" / "build-1" / "vectors.f16"
    if opened == "answerer":
        answerer = open_answerer(notes, retriever="dense", runtime=runtime)
        collection, ask = answerer.collection, lambda: answerer.search(QUESTIONS[0])
    else:
        engine = LoadedCollection(notes, None, runtime)
        collection, ask = engine.collection, lambda: engine.retrieve("hybrid", QUESTIONS, K, None)
    with collection:
        ask()
        with open_writer(notes) as writer:
            optimize(writer, index="ivf")
        assert not is_mapped(vectors)
        ask()
        assert is_mapped(vectors)
        with open_writer(notes) as writer:
            optimize(writer, index="exact")
        ask()
        assert not is_mapped(vectors), "a removed file still takes its room on the disk"


def test_the_effort_is_chosen_with_questions_made_of_passages(notes, run):
    assert json.loads(run("info", notes, "--json").stdout)["dense"]["asked"] == "pieces"
    assert "questions, each a few words of a passage" in run("info", notes).stdout


@pytest.mark.parametrize("damaged", ["config.json", "tokenizer.json", "encoder/model.safetensors", ""])
def test_without_its_model_vectors_serve_as_questions_and_it_is_told(plain, tmp_path, tiny_model, run, damaged):
    notes, model = tmp_path / "notes", tmp_path / "model"
    shutil.copytree(tiny_model, model)
    with open_writer(notes, Splitter(unit="whole")) as writer:
        add_documents(writer, documents(200), BertEncoder(find_model(str(model)), RuntimeSettings(precision="fp32")))
    if damaged:
        (model / damaged).write_bytes(b"{" + bytes(50))
    else:
        shutil.rmtree(model)
    done = run("optimize", notes, "--index", "ivf", "--json")
    assert done.returncode == 0, done.stderr
    assert f"the model {model} that made the vectors cannot be used here" in done.stderr
    assert json.loads(done.stdout)["dense"]["asked"] == "vectors"


def test_a_model_that_was_moved_makes_the_questions_once_it_is_named(tmp_path, tiny_model, other_model, run):
    notes, model = tmp_path / "notes", tmp_path / "model"
    shutil.copytree(tiny_model, model)
    with open_writer(notes, Splitter(unit="whole")) as writer:
        add_documents(writer, documents(200), BertEncoder(find_model(str(model)), RuntimeSettings(precision="fp32")))
    model.rename(tmp_path / "moved")
    done = run("optimize", notes, "--index", "ivf", "--model", tmp_path / "moved", "--json")
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout)["dense"]["asked"] == "pieces"
    refused = run("optimize", notes, "--index", "ivf", "--model", other_model)
    assert refused.returncode == 4
    assert "their vectors cannot be compared" in refused.stderr


def test_an_index_that_is_there_takes_in_what_is_new(notes, encoder, run):
    with open_writer(notes) as writer:
        add_documents(writer, documents(5, first=COUNT), encoder)
    assert run("optimize", notes).returncode == 0
    dense = json.loads(run("info", notes, "--json").stdout)["dense"]
    assert (dense["rows"], dense["newer"]) == (COUNT + 5, 0)
    assert run("optimize", notes, "--index", "exact").returncode == 0
    assert json.loads(run("info", notes, "--json").stdout)["dense"] is None


def test_another_recall_for_the_same_vectors_builds_nothing(notes, run):
    written = (notes / "dense" / "build-1" / "index.faiss").stat().st_mtime_ns
    low = json.loads(run("optimize", notes, "--index", "ivf", "--recall", "0.5", "--json").stdout)["dense"]
    high = json.loads(run("optimize", notes, "--index", "ivf", "--recall", "0.99", "--json").stdout)["dense"]
    assert (low["factor"], low["lists"]) < (high["factor"], high["lists"])
    assert low["recall"]["100"] < high["recall"]["100"]
    assert (notes / "dense" / "build-1" / "index.faiss").stat().st_mtime_ns == written


def test_an_index_of_another_model_is_not_used(notes, encoder, other_model, run):
    done = run("encode", notes, "--model", other_model)
    assert done.returncode == 0, done.stderr
    done = run("search", notes, QUESTIONS[0], "-r", "dense", "--json")
    assert "does not belong to the vectors in use" in done.stderr
    assert "does not belong to the vectors in use" in run("info", notes).stdout
    assert len(done.stdout.splitlines()) == 5
    assert run("optimize", notes, "--index", "ivf").returncode == 0
    assert "does not belong" not in run("search", notes, QUESTIONS[0], "-r", "dense", "--json").stderr


def test_passages_that_get_their_vectors_later_are_found(tmp_path, encoder):
    """Also those before passages that had theirs when the index was built."""
    notes, given = tmp_path / "notes", documents(300)
    with open_writer(notes, Splitter(unit="whole")) as writer:
        add_documents(writer, given[:100], encoder)
        add_documents(writer, given[100:200], None)
        row = writer.require_encoder()
        last = list(writer.passages_after(150))
        writer.put_vectors(row, last, encoder.encode_passages(last))
        assert optimize(writer, index="ivf").rows == 100
        add_documents(writer, given[200:], encoder)
    near(retrieved(notes, encoder), exactly(notes, encoder))
    assert len(retrieved(notes, encoder, k=400)[0]) == 300
