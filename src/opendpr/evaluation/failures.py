"""Why an answer is wrong: the first step at which it was lost."""

from __future__ import annotations

from collections.abc import Sequence

from opendpr.text.answers import loosely_equal
from opendpr.types import Question

NOT_IN_COLLECTION = "not in the collection"
"""No passage of the collection holds an answer."""
NOT_RETRIEVED = "not retrieved"
"""None of the passages read holds an answer."""
OTHER_PASSAGE = "another passage chosen"
"""A passage read holds an answer, but the one chosen does not."""
WRONG_SPAN = "wrong words of a right passage"
"""The passage chosen holds an answer, and other words of it were marked."""
OTHER_WRITING = "differs in writing alone"
"""The letters and digits are those of an answer: accents, spaces or punctuation differ."""

FAILURE_KINDS = (NOT_IN_COLLECTION, NOT_RETRIEVED, OTHER_PASSAGE, WRONG_SPAN, OTHER_WRITING)
"""All kinds, in the order of the steps."""


def failure(question: Question, prediction: str, *, chosen: int | None, answer_ranks: Sequence[int], read: int) -> str:
    """Why a wrong answer is wrong. `NOT_RETRIEVED` may become `NOT_IN_COLLECTION` once the whole collection is scanned.

    Args:
        chosen: rank, from 1, of the passage that the prediction is from; None without a prediction
        answer_ranks: ranks, rising, of all retrieved passages that hold an answer
        read: how many of the passages retrieved were read
    """
    if question.match == "string" and loosely_equal(prediction, question.answers):
        return OTHER_WRITING
    if chosen in answer_ranks:
        return WRONG_SPAN
    if answer_ranks and answer_ranks[0] <= read:
        return OTHER_PASSAGE
    return NOT_RETRIEVED
