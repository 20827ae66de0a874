"""Examples for the reader: questions with passages in which the answer is marked, and negatives for them."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from opendpr.errors import InputError
from opendpr.evaluation import normalize_answer
from opendpr.formats import read_jsonl
from opendpr.index.tantivy import TantivyIndex
from opendpr.types import Passage

logger = logging.getLogger(__name__)

CANDIDATES = 30
"""BM25 passages from which a question's negatives are drawn."""


class SpanExample(NamedTuple):
    """A question with a passage in which its answer is marked."""

    question: str
    title: str
    passage: str
    answers: tuple[str, ...]
    start: int
    end: int


def read_span_examples(paths: Iterable[Path]) -> list[SpanExample]:
    """Read JSONL with `question, passage, answer_start, answer_text` and optional `title, answers`.

    Records with an empty answer are left out, and counted in a warning.

    Raises:
        InputError: a line is no such record, or its passage does not hold the answer where it says.
    """
    examples: list[SpanExample] = []
    empty: list[str] = []
    for path in paths:
        for number, record in read_jsonl(path):
            try:
                start, text, passage = record["answer_start"], record["answer_text"], record["passage"]
                found = passage[start : start + len(text)]
                question, title = str(record["question"]), str(record.get("title") or "")
                answers = record.get("answers") or [text]
                if not isinstance(answers, list):
                    raise TypeError("answers is not an array")
            except (KeyError, TypeError) as error:
                raise InputError(
                    f"{path}:{number}: expected an object with question, passage, answer_start and "
                    f"answer_text ({type(error).__name__}: {error})"
                ) from None
            if found != text:
                raise InputError(f"{path}:{number}: the passage holds {found!r} at {start}, not {text!r}; fix the line")
            if not text.strip():
                empty.append(f"{path}:{number}")
            else:
                examples.append(SpanExample(question, title, passage, tuple(answers), start, start + len(text)))
    if empty:
        logger.warning("left out %d examples whose answer is empty, first %s", len(empty), empty[0])
    if not examples:
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
    found = []
    for example in examples:
        near = index.search(example.question, CANDIDATES).numbers[0]
        answers = [f" {normalize_answer(answer)} " for answer in example.answers]
        drawn: list[int] = []
        for place in [*generator.permutation(near[near >= 0]).tolist(), *generator.choice(unique, 4 * count).tolist()]:
            if len(drawn) < count and place not in drawn and not any(a in normal[place] for a in answers):
                drawn.append(place)
        found.append(drawn if len(drawn) == count else (drawn + drawn * count)[:count])
    return found
