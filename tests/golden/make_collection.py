"""Makes the collection that `test_old_format.py` opens; run once for each format of the store, and never again for it.

    python tests/golden/make_collection.py

Writes `collection-FORMAT/`: a store with its cache, and `expected.json`, what was put in and what searches found. The
vectors are made by hand, so that no model is needed to search them.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from opendpr.collection import Collection, Writer, open_collection, open_writer
from opendpr.collection.database import COLLECTION_FORMAT
from opendpr.collection.selection import metadata_keys
from opendpr.search.bm25 import update_bm25
from opendpr.search.live import LiveSnapshot
from opendpr.search.retrievers import Bm25Retriever
from opendpr.text.splitting import Splitter
from opendpr.types import Document, Hit, Passage, Vectors

DIM = 16
QUESTIONS = ["river 7", "the old mill", "Zürich"]
PLACES = ["river", "mill", "bridge", "Zürich", "harbour", "漢字", "e\u0301cole", "👩‍👩‍👧"]
EXPECTED = "expected.json"


def vectors(numbers: list[int]) -> Vectors:
    """(n, d): for each number a vector of sixteenths, which are exact in every floating-point format."""
    rows = np.array(numbers, dtype=np.int64)[:, None] * 31 + np.arange(DIM) * 17
    return ((rows * rows % 29 - 14) / 16).astype(np.float32)


def documents(generation: str) -> list[Document]:
    return [
        Document(
            f"d{number:02}" if number else "notes/über uns.txt",
            f"Title {number}",
            " ".join(f"{generation} {PLACES[(number + word) % 8]} {word}" for word in range(40)) + "\r\n",
            {"year": 1990 + number, "source": "manual" if number % 2 else "web"},
        )
        for number in range(20)
    ]


def encode(writer: Writer, passages: list[Passage]) -> None:
    row = writer.use_encoder("f" * 64, DIM, model="by hand", runtime="none")
    writer.put_vectors(row, passages, vectors([passage.number for passage in passages]))


def found(collection: Collection) -> dict[str, list[list[list[object]]]]:
    """What BM25 and the vectors find, by a filter too: document, start, score."""
    live = LiveSnapshot(collection)
    snapshot = live.load("hybrid")

    def lists(hits: list[list[Hit]]) -> list[list[list[object]]]:
        return [[[hit.passage.document_id, hit.passage.start, round(hit.score, 3)] for hit in some] for some in hits]

    dense = snapshot.dense.search(vectors([3, 40, 77]), 10)
    return {
        "bm25": lists(Bm25Retriever(live).retrieve(QUESTIONS, 10)),
        "bm25, year >= 2000": lists(Bm25Retriever(live).retrieve(QUESTIONS, 10, "year >= 2000")),
        "dense": lists(snapshot.hits(dense, [{}] * 3)),
    }


def described(collection: Collection) -> dict[str, object]:
    """What a collection of an old format must still say."""
    held = [collection.document(summary.id) for summary in collection.summaries()]
    return {
        "counts": collection.counts(),
        "documents": [[one.id, one.title, one.text, dict(one.metadata)] for one in held],
        "metadata keys": metadata_keys(collection),
        "found": found(collection),
    }


def main() -> None:
    directory = Path(__file__).parent / f"collection-{COLLECTION_FORMAT}"
    with open_writer(directory, Splitter(words=30, overlap=5)) as writer:
        writer.put_documents(documents("new"))
        encode(writer, list(writer.passages_after(0)))
        writer.put_documents(documents("old")[:3])  # replaced
        encode(writer, [passage for passages in writer.without_vector(1) for passage in passages])
        writer.remove_documents(["d10", "d11"])
        writer.put_documents(documents("waiting")[5:6])  # not complete: its passages have no vectors
        update_bm25(writer)
    with open_collection(directory) as collection:
        expected = described(collection)
    for lock in directory.rglob("*.lock"):
        lock.unlink()
    (directory / EXPECTED).write_text(json.dumps(expected, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
