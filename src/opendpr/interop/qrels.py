"""Judgements of which documents answer which questions: TREC, MS MARCO, BEIR."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain
from pathlib import Path
from typing import Literal, NamedTuple

from opendpr.errors import InputError
from opendpr.interop.tables import read_columns
from opendpr.storage.lines import write_lines

QrelsFormat = Literal["trec", "beir", "msmarco"]
HEADER = ["query-id", "corpus-id", "score"]
"""Of BEIR's `qrels/*.tsv`."""


class Judgement(NamedTuple):
    """How relevant a document is to a question; 0 and less are not relevant."""

    question_id: str
    document_id: str
    relevance: int


def read_qrels(path: Path) -> Iterator[Judgement]:
    """Yield the judgements of a file, which is recognised by its content:

    - TREC and MS MARCO, `question 0 document relevance` between white space, and possibly more columns;
    - BEIR, `question document relevance` between tabs, after a header.

    Raises:
        InputError: the file cannot be read, or a line is no judgement; the message has the line.
    """
    beir = False
    for number, (place, fields) in enumerate(read_columns(path)):
        if number == 0 and fields[:3] == HEADER:
            beir = True
            continue
        wanted = 3 if beir else 4
        if len(fields) < wanted:
            expected = " ".join(HEADER) if beir else "question 0 document relevance (or BEIR's header in the first)"
            raise InputError(f"{place}: expected {expected}, found {' '.join(fields)[:100]!r}")
        try:
            relevance = int(fields[wanted - 1])
        except ValueError:
            raise InputError(
                f"{place}: expected the relevance to be an integer, found {fields[wanted - 1]!r:.60}"
            ) from None
        yield Judgement(fields[0], fields[wanted - 2], relevance)


def write_qrels(path: Path, judgements: Iterable[Judgement], format: QrelsFormat) -> int:
    """Write judgements and return how many.

    Raises:
        InputError: an id is empty or has white space, which no form can hold.
    """
    if format == "beir":
        lines = (f"{column(q)}\t{column(d)}\t{r}\n" for q, d, r in judgements)
        return write_lines(path, chain(["\t".join(HEADER) + "\n"], lines)) - 1
    separator = "\t" if format == "msmarco" else " "
    return write_lines(path, (separator.join((column(q), "0", column(d), str(r))) + "\n" for q, d, r in judgements))


def column(id: str) -> str:
    """An id for a table separated by white space."""
    if not id or id.split() != [id]:
        raise InputError(
            f"the id {id!r} cannot be written: it is empty or has white space, which separates the columns of this "
            "format; give the document another id, or export JSON"
        )
    return id
