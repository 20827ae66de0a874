"""Questions as Python callers give them: files of any known form, or the questions themselves."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

from opendpr.errors import InputError, UsageError
from opendpr.interop.reading import read_questions
from opendpr.types import Question

File: TypeAlias = str | os.PathLike[str]
Questions: TypeAlias = File | Question | Mapping[str, Any] | Iterable[File | Question | Mapping[str, Any]]
"""Question files of any known form, or questions: `opendpr.Question`, or dicts with `question` and `answers`."""


class QuestionSet(NamedTuple):
    """The questions of one file, or those that were given as objects."""

    path: Path | None
    questions: list[Question]


def question_sets(questions: Questions) -> list[QuestionSet]:
    """The questions of each file in the order of the files, or one set of those that were given as objects.

    Raises:
        InputError: a file cannot be read, or a dict has no question.
        TypeError: something is neither a file nor a question.
        UsageError: some are files and some are not.
    """
    paths, objects = files_or_objects(questions)
    if objects or not paths:
        return [QuestionSet(None, objects)]
    return [QuestionSet(path, list(read_questions(path))) for path in paths]


def files_or_objects(questions: Questions) -> tuple[list[Path], list[Question]]:
    """The files that were given, or the questions; raises as `question_sets`, which reads the files."""
    alone = isinstance(questions, str | os.PathLike | Question | Mapping)
    several: list[object] = [questions] if alone else list(questions)  # type: ignore[arg-type]
    paths = [Path(item) for item in several if isinstance(item, str | os.PathLike)]
    if paths and len(paths) < len(several):
        raise UsageError(
            "questions are either all files or all objects, got both; read the files with interop.read_questions"
        )
    return paths, [] if paths else [_question(item, number) for number, item in enumerate(several, start=1)]


def _question(item: object, number: int) -> Question:
    if isinstance(item, Question):
        return item
    if not isinstance(item, Mapping):
        raise TypeError(
            "expected question files, opendpr.Question or dicts with 'question' and 'answers', "
            f"got {type(item).__name__}: {item!r}"
        )
    if not isinstance(item.get("question"), str):
        raise InputError(f"question {number}: expected a dict with 'question', found the keys {list(item)}")
    answers, documents = (_several(item.get(name, ())) for name in ("answers", "document_ids"))
    return Question(str(item.get("id", number)), item["question"], answers, item.get("match", "string"), documents)


def _several(value: str | Sequence[str]) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else tuple(value)
