"""A collection that tests damage and back up, and what they compare of it."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np

from opendpr.collection import open_collection, open_writer
from opendpr.collection.verify import verify_store
from opendpr.errors import CorruptionError
from opendpr.search.bm25 import update_bm25, verify_bm25
from opendpr.search.live import LiveSnapshot
from opendpr.search.retrievers import Bm25Retriever
from opendpr.text.splitting import Splitter
from opendpr.types import Document

DIM = 8
QUESTIONS = ["lo1 ri2", "con9", "lo3"]


def documents(first: int, count: int) -> list[Document]:
    generator = random.Random(first)
    words = [f"{start}{end}" for start in ("lo", "ri", "con") for end in range(10)]
    return [
        Document(f"d{number:04}", f"Title {number}", " ".join(generator.choices(words, k=60)), {"n": number})
        for number in range(first, first + count)
    ]


def fill(writer, documents) -> None:
    writer.put_documents(documents)
    row = writer.use_encoder("f" * 64, DIM, model="by hand", runtime="none")
    for passages in writer.without_vector(row.encoder):
        vectors = np.random.default_rng(passages[0].number).normal(size=(len(passages), DIM))
        writer.put_vectors(row, passages, vectors.astype(np.float32))


def make_notes(place: Path) -> Path:
    """300 passages, with free pages and a cache of several segments."""
    with open_writer(place, Splitter(words=20)) as writer:
        fill(writer, documents(0, 100))
        update_bm25(writer)
        writer.remove_documents([f"d{number:04}" for number in range(40, 60)])
        fill(writer, documents(200, 20))
        update_bm25(writer)
    return place


def everything(directory: Path) -> tuple[object, ...]:
    """All documents, vectors and what a search by words finds."""
    with open_collection(directory) as collection:
        documents = [collection.document(summary.id) for summary in collection.summaries()]
        vectors = [(numbers.tolist(), rows.tobytes()) for numbers, rows in collection.vectors()]
        hits = Bm25Retriever(LiveSnapshot(collection)).retrieve(QUESTIONS, 50)
        return documents, list(collection.passages_after(0)), vectors, hits


def problems(directory: Path) -> list[str]:
    """What `opendpr verify` does, without a process."""
    try:
        with open_collection(directory) as collection:
            return verify_store(collection) or verify_bm25(collection)
    except CorruptionError as error:
        return [str(error)]
