"""A collection with an approximate index, and what is retrieved with it and without."""

from __future__ import annotations

import random
import shutil
from pathlib import Path

import pytest

from opendpr.collection import open_collection, open_writer
from opendpr.maintenance.add import add_documents
from opendpr.maintenance.optimize import optimize
from opendpr.model.encoder import BertEncoder
from opendpr.search.live import LiveSnapshot
from opendpr.search.retrievers import DenseRetriever
from opendpr.search.settings import BuildSettings
from opendpr.text.splitting import Splitter
from opendpr.types import Document

COUNT = 1_500
WORDS = [f"{start}{end}" for start in ("lo", "ri", "sum", "set", "dol") for end in range(9)]
QUESTIONS = ["lo1 ri2 sum3", "set0 dol8", "ri7 ri6 sum5 lo4", "dol1"]
K = 10


def documents(count: int = COUNT, first: int = 0) -> list[Document]:
    generator = random.Random(first)
    return [
        Document(f"d{n}", "", " ".join(generator.choices(WORDS, k=12)), {"part": n % 10, "half": n % 2})
        for n in range(first, first + count)
    ]


def fill_plain(place: Path, by: BertEncoder) -> Path:
    """A collection that is searched exactly."""
    with open_writer(place, Splitter(unit="whole")) as writer:
        add_documents(writer, documents(), by)
    return place


def copy_with_index(place: Path, source: Path) -> Path:
    """A copy of a collection, with an index."""
    shutil.copytree(source, place)
    with open_writer(place) as writer:
        optimize(writer, index="ivf", build=BuildSettings(recall=0.98))
    return place


def retrieved(directory: Path, by: BertEncoder, where: str | None = None, k: int = K) -> list[dict[str, float]]:
    """For each question the score of each document that is retrieved, best first."""
    with open_collection(directory) as collection:
        lists = DenseRetriever(LiveSnapshot(collection), by).retrieve(QUESTIONS, k, where)
    return [{hit.passage.document_id: hit.score for hit in hits} for hits in lists]


def exactly(directory: Path, by: BertEncoder, where: str | None = None, k: int = K) -> list[dict[str, float]]:
    """What a search of every vector finds."""
    hidden = directory / "dense"
    hidden.rename(directory.parent / "dense.off")
    try:
        return retrieved(directory, by, where, k)
    finally:
        (directory.parent / "dense.off").rename(hidden)


def near(ours: list[dict[str, float]], right: list[dict[str, float]], recall: float = 0.8) -> None:
    """As many passages, with the scores they have, and most of them the best ones."""
    assert [len(scores) for scores in ours] == [len(best) for best in right]
    assert sum(len(scores.keys() & best.keys()) for scores, best in zip(ours, right, strict=True)) >= recall * sum(
        map(len, right)
    )
    for scores, best in zip(ours, right, strict=True):
        shared = scores.keys() & best.keys()
        assert all(scores[id] == pytest.approx(best[id], abs=1e-5) for id in shared)
        assert list(scores.values()) == sorted(scores.values(), reverse=True)
