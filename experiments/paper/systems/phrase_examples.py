"""Questions of SQuAD whose answers are marked, over passages: what phrase vectors are trained on."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from pathlib import Path
from typing import NamedTuple

from experiments.common.data import Record
from experiments.paper.systems.phrase_training import MarkedPhrase, Words
from opendpr.model.spans import overlapping
from opendpr.storage.lines import read_jsonl
from opendpr.text.splitting import Splitter
from opendpr.types import Passage

NEIGHBOURS = 8
"""Paragraphs in a row of an article that are taken together: they are the hardest negatives of each other."""


class MarkedAnswer(NamedTuple):
    """A question, and where its answer is in a text."""

    question: str
    passage: int
    """The place of the passage that holds all of it."""
    start: int
    end: int
    """Characters of that passage's text, the end not included."""


def training_examples(path: Path, stride: int) -> tuple[list[Passage], list[MarkedAnswer]]:
    """Passages of some paragraphs, and the questions whose answer is whole in one of them.

    Args:
        stride: which paragraphs are taken: `NEIGHBOURS` in a row, then as many times as many left out as it is above 1
    """
    records = [record for _, record in read_jsonl(path) if record.get("answer_start") is not None]
    paragraphs = [list(group) for _, group in groupby(records, key=lambda record: record["passage"])]
    passages: list[Passage] = []
    answers: list[MarkedAnswer] = []
    for group in (group for place, group in enumerate(paragraphs) if place // NEIGHBOURS % stride == 0):
        text, title, before = group[0]["passage"], group[0].get("title", ""), len(passages)
        passages += [Passage(0, "", title, text[start:end], start) for start, end in Splitter().split(text)]
        marked = (marked_answer(record, passages[before:], before) for record in group)
        answers += [answer for answer in marked if answer]
    return passages, answers


def marked_answer(record: Record, passages: Sequence[Passage], before: int) -> MarkedAnswer | None:
    """The answer of a question in the first of its paragraph's passages that holds all of it, None if none does.

    Args:
        before: passages of other paragraphs
    """
    start, end = record["answer_start"], record["answer_start"] + len(record["answer_text"])
    for place, passage in enumerate(passages, start=before):
        if passage.start <= start and end <= passage.start + len(passage.text):
            return MarkedAnswer(record["question"], place, start - passage.start, end - passage.start)
    return None


def marked_phrases(answers: Sequence[MarkedAnswer], words: Sequence[Words]) -> list[MarkedPhrase]:
    """The answers as words of their passages; without those that overlap no word.

    Args:
        words: of each passage
    """
    spans = [(answer, overlapping(words[answer.passage].offsets, answer.start, answer.end)) for answer in answers]
    return [MarkedPhrase(answer.question, answer.passage, *span) for answer, span in spans if span]
