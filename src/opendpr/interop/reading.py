"""Readers of every form: what they all refuse, drop and report."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from opendpr.choices import AnswerMatch, Duplicates, Quoting, Values
from opendpr.errors import InputError, UsageError
from opendpr.interop import colbert, ir_datasets, tevatron
from opendpr.interop.forms import (
    EXAMPLE_FORMS,
    MARKED_FORMS,
    PASSAGE_FORMS,
    QRELS_FORMS,
    QUESTION_FORMS,
    RUN_FORMS,
    form_of,
    unknown,
)
from opendpr.interop.gold import Dropped
from opendpr.interop.ids import by_id, ids_once, join
from opendpr.interop.nouns import Judgement, MarkedQuestion, Ranking
from opendpr.interop.ranked import RankingReader
from opendpr.interop.start import Start, look
from opendpr.types import Document, Question, TrainingExample

PASSAGE_GROUPS = frozenset({"positives", "positive_ctxs", "ctxs", "positive", "passage"})
"""Fields of a question that comes with passages, or with one of its own."""


def read_passages(path: Path, *, quoting: Quoting = "csv") -> Iterator[Document]:
    """Yield the records of a file of passages, each a document.

    Args:
        quoting: what a quotation mark at the beginning of a table's field means.

    Raises:
        InputError: the file cannot be read or recognised, or something in it is no passage; the message has the line.
            At the end also where an id is there twice; the message has both lines.
    """
    if ir_datasets.is_id(path):
        yield from ir_datasets.read_passages(path)
        return
    start = look(path, quoting)
    form = form_of(start, PASSAGE_FORMS, "passages")
    yield from ids_once(lambda: form.read(start))


def read_questions(path: Path, *, match: AnswerMatch | None = None, quoting: Quoting = "csv") -> Iterator[Question]:
    """Yield the questions of a file. One without an id is called by its line, or its place in the array.

    Args:
        match: how answers are compared; None is as each record says, or `string`.
        quoting: what a quotation mark at the beginning of a table's field means.

    Raises:
        InputError: as for `read_passages`.
    """
    with _dropped(path, match) as dropped:
        if ir_datasets.is_id(path):
            yield from map(dropped.question, ir_datasets.read_questions(path))
        else:
            start = look(path, quoting)
            yield from map(dropped.question, form_of(start, QUESTION_FORMS, "questions").read(start))


def read_examples(
    path: Path, *, questions: Path | None = None, passages: Path | None = None, quoting: Quoting = "csv"
) -> Iterator[TrainingExample]:
    """Yield the training examples of a file.

    An example may have no positives, as some of DPR's have: what trains decides about it.

    Args:
        questions, passages: the texts, where a file has their ids alone, as ColBERT's triples.

    Raises:
        InputError: as for `read_passages`; also where texts are needed and not given.
    """
    start = look(path, quoting)
    with _dropped(path) as dropped:
        yield from map(dropped.example, _examples(start, questions, passages))


def _examples(start: Start, questions: Path | None, passages: Path | None) -> Iterator[TrainingExample]:
    if questions is not None and passages is not None and colbert.may_be_triples(start):
        questions_by_id = by_id(read_questions(questions), questions)
        return join(colbert.read_triples(start), questions_by_id, read_passages(passages))
    if colbert.is_triples(start):
        raise InputError(
            f"{start.path} names questions and passages by id; give their texts with --questions and --passages"
        )
    if questions is not None:
        raise UsageError(f"{start.path} has its texts itself; leave out the file of questions")
    if tevatron.is_id_examples(start):
        if passages is None:
            raise InputError(f"{start.path} names passages by id; give their texts with --passages")
        return tevatron.read_id_examples(start, read_passages(passages))
    if passages is not None:
        raise UsageError(f"{start.path} has its texts itself; leave out the file of passages")
    return form_of(start, EXAMPLE_FORMS, "examples").read(start)


def holds_marks(path: Path) -> bool:
    """Whether a file begins with a question whose answers are marked in a passage.

    Raises:
        InputError: it cannot be read.
    """
    start = look(path)
    return any(form.recognises(start) for form in MARKED_FORMS)


def refuse_pairs(path: Path) -> None:
    """Raises InputError if a file begins with a question that has neither passages nor a passage of its own."""
    start = look(path)
    if "question" in start.fields and set(start.fields).isdisjoint(PASSAGE_GROUPS):
        raise unknown(start, EXAMPLE_FORMS, "examples")


def read_marked(path: Path) -> Iterator[MarkedQuestion]:
    """Yield the questions of a SQuAD file, or of JSON lines `question, passage, answer_start, answer_text`.

    Raises:
        InputError: as for `read_passages`; also where an answer is not where it says.
    """
    start = look(path)
    with _dropped(path) as dropped:
        yield from map(dropped.marked, form_of(start, MARKED_FORMS, "marked answers").read(start))


def read_run(path: Path, *, values: Values | None = None, duplicates: Duplicates = "refuse") -> Iterator[Ranking]:
    """Yield the rankings of a file.

    Args:
        values: what to order by, ranks or scores. None is scores, or ranks where a table has them alone; where it is
            not clear which they are, that is an error. A rank r becomes the score 1/r.
        duplicates: `best` keeps the best hit of a document that is ranked twice.

    Raises:
        InputError: as for `read_passages`.
    """
    start = look(path)
    to_ranking = RankingReader(values, duplicates)
    done: set[tuple[str, str]] = set()
    with _dropped(path) as dropped:
        for raw in form_of(start, RUN_FORMS, "runs").read(start):
            ranking = to_ranking(raw)
            if (key := (ranking.id, ranking.system)) in done:
                raise InputError(f"{raw.place}: question {ranking.id!r} was there before; take one of the two out")
            done.add(key)
            yield dropped.ranking(ranking)


def read_qrels(path: Path, *, duplicates: Duplicates = "refuse") -> Iterator[Judgement]:
    """Yield the judgements of a file.

    Args:
        duplicates: `best` keeps the highest relevance of a document that is judged twice.

    Raises:
        InputError: as for `read_passages`.
    """
    if ir_datasets.is_id(path):
        placed = ir_datasets.read_qrels(path)
    else:
        start = look(path)
        placed = form_of(start, QRELS_FORMS, "judgements").read(start)
    judged: dict[tuple[str, str], Judgement] = {}
    for place, judgement in placed:
        first = judged.setdefault(judgement[:2], judgement)
        if first is not judgement and duplicates == "refuse":
            raise InputError(
                f"{place}: {judgement.document_id!r} is judged twice for question {judgement.question_id!r}; take one "
                "out, or keep the higher one with --duplicates best"
            )
        if judgement.relevance > first.relevance:
            judged[judgement[:2]] = judgement
    yield from judged.values()


@contextmanager
def _dropped(path: Path, match: AnswerMatch | None = None) -> Iterator[Dropped]:
    dropped = Dropped(path, match)
    try:
        yield dropped
    finally:
        dropped.report()
