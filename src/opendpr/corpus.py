"""Documents out of files, directories and standard input.

A kind of file is one function, named by suffix in `READERS`. What cannot become a document is never lost in
silence: it is skipped with a place and a reason.
"""

from __future__ import annotations

import codecs
import io
import itertools
import json
import os
import re
import stat
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, Any, Literal, TypeAlias

from opendpr.errors import InputError
from opendpr.formats import READ_ERRORS, json_kind, open_binary, reason, scan_jsonl, uncompressed_name
from opendpr.types import EMPTY, Document

STANDARD_INPUT: Literal["-"] = "-"
ID_CHARACTERS = 1_000
"""Longest id of a document."""
TITLE_CHARACTERS = 2_000
"""How far into a Markdown file its title is looked for."""
HEAD_BYTES = 8_192
"""How far into a file a NUL byte is looked for, the mark of a binary file."""
DIRECTORY_LINK = "directory link"
"""What `Corpus.ignored` calls a symbolic link to a directory, which is not followed."""

BYTE_ORDER_MARKS = (  # UTF-32 first: its little-endian mark begins with that of UTF-16
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
    (codecs.BOM_UTF8, "utf-8"),
)


@dataclass(frozen=True)
class Skipped:
    """Something that did not become a document. `place` is a path, or `path:line`."""

    place: str
    reason: str


@dataclass(frozen=True, slots=True)
class Source:
    """What a reader is told of the file it reads: names for a document that brings none of its own."""

    place: str
    id: str
    title: str
    metadata: Mapping[str, object]


Reading: TypeAlias = tuple[str, Document | str]
"""A place, and the document found there or the reason why there is none."""

Reader: TypeAlias = Callable[[IO[bytes], Source], Iterator[Reading]]
"""Reads the documents of one open file. Errors of reading are raised, what is wrong with a document is yielded."""


class Corpus:
    """The documents of `paths`, in order: files, directories with all below them, `"-"` for standard input.

    Iterate to read. `skipped` and `ignored` fill up meanwhile and start afresh with every iteration.

    Attributes:
        skipped: what should have become a document and did not.
        ignored: how many files in directories are of no known kind, by suffix (`.csv.gz`, empty without one).
            Symbolic links to directories are counted as `DIRECTORY_LINK`. Hidden files are not counted.
    """

    def __init__(self, paths: Sequence[Path | Literal["-"]]) -> None:
        """Remember `paths`; nothing is read before the iteration.

        Raises:
            InputError: some of the paths do not exist; the message names them all.
        """
        missing = []
        for path in paths:
            try:
                if isinstance(path, Path):
                    path.stat()
            except (OSError, ValueError) as error:
                missing.append(f"{printable(path)} ({reason(error)})")
        if missing:
            raise InputError(f"nothing was read, because of paths that cannot be found: {', '.join(missing)}")
        self.paths = tuple(paths)
        self.skipped: list[Skipped] = []
        self.ignored: Counter[str] = Counter()

    def __iter__(self) -> Iterator[Document]:
        """Yield each document that can be stored, an id only once."""
        self.skipped.clear()
        self.ignored.clear()
        places: dict[str, str] = {}
        for path in self.paths:
            for place, found in self._readings(path):
                problem = found if isinstance(found, str) else objection(found, places)
                if problem is not None:
                    self.skipped.append(Skipped(place, problem))
                elif isinstance(found, Document):
                    places[found.id] = place
                    yield found

    def _readings(self, path: Path | Literal["-"]) -> Iterator[Reading]:
        """What is found at a path that was given."""
        if not isinstance(path, Path):
            return read_standard_input(sys.stdin.buffer)
        if path.is_dir():
            return self._directory(path)
        return self._file(path, path.name, READERS.get(suffixes(path)[0], read_text))

    def _directory(self, directory: Path) -> Iterator[Reading]:
        """What is found below a directory, sorted by the names relative to it."""
        pending = [""]  # relative POSIX paths, the next one last; those of directories end in a slash
        while pending:
            name = pending.pop()
            path = directory / name
            if name == "" or name.endswith("/"):
                try:
                    pending.extend(sorted(children(path, name), reverse=True))
                except OSError as error:
                    yield printable(path), f"cannot be listed: {reason(error)}"
            elif os.path.islink(path) and os.path.isdir(path):
                self.ignored[DIRECTORY_LINK] += 1
            else:
                yield from self._file(path, name, READERS.get(suffixes(path)[0]))

    def _file(self, path: Path, id: str, reader: Reader | None) -> Iterator[Reading]:
        """What is found in a file; without a reader it is only counted."""
        source = Source(printable(path), id, uncompressed_name(path).stem, {"path": str(path)})
        try:
            if not stat.S_ISREG(path.stat().st_mode):
                yield source.place, "not a file but a named pipe, socket or device; pipe it to standard input, '-'"
            elif reader is None:
                self.ignored["".join(suffixes(path))] += 1
            else:
                with open_binary(path) as file:
                    yield from reader(file, source)
        except READ_ERRORS as error:
            yield source.place, f"cannot be read: {reason(error)}"


