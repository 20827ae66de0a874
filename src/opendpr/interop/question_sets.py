"""Questions as Python callers give them: files of any known form, or the questions themselves."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from opendpr.interop.reading import read_questions
from opendpr.types import Question

Questions = str | Path | Sequence[str | Path] | Sequence[Question]
"""One or several question files of any known form, or the questions themselves."""


class QuestionSet(NamedTuple):
    """The questions of one file, or those that were given as objects."""

    path: Path | None
    questions: list[Question]


def question_sets(questions: Questions) -> list[QuestionSet]:
    """The questions of each file in the order of the files, or one set of those that were given as objects.

    Raises:
        InputError: a file cannot be read.
    """
    items = [questions] if isinstance(questions, str | Path) else list(questions)
    objects = [item for item in items if isinstance(item, Question)]
    paths = [Path(item) for item in items if not isinstance(item, Question)]
    sets = [QuestionSet(path, list(read_questions(path))) for path in paths]
    return [*sets, QuestionSet(None, objects)] if objects or not sets else sets
