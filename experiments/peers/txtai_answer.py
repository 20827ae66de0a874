"""A question answered from a folder of texts by txtai: a search, and an extractive reader of what it finds.

    HF_HUB_OFFLINE=1 python -m experiments.peers.txtai_answer FOLDER KEPT READER QUESTION [ENCODER]

Needs txtai. Passages have 100 words and are searched by BM25, or by vectors if there is an encoder; all else is by
default, so the three best are read. The index is kept in KEPT, where the next process finds it.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

from txtai import RAG, Embeddings

PASSAGE_WORDS = 100


def passages(folder: Path) -> Iterator[str]:
    """The texts of a folder, cut after every hundredth word."""
    for path in sorted(folder.rglob("*.txt")):
        words = path.read_text(encoding="utf-8").split()
        for first in range(0, len(words), PASSAGE_WORDS):
            yield " ".join(words[first : first + PASSAGE_WORDS])


def open_index(folder: Path, kept: Path, encoder: str = "") -> Embeddings:
    """The index of a folder; that of an earlier process if it kept one."""
    way = {"path": encoder} if encoder else {"keyword": True}
    embeddings = Embeddings(content=True, **way)
    if embeddings.exists(str(kept)):
        embeddings.load(str(kept))
    else:
        embeddings.index(passages(folder))
        embeddings.save(str(kept))
    return embeddings


def answer(embeddings: Embeddings, reader: str, question: str) -> str:
    """The best answer, empty if it is too unlikely for txtai."""
    return RAG(embeddings, reader)(question)["answer"] or ""


if __name__ == "__main__":
    folder, kept, reader, question, *encoder = sys.argv[1:]
    print(answer(open_index(Path(folder), Path(kept), *encoder), reader, question))
