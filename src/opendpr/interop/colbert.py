"""ColBERT's files: rankings with rank and score, and triples of ids, which MS MARCO has too."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from opendpr.errors import InputError
from opendpr.interop.ids import IdExample
from opendpr.interop.nouns import Ranking, RunHit
from opendpr.interop.ranked import (
    PlacedHit,
    RawRanking,
    RunLine,
    rank_of,
    rankings_of_lines,
    score_of,
    write_run_lines,
)
from opendpr.interop.records import read_lists
from opendpr.interop.start import Start
from opendpr.interop.tables import TAB, TABS_OR_SPACE, column, read_columns
from opendpr.storage.lines import json_line, write_lines
from opendpr.types import TrainingExample

ID = re.compile(r"[!-~]*[0-9][!-~]*")
"""What tells ids from texts: a number, or a word of ASCII with a digit; some scripts write texts without spaces."""


def is_triples(start: Start) -> bool:
    """Whether the first line is a list of ids, or has three of them in columns."""
    if isinstance(start.value, list):
        first, *others = start.value or [None]
        are_ids = all(isinstance(id, int | list) or (isinstance(id, str) and ID.fullmatch(id)) for id in others)
        return bool(others) and are_ids and isinstance(first, int | str) and bool(ID.fullmatch(str(first)))
    return len(start.columns) == 3 and all(map(ID.fullmatch, start.columns))


def may_be_triples(start: Start) -> bool:
    """Whether the first line is a list, or has three columns: of ids or of texts."""
    return isinstance(start.value, list) or len(start.columns) == 3


def read_triples(start: Start) -> Iterator[IdExample]:
    """JSON lines `[question, positive, negative, ...]` (`triples.jsonl`), or such lines between tabs or spaces, of ids.

    A passage may be `[id, score]`, as for distillation; the first one is the positive.
    """
    if not start.is_json:
        for place, fields in read_columns(start.path, TABS_OR_SPACE):
            yield _triple(place, fields)
        return
    for place, value in read_lists(start.path, array=start.is_array):
        yield _triple(place, [item[0] if isinstance(item, list) and item else item for item in value])


def _triple(place: str, ids: Sequence[object]) -> IdExample:
    if len(ids) < 2 or not all(isinstance(id, str | int) and str(id).strip() for id in ids):
        raise InputError(f"{place}: expected the ids of a question, a positive and negatives, found {ids!r:.100}")
    question, positive, *negatives = (str(id).strip() for id in ids)
    return IdExample(place, question, (positive,), tuple(negatives))


def write_triples(path: Path, examples: Iterable[TrainingExample]) -> int:
    """Write `triples.jsonl`, a line of ids for each positive with all hard negatives, and return how many lines.

    The texts are in files of their own: `queries.tsv` and `collection.tsv`, which MS MARCO's writers make.

    Raises:
        InputError: an id is missing or no number, which ColBERT's are.
    """
    return write_lines(path, (json_line(triple) for example in examples for triple in _triples_of(example)))


def _triples_of(example: TrainingExample) -> Iterator[list[int]]:
    question = _number(example.question.id, "question", example)
    negatives = [_number(passage.id, "passage", example) for passage in example.hard_negatives]
    for positive in example.positives:
        yield [question, _number(positive.id, "passage", example), *negatives]


def _number(id: str, noun: str, example: TrainingExample) -> int:
    if not (id.isascii() and id.isdigit()):
        raise InputError(
            f"question {example.question.id!r:.60}: expected the id of a {noun} to be a number, as ColBERT's are, "
            f"found {id!r:.60}; number the {noun}s, or export another form"
        )
    return int(id)


def read_run(start: Start) -> Iterator[RawRanking]:
    """Lines `question <tab> passage <tab> rank <tab> score` (`ranking.tsv`)."""
    return rankings_of_lines(start, _run_line)


def _run_line(place: str, fields: list[str]) -> RunLine:
    rank = rank_of(fields[2]) if len(fields) == 4 else None
    if rank is None or not fields[0] or not fields[1]:
        raise InputError(f"{place}: expected 'question passage rank score', found {' '.join(fields)[:100]!r}")
    return RunLine(fields[0], "", PlacedHit(place, RunHit(fields[1], score_of(fields[3], place)), rank))


def write_run(path: Path, rankings: Iterable[Ranking]) -> int:
    """Write `ranking.tsv`, in the order that trec_eval gives it, and return how many questions."""
    return write_run_lines(
        path,
        rankings,
        lambda ranking, rank, hit: f"{column(ranking.id, TAB)}\t{column(hit.id, TAB)}\t{rank}\t{hit.score!r}\n",
    )
