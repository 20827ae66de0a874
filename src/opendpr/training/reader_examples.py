"""Examples for the reader: questions with passages in which the answers are marked, and passages without them."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from opendpr.errors import InputError
from opendpr.interop import read_examples
from opendpr.interop.records import head
from opendpr.search.tantivy import TantivyIndex
from opendpr.storage.lines import read_jsonl
from opendpr.text import normalize_answer
from opendpr.text.marks import Place, answer_places
from opendpr.training.examples import usable_examples
from opendpr.types import ExamplePassage, Passage, Question, TrainingExample
from opendpr.wording import counted

logger = logging.getLogger(__name__)

CANDIDATE_PASSAGES = 30
"""BM25 passages from which a question's negatives are drawn."""
WITH_PASSAGES = ("positives", "positive_ctxs")
"""Fields by which files of examples with passages are known, as 'opendpr mine' and DPR write them."""
SPAN_FIELDS = ("question", "passage", "answer_start", "answer_text")
"""What a record with a marked answer must have."""


class MarkedPassage(NamedTuple):
    """A passage with the places of all answers in it, as offsets in its text."""

    title: str
    text: str
    places: tuple[Place, ...] = ()


class ReaderExample(NamedTuple):
    """A question with passages that answer it, each with a place at least, and passages that do not."""

    question: Question
    positives: tuple[MarkedPassage, ...]
    negatives: tuple[MarkedPassage, ...]


def read_reader_examples(paths: Sequence[Path], negatives: int, seed: int) -> list[ReaderExample]:
    """The examples of files of either form, in their order.

    - Spans: JSON lines with `question, passage, answer_start, answer_text`. Negatives are mined from the passages of
      all the span files together.
    - Examples with passages, as `opendpr mine` writes them: every place of an answer in a positive counts (distant
      supervision, section 6.1), hard negatives and negatives are what the passages without it are sampled from.

    Args:
        negatives: mined for each example of the span files
        seed: decides what is drawn in mining

    Raises:
        InputError: a file cannot be read, or there is nothing in all of them that could be used.
    """
    spans = read_span_examples([path for path in paths if not has_passages(path)], required=False)
    mined = mine_negatives(spans, negatives, seed)
    marked = [MarkedPassage(span.title, span.passage, ((span.start, span.end),)) for span in spans]
    plain = [passage._replace(places=()) for passage in marked]
    examples = [
        ReaderExample(Question("", span.question, span.answers), (own,), tuple(plain[place] for place in others))
        for span, own, others in zip(spans, marked, mined, strict=True)
    ]
    for path in filter(has_passages, paths):
        examples += marked_examples(read_examples(path), str(path))
    if not examples:
        raise InputError(
            "the files hold no examples to train a reader on; expected JSON lines with question, passage, answer_start "
            "and answer_text, or what 'opendpr mine' wrote of questions with answers"
        )
    return examples


def has_passages(path: Path) -> bool:
    """Whether a file holds examples with passages; otherwise it holds spans."""
    if head(path).startswith("["):
        return True  # DPR's array
    first = next((record for _, record in read_jsonl(path)), {})
    return any(name in first for name in WITH_PASSAGES)


def marked_examples(examples: Iterable[TrainingExample], name: str) -> list[ReaderExample]:
    """The examples that have a positive with an answer in it; the others are counted in a warning.

    Raises:
        InputError: there is no example with a positive passage.
    """
    kept, without = [], 0
    for example in usable_examples(examples, name):
        positives = [_marked(passage, example.question) for passage in example.positives]
        positives = [passage for passage in positives if passage.places]
        negatives = [MarkedPassage(p.title, p.text) for p in (*example.hard_negatives, *example.negatives)]
        without += not positives
        if positives:
            kept.append(ReaderExample(example.question, tuple(positives), tuple(negatives)))
    if without:
        logger.warning("%s: left out %s whose positive passages hold no answer", name, counted(without, "example"))
    return kept


def _marked(passage: ExamplePassage, question: Question) -> MarkedPassage:
    """All places of all answers, also one inside another."""
    places = {place for answer in question.answers for place in answer_places([answer], passage.text, question.match)}
    return MarkedPassage(passage.title, passage.text, tuple(sorted(places)))


class SpanExample(NamedTuple):
    """A question with a passage in which its answer is marked."""

    question: str
    title: str
    passage: str
    answers: tuple[str, ...]
    start: int
    end: int


def read_span_examples(paths: Iterable[Path], *, required: bool = True) -> list[SpanExample]:
    """Read JSONL with `question, passage, answer_start, answer_text` and optional `title, answers`.

    Records with an empty answer are left out, and counted in a warning.

    Args:
        required: whether there must be an example

    Raises:
        InputError: a line is no such record, or its passage does not hold the answer where it says.
    """
    examples: list[SpanExample] = []
    empty: list[str] = []
    for path in paths:
        for number, record in read_jsonl(path):
            if missing := [name for name in SPAN_FIELDS if name not in record]:
                raise InputError(
                    f"{path}:{number}: expected an object with {', '.join(SPAN_FIELDS)}; it has no {', '.join(missing)}"
                )
            try:
                start, text, passage = record["answer_start"], record["answer_text"], record["passage"]
                marked = passage[start : start + len(text)]
                question, title = str(record["question"]), str(record.get("title") or "")
                answers = record.get("answers") or [text]
                if not isinstance(passage, str) or not isinstance(text, str):
                    raise TypeError("passage and answer_text must be strings")
                if not isinstance(answers, list) or not all(isinstance(answer, str) for answer in answers):
                    raise TypeError("answers must be a list of strings")
            except TypeError as error:
                raise InputError(
                    f"{path}:{number}: expected an object with {', '.join(SPAN_FIELDS)} ({error})"
                ) from None
            if marked != text:
                raise InputError(
                    f"{path}:{number}: the passage holds {marked!r} at {start}, not {text!r}; fix the line"
                )
            if not text.strip():
                empty.append(f"{path}:{number}")
            else:
                examples.append(SpanExample(question, title, passage, tuple(answers), start, start + len(text)))
    if empty:
        logger.warning("left out %s whose answer is empty, first %s", counted(len(empty), "example"), empty[0])
    if required and not examples:
        raise InputError("the files hold no examples; expected JSONL with question, passage, answer_start, answer_text")
    return examples


def mine_negatives(examples: Sequence[SpanExample], count: int, seed: int) -> list[list[int]]:
    """For each example the places of `count` examples whose passage BM25 likes and which lack its answers."""
    if count == 0:
        return [[] for _ in examples]
    places: dict[str, int] = {}
    for place, example in enumerate(examples):
        places.setdefault(example.passage, place)
    index = TantivyIndex()
    index.update([], (Passage(place, "", examples[place].title, text, 0) for text, place in places.items()))
    generator = np.random.default_rng(seed)
    unique = np.array(list(places.values()))
    normal = {place: f" {normalize_answer(examples[place].passage)} " for place in unique.tolist()}
    negatives = []
    for example in examples:
        near = index.search(example.question, CANDIDATE_PASSAGES).numbers[0]
        answers = [f" {normalize_answer(answer)} " for answer in example.answers]
        drawn: list[int] = []
        for place in [*generator.permutation(near[near >= 0]).tolist(), *generator.choice(unique, 4 * count).tolist()]:
            if len(drawn) < count and place not in drawn and not any(a in normal[place] for a in answers):
                drawn.append(place)
        negatives.append(drawn if len(drawn) == count else (drawn + drawn * count)[:count])
    return negatives