def children(directory: Path, prefix: str) -> list[str]:
    """The names in a directory that are not hidden, after `prefix`; those of directories end in a slash."""
    with os.scandir(directory) as entries:
        return [
            f"{prefix}{entry.name}/" if entry.is_dir(follow_symlinks=False) else prefix + entry.name
            for entry in entries
            if not entry.name.startswith(".")
        ]


def suffixes(path: Path) -> tuple[str, str]:
    """Lower-case suffixes of the kind and of the compression: `a.b.TXT.gz` -> `.txt`, `.gz`."""
    bare = uncompressed_name(path)
    return bare.suffix.lower(), path.name[len(bare.name) :].lower()


def printable(path: Path | str) -> str:
    """The path, with bytes that are not UTF-8 written as escapes."""
    return str(path).encode("utf-8", "backslashreplace").decode("utf-8")


def objection(document: Document, places: Mapping[str, str]) -> str | None:
    """Why a document cannot be stored, if so. `places` says where each id was found before."""
    if len(document.id) > ID_CHARACTERS:
        return f"the id has {len(document.id):,} characters; at most {ID_CHARACTERS:,} are allowed"
    if not document.text or document.text.isspace():
        return "no text"
    for name, value in (("id", document.id), ("title", document.title), ("text", document.text)):
        try:
            value.encode("utf-8")
        except UnicodeEncodeError as error:
            return f"the {name} is not valid Unicode: half a surrogate pair at character {error.start}"
    try:
        json.dumps(dict(document.metadata), ensure_ascii=False, allow_nan=False).encode("utf-8")
    except UnicodeEncodeError:
        return "the metadata is not valid Unicode: it has half a surrogate pair"
    except RecursionError:
        return "the metadata is nested too deeply"
    except ValueError:
        return "the metadata has a number that JSON does not know: NaN or Infinity; null says that there is none"
    if document.id in places:
        return f'id "{document.id}" was already given by {places[document.id]}'
    return None


def read_standard_input(file: IO[bytes]) -> Iterator[Reading]:
    """Read JSON lines if the first character that is not space is `{`, else one document of plain text."""
    start: list[bytes] = []
    try:
        for line in file:
            start.append(line)
            if line.removeprefix(codecs.BOM_UTF8).strip():
                break
        if start and start[-1].removeprefix(codecs.BOM_UTF8).lstrip().startswith(b"{"):
            yield from json_documents(itertools.chain(start, file), "stdin")
        else:
            yield from read_text(io.BytesIO(b"".join((*start, file.read()))), Source("stdin", "stdin", "stdin", EMPTY))
    except READ_ERRORS as error:
        yield "stdin", f"cannot be read: {reason(error)}"


def read_text(file: IO[bytes], source: Source) -> Iterator[Reading]:
    """The whole file is one document, to the character: only a byte order mark is left out."""
    data = file.read(HEAD_BYTES)
    mark, encoding = byte_order_mark(data)
    if is_binary(data):
        yield source.place, "binary file"
        return
    data += file.read()
    try:
        text = data[len(mark) :].decode(encoding)
    except UnicodeDecodeError as error:
        place = f"{error.reason} at byte {len(mark) + error.start:,}"
        yield source.place, f"not valid {encoding.upper()} ({place}); convert the file to UTF-8"
        return
    yield source.place, Document(source.id, source.title, text, source.metadata)


def read_markdown(file: IO[bytes], source: Source) -> Iterator[Reading]:
    """The same, with the first heading as title."""
    for place, found in read_text(file, source):
        yield place, replace(found, title=heading(found.text) or found.title) if isinstance(found, Document) else found


def read_json_lines(file: IO[bytes], source: Source) -> Iterator[Reading]:
    """Each line is one document, with an id of its own."""
    head = file.read(HEAD_BYTES)
    _mark, encoding = byte_order_mark(head)
    if is_binary(head):
        yield source.place, "binary file"
    elif encoding != "utf-8":
        yield source.place, f"expected JSON lines in UTF-8, found {encoding.upper()}; convert the file to UTF-8"
    else:
        file.seek(0)
        yield from json_documents(file, source.place)


