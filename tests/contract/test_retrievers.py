"""What retrievers promise, against brute force over a small collection."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from opendpr.choices import RETRIEVERS
from opendpr.collection import Collection, open_collection, open_writer
from opendpr.errors import StateError, UsageError
from opendpr.maintenance.add import add_documents
from opendpr.model.directory import Model
from opendpr.model.encoder import BertEncoder
from opendpr.model.runtime import RuntimeSettings
from opendpr.search.live import LiveSnapshot
from opendpr.search.retrievers import HybridRetriever, make_retriever
from opendpr.search.tantivy import TantivyIndex
from opendpr.text.splitting import Splitter
from opendpr.types import Document, Hit

FP32 = RuntimeSettings("openvino", "fp32")
SUBJECTS = ["river", "queen", "letter", "battle", "poem", "stone", "harbour", "winter"]
QUESTIONS = ["where is the river", "which queen wrote a letter in winter", "zebra", "the stone of the harbour"]


def documents(count: int = 24) -> list[Document]:
    """Of one to three passages of 12 words; the last two are equal, so that there are ties."""
    generator = np.random.default_rng(2)
    hits = [
        Document(f"doc-{n:02}", str(generator.choice(SUBJECTS)), " ".join(generator.choice(SUBJECTS, 6 + 10 * (n % 3))))
        for n in range(count - 2)
    ]
    return [*hits, *(Document(id, "winter queen", "queen winter letter poem") for id in ("twin-a", "twin-b"))]


@pytest.fixture(scope="module")
def encoder(tiny_model: Path) -> BertEncoder:
    return BertEncoder(Model(tiny_model), FP32)


@pytest.fixture(scope="module")
def collection(tmp_path_factory: pytest.TempPathFactory, encoder: BertEncoder) -> Collection:
    directory = tmp_path_factory.mktemp("retrievers") / "notes"
    with open_writer(directory, Splitter(words=12)) as writer:
        add_documents(writer, documents(), encoder)
    return open_collection(directory)


def stored(collection: Collection) -> tuple[list[int], np.ndarray]:
    pieces = list(collection.vectors())
    return [n for numbers, _ in pieces for n in numbers.tolist()], np.concatenate([v for _, v in pieces]).astype(
        np.float32
    )


def ranked(scores: dict[int, float], k: int) -> list[int]:
    """Numbers by score, ties by number; scores are rounded so that rounding errors do not order them."""
    return sorted(scores, key=lambda number: (-round(scores[number], 5), number))[:k]


def test_dense_is_brute_force_over_the_stored_vectors(collection: Collection, encoder: BertEncoder) -> None:
    numbers, vectors = stored(collection)
    lists = make_retriever("dense", LiveSnapshot(collection), encoder).retrieve(QUESTIONS, 10)
    assert len(lists) == len(QUESTIONS)
    for hits, question in zip(lists, encoder.encode_questions(QUESTIONS), strict=True):
        expected = dict(zip(numbers, (vectors @ question).tolist(), strict=True))
        assert [hit.passage.number for hit in hits] == ranked(expected, 10)
        for hit in hits:
            assert hit.score == hit.parts["dense"] == pytest.approx(expected[hit.passage.number], abs=1e-5)


def test_bm25_shows_what_the_index_finds(collection: Collection) -> None:
    index = TantivyIndex()
    index.update([], collection.passages_after(0))
    for hits, question in zip(
        make_retriever("bm25", LiveSnapshot(collection)).retrieve(QUESTIONS, 10), QUESTIONS, strict=True
    ):
        nearest = index.search(question, 10)
        kept = nearest.numbers[0] >= 0
        assert [hit.passage.number for hit in hits] == nearest.numbers[0][kept].tolist()
        assert [hit.score for hit in hits] == pytest.approx(nearest.scores[0][kept].tolist())


@pytest.mark.parametrize("weight", [0.0, 1.0, 12.5])
def test_hybrid_is_brute_force_over_the_whole_collection(
    collection: Collection, encoder: BertEncoder, weight: float
) -> None:
    numbers, vectors = stored(collection)
    index = TantivyIndex()
    index.update([], collection.passages_after(0))
    lists = HybridRetriever(LiveSnapshot(collection), encoder, weight).retrieve(QUESTIONS, 12)
    for text, hits, question in zip(QUESTIONS, lists, encoder.encode_questions(QUESTIONS), strict=True):
        bm25 = index.score(text, np.array(numbers))
        expected = dict(zip(numbers, (bm25 + weight * (vectors @ question)).tolist(), strict=True))
        assert [hit.passage.number for hit in hits] == ranked(expected, 12)
        for hit in hits:
            assert hit.score == pytest.approx(expected[hit.passage.number], abs=1e-4)
            assert hit.score == pytest.approx(hit.parts["bm25"] + weight * hit.parts["dense"], abs=1e-4)


@pytest.mark.parametrize("kind", RETRIEVERS)
def test_ties_are_in_order_of_number(collection: Collection, encoder: BertEncoder, kind: str) -> None:
    (hits,) = make_retriever(kind, LiveSnapshot(collection), encoder).retrieve(
        ["winter queen queen winter letter poem"], 50
    )
    twins = [hit for hit in hits if hit.passage.document_id.startswith("twin")]
    assert [hit.passage.document_id for hit in twins] == ["twin-a", "twin-b"]
    assert twins[0].score == twins[1].score
    assert hits.index(twins[1]) == hits.index(twins[0]) + 1


@pytest.mark.parametrize("kind", ["dense", "hybrid"])
@pytest.mark.parametrize("k", [1, 7, 1_000])
def test_k_passages_are_found_where_there_are_k(
    collection: Collection, encoder: BertEncoder, kind: str, k: int
) -> None:
    there = collection.counts()["passages"]
    for hits in make_retriever(kind, LiveSnapshot(collection), encoder).retrieve(QUESTIONS, k):
        assert len({hit.passage.number for hit in hits}) == len(hits) == min(k, there)


@pytest.mark.parametrize("kind", RETRIEVERS)
def test_no_questions_have_no_lists(collection: Collection, encoder: BertEncoder, kind: str) -> None:
    assert make_retriever(kind, LiveSnapshot(collection), encoder).retrieve([], 5) == []


@pytest.mark.parametrize("kind", ["dense", "hybrid"])
def test_another_encoder_is_refused_by_name(collection: Collection, other_model: Path, kind: str) -> None:
    with pytest.raises(StateError, match=r"was encoded by .*tiny.*the model given is .*other"):
        make_retriever(kind, LiveSnapshot(collection), BertEncoder(Model(other_model), FP32))


def test_a_kind_that_does_not_exist_is_refused(collection: Collection, encoder: BertEncoder) -> None:
    with pytest.raises(UsageError, match="hybrid, dense, bm25"):
        make_retriever("sparse", LiveSnapshot(collection), encoder)


@pytest.mark.parametrize("kind", RETRIEVERS)
def test_removed_and_pending_passages_are_never_shown(tmp_path: Path, encoder: BertEncoder, kind: str) -> None:
    """Before and after the caches have seen the change, and by a retriever made before it."""
    directory = tmp_path / "notes"
    with open_writer(directory, Splitter(words=12)) as writer:
        add_documents(writer, documents(), encoder)
        with open_collection(directory) as reader:
            old = make_retriever(kind, LiveSnapshot(reader), encoder)
            before = texts(old.retrieve(QUESTIONS, 1_000))
            writer.remove_documents(["doc-00", "twin-a"])
            writer.put_documents([Document("doc-03", "river", "zebra river zebra queen")])  # has no vectors yet
            assert "doc-00" in {id for id, _ in before} or kind == "bm25"
            for retriever in (old, make_retriever(kind, LiveSnapshot(reader), encoder)):
                shown = texts(retriever.retrieve(QUESTIONS, 1_000))
                assert not {"doc-00", "twin-a"} & {id for id, _ in shown}
                assert ("doc-03", "zebra river zebra queen") not in shown
                assert {text for id, text in shown if id == "doc-03"} == {text for id, text in before if id == "doc-03"}
        add_documents(writer, [], encoder)
        with open_collection(directory) as reader:
            shown = texts(make_retriever(kind, LiveSnapshot(reader), encoder).retrieve(QUESTIONS, 1_000))
    assert not {"doc-00", "twin-a"} & {id for id, _ in shown}
    assert {text for id, text in shown if id == "doc-03"} == {"zebra river zebra queen"}


def texts(lists: list[list[Hit]]) -> set[tuple[str, str]]:
    return {(hit.passage.document_id, hit.passage.text) for hits in lists for hit in hits}
