"""Examples for the reader: questions with passages in which the answers are marked, and passages without them."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from opendpr.errors import InputError
from opendpr.interop import MarkedQuestion, holds_marks, read_examples, read_marked
from opendpr.search.tantivy import TantivyIndex
from opendpr.text import normalize_answer
from opendpr.text.occurrences import Place, answer_places
from opendpr.training.examples import usable_examples
from opendpr.types import ExamplePassage, Passage, Question, TrainingExample
from opendpr.wording import counted

logger = logging.getLogger(__name__)

NEGATIVE_CANDIDATES = 30
"""BM25 passages from which a question's negatives are drawn."""


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

    - Marked answers: JSON lines with `question, passage, answer_start, answer_text`, or SQuAD. Negatives are mined from
      the passages of all these files together.
    - Examples with passages, as `opendpr mine` writes them, or DPR's retrieval results: every place of an answer in a
      positive counts (distant supervision, section 6.1), hard negatives and negatives are what the passages without
      it are sampled from.

    Args:
        negatives: mined for each question with a marked answer
        seed: decides what is drawn in mining

    Raises:
        InputError: a file cannot be read, or there is nothing in all of them that could be used.
    """
    marks = {path: holds_marks(path) for path in paths}
    questions = read_marked_questions(path for path in paths if marks[path])
    mined = mine_negatives(questions, negatives, seed)
    marked = [_marked_passage(question) for question in questions]
    plain = [passage._replace(places=()) for passage in marked]
    examples = [
        ReaderExample(question.to_question(), (positive,), tuple(plain[place] for place in places))
        for question, positive, places in zip(questions, marked, mined, strict=True)
    ]
    for path in (path for path in paths if not marks[path]):
        examples += marked_examples(read_examples(path), str(path))
    if not examples:
        raise InputError(
            "the files hold no examples to train a reader on; expected JSON lines with question, passage, answer_start "
            "and answer_text, or what 'opendpr mine' wrote of questions with answers"
        )
    return examples


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


def _marked_passage(question: MarkedQuestion) -> MarkedPassage:
    """The passage of a question with the places of its marks."""
    places = sorted((start, start + len(text)) for start, text in question.marks)
    return MarkedPassage(question.title, question.passage, tuple(places))


def _marked(passage: ExamplePassage, question: Question) -> MarkedPassage:
    """All places of all answers, also one inside another."""
    places = {place for answer in question.answers for place in answer_places([answer], passage.text, question.match)}
    return MarkedPassage(passage.title, passage.text, tuple(sorted(places)))


def read_marked_questions(paths: Iterable[Path]) -> list[MarkedQuestion]:
    """The questions of files with marked answers; those without an answer in their passage are counted in a warning.

    Raises:
        InputError: a file has another form, or a passage does not hold the answer where it says.
    """
    questions: list[MarkedQuestion] = []
    for path in paths:
        read = list(read_marked(path))
        marked = [question for question in read if question.marks]
        if len(marked) < len(read):
            logger.warning("%s: left out %s without an answer", path, counted(len(read) - len(marked), "question"))
        questions += marked
    return questions


def mine_negatives(examples: Sequence[MarkedQuestion], count: int, seed: int) -> list[list[int]]:
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
        near = index.search(example.question, NEGATIVE_CANDIDATES).numbers[0]
        answers = [f" {normalize_answer(answer)} " for answer in example.answers]
        drawn: list[int] = []
        for place in [*generator.permutation(near[near >= 0]).tolist(), *generator.choice(unique, 4 * count).tolist()]:
            if len(drawn) < count and place not in drawn and not any(a in normal[place] for a in answers):
                drawn.append(place)
        negatives.append(drawn if len(drawn) == count else (drawn + drawn * count)[:count])
    return negatives
