"""BEIR's files: `corpus.jsonl`, `queries.jsonl` and `qrels/*.tsv`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain
from pathlib import Path

from opendpr.errors import InputError
from opendpr.interop.gold import question_of
from opendpr.interop.nouns import Judgement, Placed
from opendpr.interop.own import json_passages, write_json_passages
from opendpr.interop.records import read_records
from opendpr.interop.start import Start
from opendpr.interop.tables import TAB, column, read_columns
from opendpr.interop.trec import relevance_of
from opendpr.storage.lines import json_line, write_lines
from opendpr.types import Document, Question

QRELS_HEADER = ["query-id", "corpus-id", "score"]


def read_passages(start: Start) -> Iterator[Placed[Document]]:
    """Records `_id, title, text`."""
    return json_passages(start, "_id", "text")


def write_passages(path: Path, passages: Iterable[Document]) -> int:
    """Write `corpus.jsonl` and return how many."""
    return write_json_passages(path, passages, "_id")


def read_questions(start: Start) -> Iterator[Question]:
    """Records `_id, text`."""
    return (question_of(record, "text") for record in read_records(start.path))


def write_questions(path: Path, questions: Iterable[Question]) -> int:
    """Write `queries.jsonl` and return how many; answers are left out."""
    return write_lines(path, (json_line({"_id": question.id, "text": question.text}) for question in questions))


def is_qrels(start: Start) -> bool:
    """Whether a table begins with BEIR's header."""
    return start.columns[:3] == QRELS_HEADER


def read_qrels(start: Start) -> Iterator[Placed[Judgement]]:
    """Judgements of lines `question document relevance` after a header."""
    rows = read_columns(start.path, start.line_separator)
    next(rows)
    for place, fields in rows:
        if len(fields) < 3 or not fields[0] or not fields[1]:
            raise InputError(f"{place}: expected {' '.join(QRELS_HEADER)}, found {' '.join(fields)[:100]!r}")
        yield Placed(place, Judgement(fields[0], fields[1], relevance_of(fields[2], place)))


def write_qrels(path: Path, judgements: Iterable[Judgement]) -> int:
    """Write `qrels/*.tsv` and return how many judgements."""
    lines = (
        f"{column(question, TAB)}\t{column(document, TAB)}\t{relevance}\n"
        for question, document, relevance in judgements
    )
    return write_lines(path, chain(["\t".join(QRELS_HEADER) + "\n"], lines)) - 1
