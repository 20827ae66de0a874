"""Dense passage retrieval for open-domain question answering: from documents to verbatim answers.

import opendpr

opendpr.add("notes", ["docs/"])
answers = opendpr.open("notes").ask("Who wrote the letter?").answers
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from opendpr.errors import (
    BusyError,
    CorruptionError,
    InputError,
    OpendprError,
    ResourceError,
    StateError,
    UsageError,
)

if TYPE_CHECKING:
    from opendpr.answering import Answerer
    from opendpr.maintenance.add import Report
    from opendpr.types import Answer, Document, Hit, Outcome, Passage, Question, Span

__version__ = "0.1.0"

__all__ = [
    "Answer",
    "BusyError",
    "CorruptionError",
    "Document",
    "Hit",
    "InputError",
    "OpendprError",
    "Outcome",
    "Passage",
    "Question",
    "ResourceError",
    "Span",
    "StateError",
    "UsageError",
    "add",
    "open",
]


def add(
    collection: str | Path,
    sources: Sequence[str | Path | Document] | str | Path,
    model: str | None = None,
    *,
    vectors: bool = True,
) -> Report:
    """Add files, directories or documents to a collection, made if it is not there.

    Args:
        sources: a path, or several; paths of files and directories, or `Document`s.
        model: name or directory; None is the collection's, or the default in a new one.
        vectors: False needs no model: only BM25 finds the passages, until a later `add` encodes them.

    Returns:
        What was done. Files that could not be read are in its `skipped`.
    """
    from opendpr.corpus import Corpus
    from opendpr.maintenance.add import AddSettings
    from opendpr.maintenance.add import add as add_to
    from opendpr.types import Document

    settings = AddSettings(model, vectors)
    several = [sources] if isinstance(sources, str | Path) else sources
    corpus = Corpus([source if isinstance(source, Document) else Path(source) for source in several])
    return add_to(Path(collection), corpus, settings)


def open(collection: str | Path, model: str | None = None, *, retriever: str = "hybrid") -> Answerer:
    """Open a collection for `search` and `ask`.

    Args:
        retriever: `dense`, `bm25` or `hybrid`.
    """
    from opendpr.answering import open_answerer

    return open_answerer(collection, model, retriever=retriever)


def __getattr__(name: str) -> object:
    """The types, brought in when first asked for: they need numpy, which the command line's help does not."""
    if name not in __all__:
        raise AttributeError(f"module 'opendpr' has no attribute {name!r}")
    import opendpr.types

    return getattr(opendpr.types, name)
