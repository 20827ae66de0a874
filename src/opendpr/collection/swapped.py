"""A collection where questions are expected, and the other way round: recognised before anything is indexed or read."""

from __future__ import annotations

import os
from pathlib import Path

from opendpr.collection.opening import holds_documents
from opendpr.errors import InputError, UsageError
from opendpr.interop.forms import QUESTION_FORMS
from opendpr.interop.start import look


def refuse_swapped(collection: object, questions: object, usage: str) -> None:
    """Refuse a call whose first two arguments were given the other way round.

    Args:
        collection: what was given as the collection; something else than a path is passed over
        questions: what was given as questions, alone or in a list; something else than paths is passed over
        usage: a right call, with `{collection}` and `{questions}`

    Raises:
        UsageError: what was given as questions is a folder or a collection, or only the collection is questions.
    """
    several = questions if isinstance(questions, list | tuple) else [questions]
    files = [Path(file) for file in several if isinstance(file, str | os.PathLike)]
    first = Path(collection) if isinstance(collection, str | os.PathLike) else None
    if first is None or not files:
        return
    for path in files:
        if path.is_dir():
            noun = "a folder" if holds_documents(path) else "a collection"
            if first.is_dir():
                call = usage.format(collection=first, questions="QUESTIONS")
                raise UsageError(f"{path} is {noun}, expected a file of questions: {call}")
            call = usage.format(collection=path, questions=first)
            raise UsageError(f"{path} is {noun} and {first} is none; the collection comes first: {call}")
    if _holds_questions(first) and files[0].is_file() and not _holds_questions(files[0]):
        call = usage.format(collection=files[0], questions=first)
        raise UsageError(f"{first} holds questions and {files[0]} holds none; the collection comes first: {call}")


def holds_collection(path: Path) -> bool:
    """Whether a path is a directory where a collection is, or was begun; not a folder or a file of documents."""
    return path.exists() and not holds_documents(path)


def _holds_questions(path: Path) -> bool:
    """Whether a file begins as one of questions."""
    try:
        start = look(path) if path.is_file() else None
    except InputError:  # neither text nor compressed as its name says
        return False
    return start is not None and any(form.recognises(start) for form in QUESTION_FORMS)
