"""MS MARCO's tables: tabs between columns, no header, no quotation."""

from __future__ import annotations

import logging
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
from opendpr.interop.tables import TAB, column, plain, read_columns
from opendpr.interop.trec import write_qrels as write_trec_qrels
from opendpr.storage.lines import write_lines
from opendpr.types import Document, ExamplePassage, Question, TrainingExample
from opendpr.wording import counted

logger = logging.getLogger(__name__)

ID_HEADERS = frozenset(
    {"id", "_id", "pid", "qid", "docid", "doc_id", "query_id", "query-id", "question_id", "passage_id"}
)
"""What the first line has instead of an id where it is a header."""
TEXT_HEADERS = frozenset({"anchor", "query", "question", "text"})
"""What the first line of triples has instead of a question where it is a header, besides these."""


def read_passages(start: Start) -> Iterator[Placed[Document]]:
    """Lines `id <tab> text`."""
    for place, id, text in _pairs(start, "text (or a header with 'id' and 'text' in the first line)"):
        yield Placed(place, Document(id, "", text))


def write_passages(path: Path, passages: Iterable[Document]) -> int:
    """Write `collection.tsv` and return how many; titles are left out, line ends and tabs become spaces."""
    return write_lines(path, (f"{column(passage.id, TAB)}\t{plain(passage.text)}\n" for passage in passages))


def read_questions(start: Start) -> Iterator[Question]:
    """Lines `id <tab> question`."""
    for place, id, text in _pairs(start, "question"):
        if not text.strip():
            raise InputError(f"{place}: expected a question in words, found {text!r:.60}")
        yield Question(id, text)


def write_questions(path: Path, questions: Iterable[Question]) -> int:
    """Write `queries.tsv` and return how many; answers are left out."""
    return write_lines(path, (f"{column(question.id, TAB)}\t{plain(question.text)}\n" for question in questions))


def _pairs(start: Start, what: str) -> Iterator[tuple[str, str, str]]:
    for number, (place, fields) in enumerate(read_columns(start.path, TAB)):
        if len(fields) != 2 or not fields[0].strip():
            raise InputError(
                f"{place}: expected id, tab, {what}, found {counted(len(fields), 'field')}: {fields!r:.100}"
            )
        if number == 0 and fields[0].strip().lower() in ID_HEADERS:
            raise InputError(f"{place}: found a header, {fields!r:.100}; expected id, tab, {what}; take the header out")
        yield place, fields[0], fields[1]


def read_examples(start: Start) -> Iterator[TrainingExample]:
    """Triples of texts, `question <tab> positive <tab> negative`."""
    for number, (place, fields) in enumerate(read_columns(start.path, TAB)):
        if len(fields) != 3 or not all(field.strip() for field in fields):
            raise InputError(f"{place}: expected question, positive and negative between tabs, found {fields!r:.100}")
        if number == 0 and fields[0].strip().lower() in ID_HEADERS | TEXT_HEADERS:
            raise InputError(
                f"{place}: found a header, {fields!r:.100}; expected question, positive and negative; take the header "
                "out, or call the columns anchor, positive and negative"
            )
        question, positive, negative = fields
        asked_question = Question(place.rpartition(":")[2], question)
        yield TrainingExample(asked_question, (ExamplePassage("", positive),), (ExamplePassage("", negative),))


def write_examples(path: Path, examples: Iterable[TrainingExample]) -> int:
    """Write a line of each pair of a positive and a hard negative, without titles, and return how many."""
    return write_lines(path, ("\t".join(map(plain, triple)) + "\n" for triple in triples(path, examples)))


def triples(path: Path, examples: Iterable[TrainingExample], *, titles: bool = False) -> Iterator[tuple[str, str, str]]:
    """Question, positive and hard negative, of each pair that an example has.

    Examples that have none are counted in a warning.

    Args:
        titles: whether a passage's title is put before its text.

    Raises:
        InputError: no example has such a pair.
    """
    written, without = 0, 0
    for example in examples:
        pairs = [(positive, negative) for positive in example.positives for negative in example.hard_negatives]
        without += not pairs
        written += len(pairs)
        for positive, negative in pairs:
            yield example.question.text, passage_text(positive, titles), passage_text(negative, titles)
    if without and not written:
        raise InputError(
            "no example has both a positive and a hard negative, of which triples are made; find hard negatives with "
            "'opendpr mine', or choose another format"
        )
    if without:
        logger.warning(
            "%s: left out %s without a hard negative, so without a triple", path, counted(without, "example")
        )


def passage_text(passage: ExamplePassage, titles: bool = True) -> str:
    """The text of a passage for a form that has no place for its title."""
    return f"{passage.title} {passage.text}".strip() if titles else passage.text


def read_run(start: Start) -> Iterator[RawRanking]:
    """Lines `question document rank`; other systems, as Tevatron, write the score there."""
    return rankings_of_lines(start, _run_line)


def _run_line(place: str, fields: list[str]) -> RunLine:
    if len(fields) != 3 or not fields[0] or not fields[1]:
        raise InputError(f"{place}: expected 'question document rank', found {' '.join(fields)[:100]!r}")
    hit = RunHit(fields[1], score_of(fields[2], place))
    return RunLine(fields[0], "", PlacedHit(place, hit, rank_of(fields[2])), lone_value=True)


def write_run(path: Path, rankings: Iterable[Ranking]) -> int:
    """Write a run, in the order that trec_eval gives it, and return how many questions."""
    return write_run_lines(
        path,
        rankings,
        lambda ranking, rank, hit: f"{column(ranking.id, TAB)}\t{column(hit.id, TAB)}\t{rank}\n",
    )


def write_qrels(path: Path, judgements: Iterable[Judgement]) -> int:
    """Write `qrels.tsv`: TREC's four columns between tabs."""
    return write_trec_qrels(path, judgements, TAB)