READERS: Mapping[str, Reader] = {
    ".txt": read_text,
    ".text": read_text,
    ".rst": read_text,
    ".md": read_markdown,
    ".markdown": read_markdown,
    ".jsonl": read_json_lines,
    ".ndjson": read_json_lines,
}
"""The known kinds of file by suffix; each may be compressed too (`formats.COMPRESSED`)."""


def byte_order_mark(data: bytes) -> tuple[bytes, str]:
    """The mark `data` begins with, possibly none, and the encoding it stands for."""
    return next(((mark, encoding) for mark, encoding in BYTE_ORDER_MARKS if data.startswith(mark)), (b"", "utf-8"))


def is_binary(head: bytes) -> bool:
    """True if a file that begins so is not text."""
    return b"\0" in head and byte_order_mark(head)[1] == "utf-8"


def json_documents(lines: Iterable[bytes], name: str) -> Iterator[Reading]:
    """Yield the document of each line that is not empty, or what is wrong with the line."""
    for number, record in scan_jsonl(lines):
        yield f"{name}:{number}", record if isinstance(record, str) else json_document(record)


def json_document(record: dict[str, Any]) -> Document | str:
    """Make a document of `id`, `text` and perhaps `title`; what else the object has becomes metadata."""
    for key, expected, kinds in (
        ("id", "a string or an integer", (str, int)),
        ("text", "a string", (str,)),
        ("title", "a string or null", (str, type(None))),
    ):
        if key not in record and key != "title":
            return f'expected "{key}", {expected}; found only {json.dumps(list(record))[:100]}'
        value = record.get(key)
        if not isinstance(value, kinds) or isinstance(value, bool):
            found = f"the number {value}" if isinstance(value, float) else json_kind(value)
            return f'expected "{key}" to be {expected}, found {found}'
    if record["id"] == "":
        return 'expected "id" to say something, found an empty string'
    metadata = {key: value for key, value in record.items() if key not in ("id", "title", "text")}
    return Document(str(record["id"]), record.get("title") or "", record["text"], metadata or EMPTY)


FENCE = re.compile(r" {0,3}(`{3,}|~{3,})")
ATX = re.compile(r" {0,3}#{1,6}(?:[ \t]+(.*))?$")
UNDERLINE = re.compile(r" {0,3}(?:=+|-+)[ \t]*$")
BLOCK = re.compile(r" {0,3}(?:>|[-+*][ \t]|\d{1,9}[.)][ \t]|(?:[*_-][ \t]*){3,}$)")
"""Begins a quotation or a list, or is a rule: what an underline below does not turn into a heading."""


def heading(markdown: str) -> str:
    """The first heading near the beginning of a Markdown text, else an empty string.

    Lines of code, and front matter between two lines of `---`, are no headings.
    """
    start = markdown[:TITLE_CHARACTERS]
    lines = re.split(r"\r\n|\r|\n", start)
    if markdown[TITLE_CHARACTERS : TITLE_CHARACTERS + 1] not in ("", "\r", "\n"):
        del lines[-1]  # cut short
    fence = ""
    paragraph: list[str] | None = []  # None inside a list or a quotation, until an empty line
    for line in lines[front_matter(lines) :]:
        if fence:
            fence = "" if line.strip().startswith(fence) and not line.strip(f" \t{fence[0]}") else fence
        elif opening := FENCE.match(line):
            fence, paragraph = opening[1], []
        elif (atx := ATX.match(line)) and (title := without_closing(atx[1] or "")):
            return title
        elif UNDERLINE.match(line) and paragraph:
            return " ".join(paragraph)
        elif not line.strip() or atx or UNDERLINE.match(line):
            paragraph = []
        elif BLOCK.match(line):
            paragraph = None
        elif paragraph or (paragraph is not None and not line.startswith(("    ", "\t"))):
            paragraph.append(line.strip())
    return ""


def front_matter(lines: Sequence[str]) -> int:
    """How many lines the front matter takes."""
    if lines[:1] != ["---"]:
        return 0
    return next((n for n, line in enumerate(lines[1:], start=2) if line.rstrip() in ("---", "...")), 0)


def without_closing(title: str) -> str:
    """The words of an ATX heading without the number signs that may close it."""
    title = title.strip()
    words = title.rstrip("#")
    return words.strip() if words == "" or words[-1] in " \t" else title
