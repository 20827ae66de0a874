"""A passage in the form that it has in its document: paragraphs, headings, lists, tables and code."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import PurePosixPath

from opendpr.serving.page.runs import Range, StyledRun, runs

MARKDOWN_SUFFIXES = frozenset((".md", ".markdown", ".mdx", ".rmd", ".qmd"))
DEEPEST_ITEM = 3
"""List items below this level are set like those of it."""

FENCE = re.compile(r" {0,3}(?:`{3,}|~{3,})\s*(\S*)")
HEADING = re.compile(r" {0,3}#{1,6}[ \t]+(?=\S)")
ITEM = re.compile(r"(\s*)([-*+•]|\d{1,3}[.)])[ \t]+(?=\S)")
RULE = re.compile(r" {0,3}(?:=+|-{3,}|\*{3,}|_{3,})[ \t]*$")
TABLE_RULE = re.compile(r"[\s:|]*-[\s:|-]*$")
BAR = re.compile(r"(?<!\\)\|")
INDENTED = re.compile(r"(?: {4}|\t)")
TABBED = re.compile(r"[^\t]+")


@dataclass
class Row:
    """A paragraph, a line of code, a list item or a row of a table."""

    cells: list[list[StyledRun]]
    marker: str = ""
    """What a list item begins with."""
    depth: int = 0


@dataclass
class Block:
    """Rows of the same kind: `prose`, `plain` (its line breaks are kept), `heading`, `list`, `table` or `code`."""

    kind: str
    rows: list[Row] = field(default_factory=list)
    has_header: bool = False


def blocks(text: str, document_id: str, marked: Range = (0, 0)) -> list[Block]:
    """The blocks of a passage's text.

    Args:
        document_id: its suffix says whether the text is Markdown
        marked: offsets in `text` of what is marked as the answer
    """
    suffix = PurePosixPath(document_id).suffix.lower()
    reader = _Markdown(text, marked) if suffix in MARKDOWN_SUFFIXES else _Plain(text, marked)
    return [block for block in reader.blocks() if any(run.text.strip() for row in block.rows for run in _runs(row))]


def _runs(row: Row) -> Iterator[StyledRun]:
    return (run for cell in row.cells for run in cell)


def _lines(text: str) -> Iterator[tuple[str, int]]:
    """Each line without its end, and where it begins."""
    start = 0
    for line in text.split("\n"):
        yield line.rstrip("\r"), start
        start += len(line) + 1


class _Plain:
    """Text whose line breaks are part of its form; table cells are separated by tabs."""

    def __init__(self, text: str, marked: Range) -> None:
        self._text, self._marked = text, marked

    def blocks(self) -> Iterator[Block]:
        """Paragraphs, each of which is text, code or a table by all of its lines."""
        paragraph: list[tuple[str, int]] = []
        for line, start in [*_lines(self._text), ("", len(self._text))]:
            if line.strip():
                paragraph.append((line, start))
            elif paragraph:
                yield self._block(paragraph)
                paragraph = []

    def _block(self, paragraph: list[tuple[str, int]]) -> Block:
        cells = [[match.span() for match in TABBED.finditer(line)] for line, _ in paragraph]
        if len(paragraph) > 1 and len(cells[0]) > 1 and len({len(row) for row in cells}) == 1:
            rows = [self._row(start, spans) for (_, start), spans in zip(paragraph, cells, strict=True)]
            return Block("table", rows)
        (_, first), (last_line, last) = paragraph[0], paragraph[-1]
        kind = "code" if len(paragraph) > 1 and all(INDENTED.match(line) for line, _ in paragraph) else "plain"
        return Block(kind, [self._row(first, [(0, last + len(last_line) - first)])])

    def _row(self, start: int, spans: list[Range]) -> Row:
        return Row([runs(self._text, (start + first, start + last), self._marked) for first, last in spans])


class _Markdown:
    """Markdown, of which a passage may begin or end anywhere."""

    def __init__(self, text: str, marked: Range) -> None:
        self._text, self._marked = text, marked
        infos = [match[1] for line, _ in _lines(text) if (match := FENCE.match(line))]
        ends_code = bool(infos) and not infos[0] and (len(infos) % 2 == 1 or bool(infos[1]))
        self._in_code = ends_code  # which began before the passage
        self._shown: list[Block] = []
        self._is_open = False
        """Whether the next line may go on with the last block."""

    def blocks(self) -> list[Block]:
        """The blocks, line by line."""
        for line, start in _lines(self._text):
            if FENCE.match(line):
                self._in_code, self._is_open = not self._in_code, False
            elif self._in_code:
                self._add("code", self._row(start, (0, len(line)), is_markdown=False), is_joined=True)
            elif not line.strip():
                self._is_open = False
            else:
                self._line(line, start)
        return self._shown

    def _line(self, line: str, start: int) -> None:
        last = self._shown[-1] if self._shown and self._is_open else None
        if heading := HEADING.match(line):
            end = len(line.rstrip(" \t#"))
            self._add("heading", self._row(start, (heading.end(), max(heading.end(), end))), is_joined=False)
            self._is_open = False
        elif line.lstrip().startswith("|"):
            self._table_line(line, start, last)
        elif RULE.match(line):
            if last and last.kind == "prose":
                last.kind = "heading"
            self._is_open = False
        elif item := ITEM.match(line):
            row = self._row(start, (item.end(), len(line)))
            row.depth = min(DEEPEST_ITEM, len(item[1].expandtabs(4)) // 2)
            row.marker = item[2] if item[2][0].isdigit() else "•"
            self._add("list", row, is_joined=True)
        elif INDENTED.match(line) and (last is None or last.kind == "code"):
            indent = 4 if line.startswith(" ") else 1
            self._add("code", self._row(start, (indent, len(line)), is_markdown=False), is_joined=True)
        elif last and last.kind in ("prose", "list"):
            last.rows[-1].cells[0] += [StyledRun("\n"), *self._row(start, (0, len(line))).cells[0]]
        else:
            self._add("prose", self._row(start, (0, len(line))), is_joined=False)

    def _table_line(self, line: str, start: int, last: Block | None) -> None:
        if TABLE_RULE.match(line):
            if last and last.kind == "table" and len(last.rows) == 1:
                last.has_header = True
            return
        bars = [match.start() for match in BAR.finditer(line)]
        if line[bars[-1] + 1 :].strip():
            bars.append(len(line))
        spans = [(first + 1, end) for first, end in pairwise(bars)]
        cells = [runs(self._text, (start + first, start + end), self._marked, is_markdown=True) for first, end in spans]
        self._add("table", Row(cells), is_joined=True)

    def _row(self, start: int, span: Range, *, is_markdown: bool = True) -> Row:
        part = (start + span[0], start + span[1])
        return Row([runs(self._text, part, self._marked, is_markdown=is_markdown)])

    def _add(self, kind: str, row: Row, *, is_joined: bool) -> None:
        """Add a row, to the last block if it is of the same kind and open."""
        if is_joined and self._is_open and self._shown and self._shown[-1].kind == kind:
            self._shown[-1].rows.append(row)
        else:
            self._shown.append(Block(kind, [row]))
        self._is_open = True
