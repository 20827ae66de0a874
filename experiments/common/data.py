"""The development data: pools, halves and questions, as the README of its folder defines them."""

from __future__ import annotations

import gzip
import hashlib
import json
import lzma
import tarfile
from collections.abc import Iterator
from itertools import chain, islice
from pathlib import Path
from typing import Any

from opendpr.text.splitting import Splitter
from opendpr.types import Document, Passage, Question

Record = dict[str, Any]
GOLD_SET_PREFIXES = ("squad-", "nq-", "time-")
"""How ids of gold paragraphs begin."""
POOLS = {"P3": 3_000, "P10": 10_000, "P25": 25_000, "P150": 150_000}
"""Passages of each pool."""


def half_of(record: Record) -> str:
    """`fit` or `report`: by the first hex digit of SHA-1 of document_id, of the question paraphrased, or of id."""
    key = record.get("document_id") or record.get("paraphrase_of") or record["id"]
    return "fit" if int(hashlib.sha1(key.encode()).hexdigest()[0], 16) % 2 == 0 else "report"


class Data:
    """What the folder of the data holds."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def questions(self, name: str, half: str) -> list[Record]:
        """The questions of `dev/<name>.jsonl` that are in the half `fit` or `report`."""
        with (self.folder / "dev" / f"{name}.jsonl").open(encoding="utf-8") as file:
            return [record for record in map(json.loads, file) if half_of(record) == half]

    def unpack_handbooks(self, folder: Path) -> Path:
        """The folder that ids of the handbooks' files are relative to, unpacked once."""
        if not folder.exists():
            half_done = folder.with_name(f"{folder.name}.new")
            with tarfile.open(self.folder / "dev" / "handbooks" / "handbooks.tar.xz") as archive:
                archive.extraction_filter = getattr(tarfile, "data_filter", None)  # of Python 3.11.4 and later
                archive.extractall(half_done)
            half_done.rename(folder)
        return inner if (inner := folder / "handbooks").is_dir() else folder

    def handbooks(self, half: str) -> list[Record]:
        """The questions about the handbooks that are in this half."""
        return self.questions("handbooks/questions", half)

    def write_questions(self, name: str, half: str, directory: Path, limit: int | None = None) -> Path:
        """A half of a set, or its first questions, as a file of its own."""
        directory.mkdir(parents=True, exist_ok=True)
        path = directory / f"{name}.jsonl"
        lines = (json.dumps(record, ensure_ascii=False) + "\n" for record in self.questions(name, half)[:limit])
        path.write_text("".join(lines), encoding="utf-8")
        return path

    def answers_only(self, name: str) -> list[Question]:
        """The questions of a training set that has answers but no passages."""
        with gzip.open(self.folder / "train" / f"{name}_answers_only.jsonl.gz", "rt", encoding="utf-8") as file:
            records = [json.loads(line) for line in file]
        return [
            Question(r["id"], r["question"], tuple(r["answers"]), "regex" if r.get("answers_are_regex") else "string")
            for r in records
        ]

    def wikipedia(self) -> Iterator[Record]:
        """All documents of the corpus in file order."""
        with lzma.open(self.folder / "wikipedia" / "documents.jsonl.xz", "rt", encoding="utf-8") as file:
            yield from map(json.loads, file)

    def documents(self, passages: int) -> Iterator[Document]:
        """The corpus in file order, until it has this many passages."""
        return _until((_document(record) for record in self.wikipedia()), passages)

    def pool(self, name: str) -> Iterator[Document]:
        """Every gold paragraph, then documents in file order until the pool's passages are reached."""
        gold = (record for record in self.wikipedia() if record["id"].startswith(GOLD_SET_PREFIXES))
        others = (record for record in self.wikipedia() if not record["id"].startswith(GOLD_SET_PREFIXES))
        return _until((_document(record) for record in chain(gold, others)), POOLS[name])

    def pool_passages(self, name: str, limit: int | None = None) -> Iterator[Passage]:
        """The passages of a pool, or its first ones, numbered from 1, as a collection has them."""
        splitter = Splitter()
        spans = ((document, *span) for document in self.pool(name) for span in splitter.split(document.text))
        for number, (document, start, end) in enumerate(islice(spans, limit), start=1):
            yield Passage(number, document.id, document.title, document.text[start:end], start)


def _document(record: Record) -> Document:
    return Document(record["id"], record["title"], record["text"])


def _until(documents: Iterator[Document], passages: int) -> Iterator[Document]:
    splitter, count = Splitter(), 0
    for document in documents:
        count += len(splitter.split(document.text))
        yield document
        if count >= passages:
            return
