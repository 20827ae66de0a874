"""A collection of two documents, and what is found in it."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from opendpr.collection import Collection, Writer, open_writer
from opendpr.search.bm25 import update_bm25
from opendpr.search.live import LiveSnapshot
from opendpr.search.retrievers import Bm25Retriever, DenseRetriever
from opendpr.text.splitting import Splitter
from opendpr.types import Document, Passage, Vectors

DIM = 8
WORDS = Splitter(words=5)
LETTER = Document(
    "letter", "A letter", "one two three four five six seven eight nine ten eleven twelve", {"year": 1912}
)


CHANGED = replace(LETTER, text="thirteen fourteen fifteen sixteen seventeen eighteen nineteen")
OTHER = Document("other", "Another", "what was not changed stays")


def vectors_of(passages: Sequence[Passage]) -> Vectors:
    """Vectors of length 1 that depend on the text alone."""
    rows = [np.random.default_rng(zlib.crc32(passage.text.encode())).normal(size=DIM) for passage in passages]
    vectors = np.array(rows, dtype=np.float32).reshape(len(passages), DIM)
    return np.ascontiguousarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True))


def encode(writer: Writer, most: int | None = None) -> None:
    """Give passages without a vector theirs; at most that many."""
    row = writer.use_encoder("f" * 64, DIM, model="by hand", runtime="none")
    for passages in list(writer.without_vector(row.encoder)):
        first = passages[:most]
        writer.put_vectors(row, first, vectors_of(first))


def make_two(place: Path) -> Path:
    """A collection of two documents, encoded, with its caches."""
    with open_writer(place, WORDS) as writer:
        assert writer.put_documents([LETTER, OTHER]) == ["added", "added"]
        encode(writer)
        update_bm25(writer)
    return place


class EncoderByHand:
    """An `Encoder` that knows one question."""

    dim = DIM

    def encode_questions(self, questions: Sequence[str]) -> Vectors:
        return np.ones((len(questions), DIM), np.float32)

    def encode_passages(self, passages: Sequence[Passage]) -> Vectors:
        return vectors_of(passages)


def served(collection: Collection, id: str = "letter") -> set[str]:
    """The texts of a document that a dense search can find."""
    [hits] = DenseRetriever(LiveSnapshot(collection), EncoderByHand()).retrieve(["all"], 1_000)
    return {hit.passage.text for hit in hits if hit.passage.document_id == id}


def words_found(collection: Collection, question: str) -> list[tuple[str, int, float]]:
    """What a search by words finds."""
    [hits] = Bm25Retriever(LiveSnapshot(collection)).retrieve([question], 10)
    return [(hit.passage.document_id, hit.passage.start, hit.score) for hit in hits]


def pieces(document: Document) -> set[str]:
    return {document.text[start:end] for start, end in WORDS.split(document.text)}
