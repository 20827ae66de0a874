"""Writers of every form, by the name that `opendpr export --format` gives it."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import TypeAlias, TypeVar

from opendpr.errors import InputError
from opendpr.interop import (
    beir,
    colbert,
    dpr,
    flag_embedding,
    msmarco,
    own,
    pyserini,
    sentence_transformers,
    tevatron,
    trec,
)
from opendpr.interop.nouns import Judgement, Ranking
from opendpr.types import Document, Question, TrainingExample
from opendpr.wording import counted

logger = logging.getLogger(__name__)

Item = TypeVar("Item")
Writer: TypeAlias = Callable[[Path, Iterable[Item]], int]

PASSAGE_WRITERS: Mapping[str, Writer[Document]] = {
    "psgs": dpr.write_passages,
    "beir": beir.write_passages,
    "msmarco": msmarco.write_passages,
    "pyserini": pyserini.write_passages,
    "tevatron": tevatron.write_passages,
    "jsonl": own.write_passages,
}
QUESTION_WRITERS: Mapping[str, Writer[Question]] = {
    "dpr": dpr.write_questions,
    "beir": beir.write_questions,
    "msmarco": msmarco.write_questions,
    "jsonl": own.write_questions,
}
EXAMPLE_WRITERS: Mapping[str, Writer[TrainingExample]] = {
    "dpr": dpr.write_examples,
    "msmarco": msmarco.write_examples,
    "colbert": colbert.write_triples,
    "tevatron": tevatron.write_examples,
    "flag-embedding": flag_embedding.write_examples,
    "sentence-transformers": sentence_transformers.write_examples,
    "jsonl": own.write_examples,
}
FORMS_WITHOUT_POSITIVES = ("dpr", "jsonl")
"""Forms in which an example may have no positive passage."""
RUN_WRITERS: Mapping[str, Writer[Ranking]] = {
    "trec": trec.write_run,
    "dpr": dpr.write_run,
    "msmarco": msmarco.write_run,
    "colbert": colbert.write_run,
    "pyserini": pyserini.write_run,
    "jsonl": own.write_run,
}
QRELS_WRITERS: Mapping[str, Writer[Judgement]] = {
    "trec": trec.write_qrels,
    "beir": beir.write_qrels,
    "msmarco": msmarco.write_qrels,
}


def write_passages(path: Path, passages: Iterable[Document], format: str) -> int:
    """Write passages and return how many."""
    return PASSAGE_WRITERS[format](path, passages)


def write_questions(path: Path, questions: Iterable[Question], format: str) -> int:
    """Write questions and return how many. `dpr` holds no ids, `beir` and `msmarco` hold no answers.

    Raises:
        InputError: a question does not fit the format.
    """
    return QUESTION_WRITERS[format](path, questions)


def write_examples(path: Path, examples: Iterable[TrainingExample], format: str) -> int:
    """Write examples and return how many records: examples, or pairs and triples of texts where the form has these.

    Examples without a positive passage are counted in a warning where the form has no place for them.

    Raises:
        InputError: no example fits the format.
    """
    kept = examples if format in FORMS_WITHOUT_POSITIVES else _with_positives(path, examples)
    return EXAMPLE_WRITERS[format](path, kept)


def _with_positives(path: Path, examples: Iterable[TrainingExample]) -> Iterator[TrainingExample]:
    without = 0
    for example in examples:
        without += not example.positives
        if example.positives:
            yield example
    if without:
        logger.warning("%s: left out %s without a positive passage", path, counted(without, "example"))


def write_run(path: Path, rankings: Iterable[Ranking], format: str) -> int:
    """Write rankings and return how many. Runs that are tables are in the order that trec_eval gives them.

    Raises:
        InputError: a ranking does not fit the format: an id with white space in TREC, a passage without text in
            DPR, a question that is there twice in any but ours.
    """
    return RUN_WRITERS[format](path, rankings)


def write_qrels(path: Path, judgements: Iterable[Judgement], format: str) -> int:
    """Write judgements and return how many.

    Raises:
        InputError: an id does not fit the format.
    """
    return QRELS_WRITERS[format](path, judgements)


def useful(items: Iterable[Item], is_useful: Callable[[Item], object], source: object, what: str) -> Iterator[Item]:
    """The items; raises InputError at their end if there were none, or none that is useful.

    Args:
        source: where they come from
        what: what each must be, as `an example with a positive passage`
    """
    count, any_useful = 0, False
    for item in items:
        count += 1
        any_useful = any_useful or bool(is_useful(item))
        yield item
    if not any_useful:
        raise InputError(
            f"{source} has {counted(count, 'record')}, of which none is {what}" if count else f"{source} holds nothing"
        )
