"""A filter acts before the best are taken: k results are the k best of those that match."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from opendpr.collection import Collection, open_collection, open_writer
from opendpr.maintenance.add import add_documents
from opendpr.model.directory import find_model
from opendpr.model.encoder import BertEncoder
from opendpr.model.runtime import RuntimeSettings
from opendpr.search.bm25 import update_bm25
from opendpr.search.live import LiveSnapshot
from opendpr.search.retrievers import Bm25Retriever, DenseRetriever, HybridRetriever
from opendpr.search.settings import SearchSettings, WordSettings
from opendpr.search.snapshot import load_snapshot
from opendpr.text.splitting import Splitter
from opendpr.types import Document, Hit, Passage

DOCUMENTS = 134
QUESTIONS = ["lo1 ri2 sum3", "what is ama7 and con9", "set0", "words that nobody wrote"]
LAMBDA = 1.5
NAMED_PASSAGES = WordSettings().named_passages

Matches = Callable[[str, Mapping[str, Any]], bool]

FILTERS: dict[str, Matches] = {
    "year >= 2000": lambda id, metadata: metadata["year"] >= 2000,
    "year >= 2000 and source = 'manual'": lambda id, metadata: (
        metadata["year"] >= 2000 and metadata.get("source") == "manual"
    ),
    "source is null or year = 1990": lambda id, metadata: "source" not in metadata or metadata["year"] == 1990,
    "not source = 'web'": lambda id, metadata: metadata.get("source") != "web",
    "id in ('007', '130')": lambda id, metadata: id in ("007", "130"),
    "id = '007'": lambda id, metadata: id == "007",
    "year > 3000": lambda id, metadata: False,
    "nobody = 'knows'": lambda id, metadata: False,
}


def documents() -> list[Document]:
    """Three passages each of a small vocabulary, so that every word is in many."""
    generator = random.Random(0)
    words = [f"{start}{end}" for start in ("lo", "ri", "sum", "set", "ama", "con") for end in range(10)]
    matches = []
    for number in range(DOCUMENTS):
        source = {"source": generator.choice(["manual", "web"])} if number % 5 else {}
        text = " ".join(generator.choices(words, k=55))
        matches.append(Document(f"{number:03}", "", text, {"year": 1990 + number % 30, **source}))
    return matches


@pytest.fixture(scope="module")
def encoder(tiny_model: Path) -> BertEncoder:
    return BertEncoder(find_model(str(tiny_model)), RuntimeSettings(precision="fp32"))


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory, encoder: BertEncoder) -> Path:
    """402 passages."""
    place = tmp_path_factory.mktemp("filters") / "notes"
    with open_writer(place, Splitter(words=20)) as writer:
        add_documents(writer, documents(), encoder)
    return place


def matching(collection: Collection, matches: Matches) -> list[Passage]:
    metadata = {document.id: document.metadata for document in documents()}
    return [p for p in collection.passages_after(0) if matches(p.document_id, metadata[p.document_id])]


def best(scores: Mapping[int, float], k: int) -> list[tuple[int, float]]:
    return sorted(scores.items(), key=lambda item: (-item[1], item[0]))[:k]


def expected(collection: Collection, kind: str, question: str, matches: Matches, encoder: BertEncoder) -> Any:
    """All scores of all matching passages, without a search."""
    numbers = np.array([passage.number for passage in matching(collection, matches)], dtype=np.int64)
    stored = {number: row for numbers, rows in collection.vectors() for number, row in zip(numbers, rows, strict=True)}
    vector = encoder.encode_questions([question])[0]
    dense = {n: float(stored[n].astype(np.float32) @ vector) for n in numbers.tolist()}
    words = dict(
        zip(numbers.tolist(), load_snapshot(collection, ["bm25"]).score_words(question, numbers).tolist(), strict=True)
    )
    if kind == "dense":
        return dense
    if kind == "bm25":
        return {number: score for number, score in words.items() if score > 0}
    return {number: words[number] + LAMBDA * dense[number] for number in dense}


def retrieve(
    collection: Collection,
    kind: str,
    question: str,
    k: int,
    where: str | None,
    encoder: BertEncoder,
    settings: SearchSettings = SearchSettings(),
) -> list[Hit]:
    live = LiveSnapshot(collection, settings)
    retriever = {
        "dense": DenseRetriever(live, encoder),
        "bm25": Bm25Retriever(live),
        "hybrid": HybridRetriever(live, encoder, LAMBDA),
    }[kind]
    return retriever.retrieve([question], k, where)[0]


def assert_best(hits: list[Hit], scores: Mapping[int, float], k: int) -> None:
    """The hits are k best by these scores, where scores that differ by rounding may change places."""
    wanted = best(scores, k)
    np.testing.assert_allclose([hit.score for hit in hits], [score for _, score in wanted], atol=1e-4)
    for hit in hits:
        assert hit.score == pytest.approx(scores[hit.passage.number], abs=1e-4)
    assert len({hit.passage.number for hit in hits}) == len(hits)


@pytest.mark.parametrize(
    "words", [WordSettings(), WordSettings(named_passages=0)], ids=["passages are named", "the list is filtered"]
)
@pytest.mark.parametrize("kind", ["dense", "bm25", "hybrid"])
@pytest.mark.parametrize("where", FILTERS)
def test_a_search_with_a_filter_gives_the_best_of_what_matches(directory, encoder, where, kind, words):
    settings = SearchSettings(words=words)
    with open_collection(directory) as collection:
        for question in QUESTIONS:
            scores = expected(collection, kind, question, FILTERS[where], encoder)
            for k in (1, 10, 1_000):
                assert_best(retrieve(collection, kind, question, k, where, encoder, settings), scores, k)


@pytest.mark.parametrize("kind", ["dense", "bm25", "hybrid"])
def test_a_filter_that_all_meet_changes_nothing(directory, encoder, kind):
    with open_collection(directory) as collection:
        for question in QUESTIONS:
            assert retrieve(collection, kind, question, 20, "year > 0", encoder) == retrieve(
                collection, kind, question, 20, None, encoder
            )


def test_a_document_that_waits_meets_no_filter_and_the_old_one_meets_its_own(tmp_path, encoder):
    with open_writer(tmp_path / "notes") as writer:
        add_documents(writer, [Document("a", "", "lo1 as it was", {"year": 1990})], encoder)
        writer.put_documents([Document("a", "", "lo1 as it will be", {"year": 2020})])
        update_bm25(writer)
        for kind in ("dense", "bm25", "hybrid"):
            assert retrieve(writer, kind, "lo1", 5, "year = 2020", encoder) == []
            [hit] = retrieve(writer, kind, "lo1", 5, "year = 1990", encoder)
            assert hit.passage.text == "lo1 as it was"


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory, encoder: BertEncoder) -> Path:
    """5,000 passages with vectors given."""
    generator, place = random.Random(1), tmp_path_factory.mktemp("many") / "notes"
    documents = [
        Document(f"{n:04}", "", f"lo{n % 7} ri{generator.randrange(50)} x{n}", {"place": n, "even": n % 2 == 0})
        for n in range(5_000)
    ]
    model = encoder.model
    with open_writer(place) as writer:
        writer.put_documents(documents)
        row = writer.use_encoder(model.fingerprint, encoder.dim, model=model.reference, runtime="none")
        for passages in writer.without_vector(row.encoder):
            vectors = np.random.default_rng(passages[0].number).normal(size=(len(passages), encoder.dim))
            writer.put_vectors(row, passages, vectors.astype(np.float32))
        update_bm25(writer)
    return place


@pytest.mark.parametrize("kind", ["dense", "bm25"])
@pytest.mark.parametrize("limit", [3, NAMED_PASSAGES, NAMED_PASSAGES + 1, 4_999])
def test_a_filter_that_leaves_more_than_can_be_named_gives_the_best_too(many, encoder, limit, kind):
    with open_collection(many) as collection:
        place = {passage.number: int(passage.document_id) for passage in collection.passages_after(0)}
        for question in ("lo3 ri17", "x42", "lo0 x4998"):
            everything = retrieve(collection, kind, question, 5_000, None, encoder)
            scores = {hit.passage.number: hit.score for hit in everything if place[hit.passage.number] < limit}
            for k in (5, 100):
                hits = retrieve(collection, kind, question, k, f"place < {limit}", encoder)
                assert_best(hits, scores, k)
                assert all(place[hit.passage.number] < limit for hit in hits)


# The command line


def test_search_with_where_shows_only_what_matches(run, directory, tiny_model):
    for kind in ("dense", "bm25", "hybrid"):
        result = run("search", directory, "lo1 ri2", "--retriever", kind, "-k", 5, "--where", "id = '007'", "--json")
        assert result.returncode == 0, result.stderr
        records = [json.loads(line) for line in result.stdout.splitlines()]
        assert 0 < len(records) <= 3
        assert all("007" in json.dumps(record) for record in records)


def test_ask_with_where_answers_from_what_matches(run, directory):
    result = run("ask", directory, "lo1 ri2", "--where", "id = '130'", "--json")
    assert result.returncode == 0, result.stderr
    assert "130" in result.stdout
    result = run("ask", directory, "lo1 ri2", "--where", "year > 3000")
    assert "Traceback" not in result.stderr
    assert "lo1" not in result.stdout


def test_remove_with_where_removes_what_matches(run, tmp_path, encoder):
    with open_writer(tmp_path / "notes") as writer:
        add_documents(writer, documents()[:20], encoder)
    result = run("remove", tmp_path / "notes", "--where", "year < 2000", "--json")
    assert result.returncode == 0, result.stderr
    assert json.loads(result.stdout)["removed"] == [f"{number:03}" for number in range(10)]
    with open_collection(tmp_path / "notes") as collection:
        assert [summary.id for summary in collection.summaries()] == [f"{number:03}" for number in range(10, 20)]


@pytest.mark.parametrize("where", ["year >", "year = 1; drop table documents", "", "('"])
def test_a_filter_that_is_none_is_exit_code_2(run, directory, where):
    for arguments in (["search", directory, "lo1"], ["ask", directory, "lo1"], ["remove", directory]):
        result = run(*arguments, "--where", where)
        assert (result.returncode, "Traceback" in result.stderr) == (2, False), result.stderr
    with open_collection(directory) as collection:
        assert collection.counts()["documents"] == DOCUMENTS


@pytest.mark.parametrize(
    "where",
    [" or ".join(["year=1990"] * 700), f"year in ({','.join(['1990'] * 1_900)})", "year < 99999999999999999999999"],
    ids=["many or", "many values", "a number of more than 64 bits"],
)
def test_a_filter_as_long_as_it_may_be_is_still_a_filter(directory, encoder, where):
    with open_collection(directory) as collection:
        hits = retrieve(collection, "dense", "lo1", 1_000, where, encoder)
        assert len(hits) == len(matching(collection, lambda id, metadata: "<" in where or metadata["year"] == 1990))
