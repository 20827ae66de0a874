"""What a search found for each question: our JSON lines, DPR's retrieval results, TREC and MS MARCO runs."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any, Literal

from opendpr.errors import InputError
from opendpr.interop.qrels import column
from opendpr.interop.records import (
    Fields,
    Record,
    finite,
    head,
    identifier,
    number,
    objects,
    read_records,
    text,
    texts,
    words,
    write_array,
)
from opendpr.interop.tables import read_columns
from opendpr.storage.compression import uncompressed_name
from opendpr.storage.lines import json_kind, json_line, write_lines

RunFormat = Literal["jsonl", "dpr", "trec", "msmarco"]


@dataclass(frozen=True, slots=True)
class Found:
    """One passage, or document, that was found. `text` and `has_answer` are None where they are not known."""

    id: str
    score: float
    document_id: str | None = None
    title: str = ""
    text: str | None = None
    has_answer: bool | None = None


@dataclass(frozen=True, slots=True)
class Ranking:
    """What was found for one question, best first. `question` is empty where a run has ids only."""

    id: str
    question: str
    answers: tuple[str, ...]
    system: str
    """Name of the retriever, or tag of the run."""
    found: tuple[Found, ...]
    set: str = ""
    """Name of the set of questions, in a run over several."""


def read_run(path: Path) -> Iterator[Ranking]:
    """Yield the rankings of a file, which is recognised by its content:

    - JSON lines `{"id", "question", "answers", "retriever", "hits": [{"id", "score", "title"?, "text"?,
      "document_id"?, "has_answer"?}]}`, and what `opendpr evaluate` writes;
    - DPR's retrieval results, `[{"question", "answers", "ctxs": [{"id", "title", "text", "score", "has_answer"}]}]`;
    - TREC, `question Q0 document rank score tag`; MS MARCO, `question <tab> document <tab> rank`. Their lines
      of one question stand together; MS MARCO's scores are made of the ranks, 1/rank.

    Raises:
        InputError: the file cannot be read, or something in it is no ranking; the message has the line.
    """
    if head(path).startswith(("{", "[")):
        for record in read_records(path):
            if record.fields.get("type") not in ("run", "scan"):  # the first and the last record of an evaluation
                yield _of_record(record)
    else:
        yield from _of_lines(path)


def write_run(path: Path, rankings: Iterable[Ranking], format: RunFormat) -> int:
    """Write rankings and return how many.

    TREC and MS MARCO runs are in the order in which trec_eval ranks: by the score in single precision, then by
    id, descending.

    Raises:
        InputError: a ranking does not fit the format: an id with white space in TREC, a passage without text in
            DPR, a question that is there twice in any but ours.
    """
    if format == "jsonl":
        return write_lines(path, (json_line(_fields(ranking)) for ranking in rankings))
    if format == "dpr":
        records = (_dpr_fields(ranking) for ranking in once(rankings))
        if uncompressed_name(path).suffix.lower() in (".jsonl", ".ndjson"):
            return write_lines(path, map(json_line, records))
        return write_array(path, records)
    count = 0

    def counted() -> Iterator[Ranking]:
        nonlocal count
        for ranking in once(rankings):
            count += 1
            yield ranking

    lines = _trec_lines if format == "trec" else _msmarco_lines
    write_lines(path, (line for ranking in counted() for line in lines(ranking)))
    return count


def once(rankings: Iterable[Ranking]) -> Iterator[Ranking]:
    """The rankings, of which each must be of another question."""
    seen: set[str] = set()
    for ranking in rankings:
        if ranking.id in seen:
            raise InputError(
                f"question {ranking.id!r} is there twice, for {ranking.system!r} the second time; a run holds one "
                "ranking a question. Choose a system with --system, and a set of questions with --set"
            )
        seen.add(ranking.id)
        yield ranking


def best_of_documents(ranking: Ranking) -> Ranking:
    """The ranking of documents by their best passages.

    Raises:
        InputError: it is not known of which document a passage is.
    """
    best: dict[str, Found] = {}
    for found in ranking.found:
        if found.document_id is None:
            raise InputError(
                f"question {ranking.id!r}: the document of passage {found.id!r} is not known; name the collection "
                "that was searched with --collection"
            )
        held = best.get(found.document_id)
        if held is None or found.score > held.score:
            best[found.document_id] = Found(found.document_id, found.score, found.document_id, found.title)
    ordered = tuple(sorted(best.values(), key=lambda found: -found.score))
    return Ranking(ranking.id, ranking.question, ranking.answers, ranking.system, ordered, ranking.set)


def _of_record(record: Record) -> Ranking:
    place, number_, fields = record
    if fields.get("type") == "question":
        return _of_evaluation(fields, place)
    ours = "hits" in fields
    if not ours and "ctxs" not in fields:
        raise InputError(f"{place}: expected 'hits' or 'ctxs', found only {str(list(fields))[:100]}")
    name = "hits" if ours else "ctxs"
    found = [_found(each, f"{place}: {name} {n}") for n, each in enumerate(objects(fields, name, place), start=1)]
    return Ranking(
        identifier(fields, "id", place, str(number_)),
        words(fields, "question", place) if "question" in fields or not ours else "",
        texts(fields, "answers", place),
        text(fields, "retriever", place, ""),
        tuple(sorted(found, key=lambda each: -each.score)),
    )


def _found(fields: Fields, place: str) -> Found:
    score = number(fields, "score", place)
    if score is None:
        raise InputError(f"{place}: expected 'score', found none")
    known = fields.get("has_answer")
    if known is not None and not isinstance(known, bool):
        raise InputError(f"{place}: expected 'has_answer' to be true or false, found {json_kind(known)}")
    return Found(
        identifier(fields, "id", place),
        score,
        identifier(fields, "document_id", place, "") or None,
        text(fields, "title", place, ""),
        text(fields, "text", place) if fields.get("text") is not None else None,
        known,
    )


def _of_evaluation(fields: Fields, place: str) -> Ranking:
    """A record of `opendpr evaluate`: ids and scores, of passages or of documents, as two lists."""
    documents = "documents" in fields
    lists = fields.get("documents" if documents else "hits")
    if not isinstance(lists, dict):
        raise InputError(f"{place}: expected 'hits' to be an object with ids and scores, found {json_kind(lists)}")
    ids, scores = texts(lists, "ids", place), lists.get("scores")
    if not isinstance(scores, list) or len(scores) != len(ids):
        raise InputError(f"{place}: expected as many scores as ids, {len(ids)}, found {json_kind(scores)} of others")
    ranks = fields.get("answer_ranks")
    holding = set(ranks) if isinstance(ranks, list) and all(isinstance(rank, int) for rank in ranks) else None
    found = [
        Found(
            id,
            finite(score if isinstance(score, int | float) else "", "scores", place),
            id if documents else None,
            has_answer=None if holding is None else rank in holding,
        )
        for rank, (id, score) in enumerate(zip(ids, scores, strict=True), start=1)
    ]
    return Ranking(
        identifier(fields, "question", place),
        text(fields, "text", place, ""),
        texts(fields, "answers", place),
        text(fields, "system", place, ""),
        tuple(sorted(found, key=lambda each: -each.score)),
        text(fields, "set", place, ""),
    )


def _of_lines(path: Path) -> Iterator[Ranking]:
    seen: set[str] = set()
    lines = (_line(place, fields) for place, fields in read_columns(path))
    for id, group in groupby(lines, key=lambda line: line[1]):
        held = list(group)
        if id in seen:
            raise InputError(
                f"{held[0][0]}: question {id!r} was there before; its lines must stand together "
                "(sort -s -k1,1 puts them so)"
            )
        seen.add(id)
        found = sorted((line[3] for line in held), key=lambda each: -each.score)
        yield Ranking(id, "", (), held[0][2], tuple(found))


def _line(place: str, fields: list[str]) -> tuple[str, str, str, Found]:
    """Place, question, tag and what was found."""
    if len(fields) >= 5:  # the tag may be missing, and more may follow it
        found = Found(fields[2], finite(fields[4], "score", place))
        return place, fields[0], fields[5] if len(fields) > 5 else "", found
    if len(fields) == 3 and fields[2].isascii() and fields[2].isdigit() and 0 < len(fields[2]) < 10 and int(fields[2]):
        return place, fields[0], "", Found(fields[1], 1 / int(fields[2]))
    raise InputError(
        f"{place}: expected 'question Q0 document rank score tag' (TREC) or 'question document rank' (MS MARCO), "
        f"found {' '.join(fields)[:100]!r}"
    )


def _fields(ranking: Ranking) -> dict[str, Any]:
    fields: dict[str, Any] = {"id": ranking.id, "question": ranking.question, "answers": list(ranking.answers)}
    return {**fields, "retriever": ranking.system, "hits": [_found_fields(found) for found in ranking.found]}


def _found_fields(found: Found) -> Mapping[str, Any]:
    fields = {
        "id": found.id,
        "document_id": found.document_id,
        "title": found.title,
        "text": found.text,
        "score": found.score,
        "has_answer": found.has_answer,
    }
    return {name: value for name, value in fields.items() if value is not None}


def _dpr_fields(ranking: Ranking) -> dict[str, Any]:
    """DPR's form. Its scores are strings; `has_answer` is left out where it is not known."""
    if not ranking.question:
        raise InputError(
            f"the question of {ranking.id!r} is not in the run, DPR's form needs it; give --questions FILE"
        )
    ctxs: list[dict[str, Any]] = []
    for found in ranking.found:
        if found.text is None:
            raise InputError(
                f"question {ranking.id!r}: the run has no text for passage {found.id!r}, DPR's form needs it; name the "
                "collection that was searched with --collection"
            )
        ctxs.append({"id": found.id, "title": found.title, "text": found.text, "score": str(found.score)})
        if found.has_answer is not None:
            ctxs[-1]["has_answer"] = found.has_answer
    return {"question": ranking.question, "answers": list(ranking.answers), "ctxs": ctxs}


def _as_evaluated(ranking: Ranking) -> list[Found]:
    """The order that trec_eval makes of a run, whatever the order and the ranks in the file: its scores are
    single precision, and equal ones are ordered by id, descending.
    """
    try:
        return sorted(ranking.found, key=lambda each: (_single(each.score), each.id), reverse=True)
    except OverflowError:
        raise InputError(f"question {ranking.id!r} has a score beyond single precision") from None


def _single(score: float) -> float:
    return float(struct.unpack("<f", struct.pack("<f", score))[0])


def _trec_lines(ranking: Ranking) -> Iterator[str]:
    tag = "-".join(ranking.system.split()) or "opendpr"
    for rank, found in enumerate(_as_evaluated(ranking), start=1):
        yield f"{column(ranking.id)} Q0 {column(found.id)} {rank} {found.score!r} {tag}\n"


def _msmarco_lines(ranking: Ranking) -> Iterator[str]:
    for rank, found in enumerate(_as_evaluated(ranking), start=1):
        yield f"{column(ranking.id)}\t{column(found.id)}\t{rank}\n"
