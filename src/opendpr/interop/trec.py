"""TREC's runs and judgements, as trec_eval and its kin read them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from opendpr.errors import InputError
from opendpr.interop.nouns import Judgement, Placed, Ranking, RunHit
from opendpr.interop.ranked import (
    PlacedHit,
    RawRanking,
    RunLine,
    rank_of,
    rankings_of_lines,
    score_of,
    write_run_lines,
)
from opendpr.interop.start import Start
from opendpr.interop.tables import TABS_OR_SPACE, column, read_columns
from opendpr.storage.lines import write_lines

RUN_SHAPE = "question Q0 document rank score tag"
QRELS_SHAPE = "question 0 document relevance"
IDS_WITH_SPACES = "; where ids have spaces, separate the columns by tabs"


def read_run(start: Start) -> Iterator[RawRanking]:
    """Lines `question Q0 document rank score tag`; the tag may be missing."""
    return rankings_of_lines(start, _run_line)


def _run_line(place: str, fields: list[str]) -> RunLine:
    rank = rank_of(fields[3]) if len(fields) > 4 else None
    # more columns are passed over, as trec_eval does; but a number in place of the tag means that an id was split
    if rank is None or not fields[0] or not fields[2] or (len(fields) > 6 and _is_number(fields[5])):
        raise InputError(f"{place}: expected '{RUN_SHAPE}', found {' '.join(fields)[:100]!r}{IDS_WITH_SPACES}")
    hit = RunHit(fields[2], score_of(fields[4], place))
    return RunLine(fields[0], fields[5] if len(fields) > 5 else "", PlacedHit(place, hit, rank))


def write_run(path: Path, rankings: Iterable[Ranking]) -> int:
    """Write a run, in the order that trec_eval gives it, and return how many questions.

    Raises:
        InputError: an id has white space, or a question is there twice.
    """

    def line(ranking: Ranking, rank: int, hit: RunHit) -> str:
        tag = "-".join(ranking.system.split()) or "opendpr"
        return f"{column(ranking.id)} Q0 {column(hit.id)} {rank} {hit.score!r} {tag}\n"

    return write_run_lines(path, rankings, line)


def read_qrels(start: Start) -> Iterator[Placed[Judgement]]:
    """Judgements of lines `question 0 document relevance`."""
    for place, fields in read_columns(start.path, start.line_separator):
        if len(fields) < 4 or not fields[0] or not fields[2] or (len(fields) > 4 and _is_whole(fields[4])):
            more = (
                IDS_WITH_SPACES
                if len(fields) > 4
                else " (or BEIR's header, 'query-id corpus-id score', in the first line)"
            )
            raise InputError(f"{place}: expected '{QRELS_SHAPE}'{more}, found {' '.join(fields)[:100]!r}")
        yield Placed(place, Judgement(fields[0], fields[2], relevance_of(fields[3], place)))


def relevance_of(value: str, place: str) -> int:
    """A relevance out of a column."""
    if not _is_whole(value):
        raise InputError(f"{place}: expected the relevance to be an integer, found {value!r:.60}")
    return int(value)


def write_qrels(path: Path, judgements: Iterable[Judgement], separator: str = " ") -> int:
    """Write judgements and return how many.

    Raises:
        InputError: an id has what separates the columns.
    """
    columns = separator if separator == "\t" else TABS_OR_SPACE
    lines = (
        separator.join((column(question, columns), "0", column(document, columns), str(relevance))) + "\n"
        for question, document, relevance in judgements
    )
    return write_lines(path, lines)


def _is_number(value: str) -> bool:
    try:
        float(value)
    except ValueError:
        return False
    return True


def _is_whole(value: str) -> bool:
    return value.isascii() and value.removeprefix("-").removeprefix("+").isdigit() and len(value) < 10
