"""The development data: pools, halves and questions, as data/README.md defines them."""

from __future__ import annotations

import argparse
import hashlib
import json
import lzma
import os
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

from opendpr.text.splitting import Splitter
from opendpr.types import Document, Passage

ROOT = Path(__file__).resolve().parents[2]
DATA = Path(os.environ.get("OPENDPR_DATA", ROOT / "../shared/data"))
GOLD = ("squad-", "nq-", "time-")
POOLS = {"P10": 10_000, "P25": 25_000, "P150": 150_000}


def half(record: dict) -> str:
    """`fit` or `report`: by the first hex digit of SHA-1 of document_id, or of id."""
    key = record.get("document_id") or record["id"]
    return "fit" if int(hashlib.sha1(key.encode()).hexdigest()[0], 16) % 2 == 0 else "report"


def questions(name: str, wanted: str) -> list[dict]:
    """The questions of `dev/<name>.jsonl` that are in the half `fit` or `report`."""
    with (DATA / "dev" / f"{name}.jsonl").open(encoding="utf-8") as file:
        return [record for record in map(json.loads, file) if half(record) == wanted]


def wikipedia() -> Iterator[dict]:
    """All documents of the corpus in file order."""
    with lzma.open(DATA / "wikipedia" / "documents.jsonl.xz", "rt", encoding="utf-8") as file:
        yield from map(json.loads, file)


def pool(name: str) -> Iterator[Document]:
    """Every gold paragraph, then documents in file order until the pool's passages are reached."""
    splitter, passages = Splitter(), 0
    gold = (record for record in wikipedia() if record["id"].startswith(GOLD))
    others = (record for record in wikipedia() if not record["id"].startswith(GOLD))
    for record in chain(gold, others):
        passages += len(splitter.split(record["text"]))
        yield Document(record["id"], record["title"], record["text"])
        if passages >= POOLS[name]:
            return


def pool_passages(name: str) -> Iterator[Passage]:
    """The passages of a pool, numbered from 1, as a collection has them."""
    splitter, number = Splitter(), 0
    for document in pool(name):
        for start, end in splitter.split(document.text):
            number += 1
            yield Passage(number, document.id, document.title, document.text[start:end], start)


def arguments(description: str) -> argparse.ArgumentParser:
    """A parser with what every benchmark takes."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--model", default="opendpr-minilm")
    parser.add_argument("--work", type=Path, default=ROOT / ".bench", help="where collections and results are kept")
    return parser
