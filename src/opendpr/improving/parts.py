"""Judged questions in two parts: to learn from, and to judge by what was learned."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import NamedTuple

from opendpr.errors import InputError
from opendpr.improving.settings import LEAST_PART
from opendpr.types import Question
from opendpr.wording import counted


class Parts(NamedTuple):
    """Questions by what they are for."""

    learned: list[Question]
    """To learn from."""
    apart: list[Question]
    """Kept apart, to judge by."""

    def refuse_few(self) -> None:
        """Raises InputError if a part has too few questions with an answer."""
        counts = [sum(bool(question.answers) for question in part) for part in self]
        documents = {id for part in self for question in part for id in question.document_ids}
        if min(counts) < LEAST_PART:
            raise InputError(
                f"the judged questions are about {counted(len(documents), 'document')}, by which they are divided: "
                f"{counted(counts[0], 'question')} with an answer to learn from and {counts[1]:,} to judge by, each "
                f"part needs {LEAST_PART}; judge questions about more documents"
            )


def divide(questions: Sequence[Question]) -> Parts:
    """Divide questions by the hashes of their documents, so that a document stays on its side as more are judged.

    A question is learned from only if all its documents are on that side: one about the same document as a question
    that is kept apart would be half known. Without a document it is divided by its own text.

    >>> parts = divide([Question("1", "Who?", document_ids=("a", "e")), Question("2", "When?", document_ids=("a",))])
    >>> [question.id for question in parts.learned], [question.id for question in parts.apart]
    (['2'], ['1'])
    """
    parts = Parts([], [])
    for question in questions:
        is_apart = any(map(_is_kept_apart, question.document_ids or (question.text,)))
        parts[is_apart].append(question)
    return parts


def _is_kept_apart(name: str) -> bool:
    return bool(hashlib.sha256(name.encode()).digest()[0] & 1)
