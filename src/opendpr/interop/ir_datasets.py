"""Data sets of the package `ir_datasets` (extra `irds`), by their ids: `irds:natural-questions/dev`."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from opendpr.errors import InputError, OpendprError
from opendpr.interop.nouns import Judgement, Placed
from opendpr.types import Document, Question

ID_PREFIX = "irds:"
TITLE_FIELDS = ("title", "document_title", "wikipedia_title")
"""Names of the field with a document's title."""


def is_id(path: Path) -> bool:
    """Whether a path is the id of a data set rather than a file."""
    return str(path).startswith(ID_PREFIX)


def name_of_id(path: Path) -> str:
    """The id of a data set as the name of a set of questions: `natural-questions-dev`."""
    return str(path).removeprefix(ID_PREFIX).replace("/", "-")


def sha256_of_id(path: Path) -> str:
    """SHA-256 of a data set's queries and judgements.

    Raises:
        InputError, OpendprError: as for `read_passages`.
    """
    digest, dataset = hashlib.sha256(), _load(path)
    for kind in ("queries", "qrels"):
        for record in _items(path, kind) if getattr(dataset, f"has_{kind}")() else ():
            digest.update(repr(record).encode())
    return digest.hexdigest()


def read_passages(path: Path) -> Iterator[Document]:
    """The documents of a data set.

    Raises:
        InputError: there is no such data set, it has no documents, or it cannot be fetched.
        OpendprError: the package is not installed.
    """
    for document in _items(path, "docs"):
        title = next((value for name in TITLE_FIELDS if (value := getattr(document, name, None))), "")
        text = getattr(document, "text", None)
        yield Document(document.doc_id, title, text if isinstance(text, str) else document.default_text())


def read_questions(path: Path) -> Iterator[Question]:
    """The queries of a data set, with the answers that it has, and its relevant documents as gold documents.

    Raises:
        InputError, OpendprError: as for `read_passages`.
    """
    answers: dict[str, dict[str, None]] = {}
    documents: dict[str, list[str]] = {}
    if _load(path).has_qrels():
        for judgement in _items(path, "qrels"):
            if judgement.relevance > 0:
                documents.setdefault(judgement.query_id, []).append(judgement.doc_id)
                answers.setdefault(judgement.query_id, {}).update(
                    dict.fromkeys(getattr(judgement, "short_answers", ()))
                )
    for query in _items(path, "queries"):
        id = query.query_id
        accepted = dict.fromkeys([*(getattr(query, "answers", None) or ()), *answers.get(id, ())])
        text = query.default_text() if hasattr(query, "default_text") else query.text
        yield Question(id, text, tuple(accepted), document_ids=tuple(documents.get(id, ())))


def read_qrels(path: Path) -> Iterator[Placed[Judgement]]:
    """The judgements of a data set.

    Raises:
        InputError, OpendprError: as for `read_passages`.
    """
    for judgement in _items(path, "qrels"):
        yield Placed(str(path), Judgement(judgement.query_id, judgement.doc_id, int(judgement.relevance)))


def _items(path: Path, kind: str) -> Iterator[Any]:
    """The records of one kind: `docs`, `queries` or `qrels`."""
    dataset = _load(path)
    if not getattr(dataset, f"has_{kind}")():
        kinds = [name for name in ("docs", "queries", "qrels") if getattr(dataset, f"has_{name}")()]
        raise InputError(f"{path} has no {kind}, only {', '.join(kinds) or 'nothing'}; name another data set")
    with _fetched(path):
        yield from getattr(dataset, f"{kind}_iter")()


def _load(path: Path) -> Any:  # noqa: ANN401  # an object without a type of its own
    try:
        import ir_datasets
    except ModuleNotFoundError:
        raise OpendprError(f"{path} needs ir_datasets; pip install 'opendpr[irds]'") from None
    name = str(path).removeprefix(ID_PREFIX)
    try:
        return ir_datasets.load(name)
    except KeyError:
        raise InputError(
            f"ir_datasets knows no data set {name!r:.60}; https://ir-datasets.com names those it has"
        ) from None


@contextmanager
def _fetched(path: Path) -> Iterator[None]:
    """Errors of the network and of what must be fetched by hand become ours."""
    try:
        yield
    except (OSError, RuntimeError) as error:
        raise InputError(
            f"{path} cannot be fetched: {error!s:.300}; get it by hand, as ir_datasets says, or try again"
        ) from None
