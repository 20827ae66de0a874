"""What rankings of all systems share: telling ranks from scores, documents that occur twice, order, lines."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import groupby, pairwise
from pathlib import Path
from typing import Any, NamedTuple

from opendpr.choices import Duplicates, Values
from opendpr.errors import InputError
from opendpr.interop.nouns import Ranking, RunHit
from opendpr.interop.records import Fields, finite, identifier, number, objects, text
from opendpr.interop.start import Start
from opendpr.interop.tables import read_columns
from opendpr.storage.lines import json_kind, write_lines


class PlacedHit(NamedTuple):
    """A hit, where it is written, and its rank: None for a lone value that cannot be one."""

    place: str
    hit: RunHit
    rank: int | None


class RawRanking(NamedTuple):
    """The ranking of one question as a file has it; that of `ranking` is still empty."""

    place: str
    ranking: Ranking
    hits: Sequence[PlacedHit]
    lone_value: bool = False
    """Whether rank and score of each hit are one and the same column of the file."""


class RankingReader:
    """Makes rankings out of what files have.

    Args:
        values: what to order by; None tells ranks from scores, or asks.
        duplicates: `refuse` raises an error, as trec_eval does; `best` keeps the best hit of a document.
    """

    def __init__(self, values: Values | None, duplicates: Duplicates) -> None:
        self._values, self._duplicates = values, duplicates
        self._lone_values: Values | None = None

    def __call__(self, raw: RawRanking) -> Ranking:
        """The ranking, best first.

        Raises:
            InputError: a document occurs twice, or it is not clear what to order by.
        """
        hits = self._by_rank(raw) if self._kind(raw) == "rank" else list(raw.hits)
        hits.sort(key=lambda placed: -placed.hit.score)
        kept: dict[str, PlacedHit] = {}
        for placed in hits:
            first = kept.setdefault(placed.hit.id, placed)
            if first is not placed and self._duplicates == "refuse":
                raise InputError(
                    f"{_later(raw, placed.hit.id)}: {placed.hit.id!r} is ranked twice for question "
                    f"{raw.ranking.id!r}; take one out, or keep the best with --duplicates best"
                )
        return replace(raw.ranking, hits=tuple(placed.hit for placed in kept.values()))

    def _kind(self, raw: RawRanking) -> Values:
        if self._values is not None:
            return self._values
        if not raw.lone_value:
            _refuse_distances(raw)
            return "score"
        kind = _kind_of_numbers([placed.rank for placed in raw.hits])
        if self._lone_values == "score":
            kind = "score"
        if kind is None or (self._lone_values == "rank" and kind == "score"):
            raise InputError(
                f"{raw.place}: cannot tell whether the third column is a rank or a score; "
                "give --values rank or --values score"
            )
        self._lone_values = kind
        return kind

    def _by_rank(self, raw: RawRanking) -> list[PlacedHit]:
        first = min((placed.rank for placed in raw.hits if placed.rank is not None), default=1)
        ranked = []
        for placed in raw.hits:
            if placed.rank is None:
                raise InputError(f"{placed.place}: expected a rank, a whole number, found {placed.hit.score!r:.60}")
            score = 1 / (placed.rank + (first == 0))
            ranked.append(placed._replace(hit=replace(placed.hit, score=score)))
        return ranked


def _kind_of_numbers(ranks: Sequence[int | None]) -> Values | None:
    """Whether numbers are ranks, 1, 2, 3 and so on; whole numbers that are not may be either."""
    if None in ranks:
        return "score"
    return "rank" if list(ranks) in (list(range(len(ranks))), list(range(1, len(ranks) + 1))) else None


def _refuse_distances(raw: RawRanking) -> None:
    """Raises InputError if the first has the smallest score, the second the next, and so on."""
    ordered = sorted(raw.hits, key=lambda placed: placed.rank or 0)
    scores = [placed.hit.score for placed in ordered]
    if len(scores) > 1 and all(a < b for a, b in pairwise(scores)):
        raise InputError(
            f"{raw.place}: the scores of question {raw.ranking.id!r} grow from the first rank to the last, as "
            "distances do; give --values rank to go by the ranks, or --values score if larger is better"
        )


def _later(raw: RawRanking, id: str) -> str:
    """Where a document occurs the second time."""
    return [placed.place for placed in raw.hits if placed.hit.id == id][1]


# Objects of JSON


def hits_of(fields: Fields, name: str, place: str) -> list[PlacedHit]:
    """The hits in a list of objects, which are ranked as they are listed."""
    listed = enumerate(objects(fields, name, place), start=1)
    return [PlacedHit(f"{place}: {name} {n}", _hit(hit, f"{place}: {name} {n}"), n) for n, hit in listed]


def _hit(fields: Fields, place: str) -> RunHit:
    score = number(fields, "score", place)
    if score is None:
        raise InputError(f"{place}: expected 'score', found none")
    has_answer = fields.get("has_answer")
    if has_answer is not None and not isinstance(has_answer, bool):
        raise InputError(f"{place}: expected 'has_answer' to be true or false, found {json_kind(has_answer)}")
    return RunHit(
        identifier(fields, ("id", "docid", "passage_id"), place),
        score,
        identifier(fields, "document_id", place, "") or None,
        text(fields, "title", place, ""),
        text(fields, "text", place) if fields.get("text") is not None else None,
        has_answer,
    )


def hit_fields(hit: RunHit) -> dict[str, Any]:
    """A hit as a JSON object in our form, without what is not known."""
    fields = {
        "id": hit.id,
        "document_id": hit.document_id,
        "title": hit.title,
        "text": hit.text,
        "score": hit.score,
        "has_answer": hit.has_answer,
    }
    return {name: value for name, value in fields.items() if value is not None}


# Lines of a table


class RunLine(NamedTuple):
    """One line of a run: question, tag of the run, and the hit."""

    question: str
    tag: str
    hit: PlacedHit
    lone_value: bool = False


def rankings_of_lines(start: Start, parse: Callable[[str, list[str]], RunLine]) -> Iterator[RawRanking]:
    """Gather the lines of each question, which must follow each other."""
    done: set[str] = set()
    rows = read_columns(start.path, start.line_separator)
    lines = (parse(place, [field.strip() for field in fields]) for place, fields in rows)
    for id, group in groupby(lines, key=lambda line: line.question):
        lines_of_question = list(group)
        place = lines_of_question[0].hit.place
        if id in done:
            raise InputError(
                f"{place}: question {id!r} was there before; its lines must follow each other "
                "(sort -s -k1,1 puts them so)"
            )
        done.add(id)
        yield RawRanking(
            place,
            Ranking(id, "", (), lines_of_question[0].tag, ()),
            [line.hit for line in lines_of_question],
            lines_of_question[0].lone_value,
        )


def rank_of(value: str) -> int | None:
    """A rank out of a column, or None."""
    return int(value) if value.isascii() and value.isdigit() and len(value) < 10 else None


def score_of(value: str, place: str) -> float:
    """A score out of a column."""
    return finite(value, "score", place)


# Writing


def once(rankings: Iterable[Ranking]) -> Iterator[Ranking]:
    """The rankings, of which each must be of another question."""
    systems: dict[str, str] = {}
    for ranking in rankings:
        if ranking.id in systems:
            both = f"for {systems[ranking.id]!r} and for {ranking.system!r}"
            raise InputError(
                f"question {ranking.id!r} is there twice, {both}; a run holds one ranking a question. "
                "Choose a system with --system, and a set of questions with --set"
            )
        systems[ranking.id] = ranking.system
        yield ranking


def best_of_documents(ranking: Ranking) -> Ranking:
    """The ranking of documents by their best passages.

    Raises:
        InputError: it is not known of which document a passage is.
    """
    best: dict[str, RunHit] = {}
    for hit in ranking.hits:
        if hit.document_id is None:
            raise InputError(
                f"question {ranking.id!r}: the document of passage {hit.id!r} is not known; name the collection "
                "that was searched with --collection"
            )
        before = best.get(hit.document_id)
        if before is None or hit.score > before.score:
            best[hit.document_id] = RunHit(hit.document_id, hit.score, hit.document_id, hit.title)
    return replace(ranking, hits=tuple(sorted(best.values(), key=lambda hit: -hit.score)))


def as_evaluated(ranking: Ranking) -> list[RunHit]:
    """The hits in the order that trec_eval gives them, whatever the order and the ranks in a file: its scores are
    single precision, and equal ones are ordered by id, descending.
    """
    try:
        return sorted(ranking.hits, key=lambda hit: (_single(hit.score), hit.id), reverse=True)
    except OverflowError:
        raise InputError(
            f"question {ranking.id!r} has a score beyond single precision; scale the scores of the run down"
        ) from None


def _single(score: float) -> float:
    return float(struct.unpack("<f", struct.pack("<f", score))[0])


def write_run_lines(path: Path, rankings: Iterable[Ranking], line: Callable[[Ranking, int, RunHit], str]) -> int:
    """Write a run of one hit a line, in the order that trec_eval gives it, and return how many questions.

    Args:
        line: the text of a hit with its end, made of its ranking, its rank from 1, and the hit

    Raises:
        InputError: an id does not fit into a column, or a question is there twice.
    """
    count = 0

    def lines() -> Iterator[str]:
        nonlocal count
        for ranking in once(rankings):
            count += 1
            for rank, hit in enumerate(as_evaluated(ranking), start=1):
                yield line(ranking, rank, hit)

    write_lines(path, lines())
    return count
