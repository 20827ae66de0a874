"""How results and messages look: results on stdout, everything else on stderr."""

from __future__ import annotations

import io
import json
import os
import re
import sys
from difflib import SequenceMatcher
from pathlib import Path
from typing import TYPE_CHECKING, Literal
from unicodedata import normalize

import typer

if TYPE_CHECKING:
    from opendpr.collection import Collection

PASSAGE_CHARACTERS = 300
"""How much of a passage is shown around an answer."""

JSON_LINE_ENDS = {ord(end): f"\\u{ord(end):04x}" for end in "\x85\u2028\u2029"}
"""What many programs take for the end of a line although JSON does not, and how JSON writes it otherwise."""


_CONTROL_CHARACTERS = re.compile("\x1b(?!\\[[0-9;]*m)|[\x00-\x08\x0b-\x1a\x1c-\x1f\x7f-\x9f\u202d\u202e]")
"""Control characters, by which a document could give orders to the terminal that shows it, and those that turn the
direction of writing; colours may pass, as what is put out has some."""
LISTED_ESCAPE = re.compile(r"\\(?:[nrt]|x[0-9a-f]{2}|u(?!d[89a-f])[0-9a-f]{4}|U000[0-9a-f]{5})")
"""What `on_one_line` writes for a character that cannot be seen."""
ID_FORMS: tuple[Literal["NFC", "NFD"], ...] = ("NFC", "NFD")
"""How names of files may come from another system, and look the same."""


def say(message: str) -> None:
    """A line for the person at the terminal, on stderr, without control characters."""
    sys.stderr.write(f"{harmless(message)}\n")
    sys.stderr.flush()


class MessageStream:
    """Stderr as it is when something is written, for the log: a bar of progress takes its place while it is shown."""

    def write(self, text: str) -> None:
        sys.stderr.write(harmless(text))

    def flush(self) -> None:
        sys.stderr.flush()


def put(text: str, end: str = "\n") -> None:
    """A line on stdout: to a file or a pipe exactly as it is, to a terminal without control characters."""
    sys.stdout.write((harmless(text) if sys.stdout.isatty() else text) + end)  # echo would drop escapes from a pipe
    sys.stdout.flush()


def harmless(text: str) -> str:
    """The text with control characters replaced, so that it cannot move the cursor or give a terminal orders."""
    return _CONTROL_CHARACTERS.sub("\ufffd", text)


def excerpt(text: str) -> str:
    """Text of a document on one line, for a terminal without any control character, colours of its own among them."""
    line = " ".join(text.split())
    return harmless(line.replace("\x1b", "\ufffd")) if sys.stdout.isatty() else line


def print_json(value: object) -> None:
    """One JSON object on one line of stdout, printed at once; `\\u` escapes for what its encoding has not."""
    line = json.dumps(value, ensure_ascii=False).translate(JSON_LINE_ENDS)
    try:
        line.encode(sys.stdout.encoding or "utf-8")
    except UnicodeEncodeError:
        line = json.dumps(value)
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def escape_unknown_characters() -> None:
    """Let stdout and stderr write a backslash escape for a character that their encoding has not."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def on_one_line(name: str) -> str:
    """An id or a title, whose line ends and tabs are written as escapes."""
    return "".join(character if character.isprintable() else _escaped(character) for character in name)


def as_listed(collection: Collection, id: str) -> str:
    """The id that is meant by one, which may be written as `on_one_line` shows it, or in another form of Unicode."""
    unescaped = LISTED_ESCAPE.sub(lambda escape: escape[0].encode().decode("unicode_escape"), id)
    forms = [id, unescaped, *(normalize(form, unescaped) for form in ID_FORMS)]
    return next((form for form in forms if collection.has_document(form)), unescaped)


def _escaped(character: str) -> str:
    return character if character == " " else character.encode("unicode_escape").decode()


def styled(text: str, **style: bool) -> str:
    """Text in a style, if stdout is a terminal and NO_COLOR is not set."""
    if os.environ.get("NO_COLOR") or not sys.stdout.isatty():
        return text
    return typer.style(text, **style)


def marked(text: str, start: int, end: int) -> str:
    """The words [start, end) of a text marked, with as much of the text around them as fits."""
    room = max(0, PASSAGE_CHARACTERS - (end - start)) // 2
    first, last = max(0, start - room), min(len(text), end + room)
    while first > 0 and not text[first - 1].isspace() and first > start - room - 30:
        first -= 1
    while last < len(text) and not text[last].isspace() and last < end + room + 30:
        last += 1
    answer = excerpt(text[start:end])
    strong = styled(answer, bold=True, underline=True)
    if strong == answer:
        strong = f"**{answer}**"
    before, after = spaced_excerpt(text[first:start]), spaced_excerpt(text[end:last])
    shown = ("… " if first else "") + before + strong + after + (" …" if last < len(text) else "")
    return " ".join(shown.split())


def spaced_excerpt(text: str) -> str:
    """An excerpt that has a space at the ends that have white space."""
    return " " * text[:1].isspace() + excerpt(text) + " " * text[-1:].isspace()


def report_unmet_filter(collection: Collection, where: str | None) -> None:
    """Say so if nothing was found because no document meets the filter, or uses a name that none has."""
    from opendpr.collection.selection import matching_documents, metadata_keys
    from opendpr.collection.where import compile_where, filter_names

    if not where or matching_documents(collection, compile_where(where)):
        return
    known_names = ["id", "title", *metadata_keys(collection)]
    if unknown := [name for name in filter_names(where) if name not in known_names]:
        nearest = sorted(known_names, key=lambda name: -SequenceMatcher(None, unknown[0], name).ratio())
        say(f"no document has {unknown[0]!r} in its metadata; the names, nearest first, are {', '.join(nearest)}")
    else:
        say(f"no document meets {where!r}; names to ask for are {', '.join(known_names)}{_examples(collection, where)}")


def _examples(collection: Collection, where: str) -> str:
    """What ids and paths look like, where a filter names them: ids are relative, paths are absolute."""
    from opendpr.collection.where import filter_names

    summary = next(iter(collection.summaries()), None)
    if summary is None or not {"id", "path"} & {*filter_names(where)}:
        return ""
    path = collection.document(summary.id).metadata.get("path")
    return f"; for instance id = {summary.id!r}" + (f", path = {path!r}" if path else "")


def next_step(collection: Path, model: str | None) -> str:
    """What gives passages their vectors, in words; `model` is the collection's."""
    command = f"opendpr encode {collection} --model {model}" if model else f"opendpr encode {collection}"
    return f"bm25 alone finds them until '{command}', or any 'opendpr add' without --no-vectors"
