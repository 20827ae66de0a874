"""Questions that a person types, or that come through a pipe."""

from __future__ import annotations

import errno
import io
import shlex
import sys
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from opendpr.errors import StateError, UsageError

LEAVING_WORDS = frozenset(("quit", "exit", "q"))
"""What ends a prompt, as an empty line does."""
QUESTION_SUFFIXES = frozenset((".txt", ".csv", ".tsv", ".json", ".jsonl"))
"""How files of questions end; a file of another kind may well be what a question is about."""
WIDE_BYTES = 4
"""Bytes of a character of UTF-32."""


def joined_question(place: Path, words: Sequence[str], verb: str) -> str:
    """The question that was given as words, with or without quotes.

    Args:
        place: the collection, folder or file that was given before it
        verb: of the command, `ask` or `search`

    Raises:
        StateError: the place is not there.
        UsageError: the words are several questions, a second place to ask, a file of questions, or what was meant as
            the place.
    """
    _refuse_question_first(place, words, verb)
    refuse_missing(place)
    first = Path(words[0])
    if len(words) > 1 and first.suffix and is_there(first):
        raise UsageError(
            f"'{first}' is a file, and one place can be asked: a folder that holds the files, or what "
            "'opendpr add NAME FILE...' makes of them; a question that begins so goes in quotes"
        )
    if len(words) > 1 and all(" " in text.strip() or text.endswith("?") for text in words):
        raise UsageError(
            f"got {len(words)} questions, {', '.join(map(repr, words))}, and one can be asked at a time; "
            f"{_many_questions(verb, place, 'FILE')}; what is to be one question goes in quotes as a whole"
        )
    if len(words) == 1 and first.suffix.lower() in QUESTION_SUFFIXES and is_there(first) and first.is_file():
        raise UsageError(
            f"'{first}' is a file; {_many_questions(verb, place, str(first))}, and questions with known answers are "
            f"measured by 'opendpr evaluate {place} {first}'; a question of this name is '{first}?'"
        )
    return " ".join(words)


def _many_questions(verb: str, place: Path, file: str) -> str:
    """What to do with the lines of a file: `ask` takes them, and `search` is given again for each."""
    answered = f"'opendpr ask {place} - < {file}' answers many, one a line"
    return answered if verb == "ask" else f"give 'opendpr {verb} {place} QUESTION' again for each; {answered}"


def refuse_missing(path: Path) -> None:
    """Raises StateError if there is neither a collection nor a folder."""
    if not is_there(path):
        raise StateError(
            f"'{path!s:.200}' does not exist; first give a collection or a folder of documents, then the question"
        )


def _refuse_question_first(place: Path, words: Sequence[str], verb: str) -> None:
    """Raises UsageError if the question was given before the place: the last word is one, and the first is not."""
    from opendpr.collection.swapped import holds_collection

    last = Path(words[-1])
    if not words[-1].strip() or not is_there(last):
        return
    if not is_there(place):
        command = shlex.join(["opendpr", verb, str(last), str(place), *words[:-1]])
        raise UsageError(f"'{place!s:.200}' does not exist; the place to ask comes first, then the question: {command}")
    if place.is_file() and len(words) == 1 and holds_collection(last):
        command = shlex.join(["opendpr", verb, str(last), "QUESTION"])
        raise UsageError(
            f"'{place}' is a file and '{last}' a collection; the place to ask comes first, then the question: {command}"
        )


def is_there(path: Path) -> bool:
    """Whether a path exists; a question that is too long for one does not."""
    try:
        return path.exists()
    except OSError as error:
        if error.errno != errno.ENAMETOOLONG:
            raise
        return False


def typed_questions() -> Iterator[str]:
    """The lines of standard input that say something, without marks around them that nobody sees.

    A file from Windows may begin with a byte order mark, be in UTF-16 or end with control characters.
    """
    from opendpr.storage.lines import LINE_EDGES

    _read_as_written()
    for line in sys.stdin:
        if question := line.strip(LINE_EDGES):
            yield question


def _read_as_written() -> None:
    """Have standard input read in UTF-16 or UTF-32 where its first bytes show it, with line ends of any kind."""
    from opendpr.corpus.unicode_forms import WIDE_ENCODINGS, unicode_form

    if not isinstance(sys.stdin, io.TextIOWrapper) or not isinstance(sys.stdin.buffer, io.BufferedReader):
        return
    head = sys.stdin.buffer.peek(WIDE_BYTES)
    encoding = unicode_form(head[: len(head) // WIDE_BYTES * WIDE_BYTES])[1]
    if encoding in WIDE_ENCODINGS:
        sys.stdin.reconfigure(encoding=encoding, errors="replace", newline=None)
    else:
        sys.stdin.reconfigure(newline=None)


def prompted_questions() -> Iterator[str]:
    """The lines typed at a prompt, until one is empty or says that it is the last."""
    with suppress(ModuleNotFoundError):
        import readline  # noqa: F401  # makes input() editable
    while (question := _line("? ")) and question.lower() not in LEAVING_WORDS:
        yield question


def _line(prompt: str) -> str:
    """The next typed line; empty at the end of the input."""
    try:
        return input(prompt).strip()
    except EOFError:
        return ""
