"""What a manual states as default: the value itself, where a question asks for it and a span is only beside it."""

from __future__ import annotations

import re

from opendpr.answering.answer_kinds import HOLDS_NUMBER, asks_for_amount
from opendpr.answering.surroundings import SpanInContext, in_context, recut
from opendpr.text.blocks import TABLE_ROW
from opendpr.types import Span

DEFAULT_ASKED = re.compile(r"\bdef(?:au?l|ua|ual|al)ts?\b", re.IGNORECASE)
"""A question that asks for a default; people misspell it."""
_PLAIN_VALUE = r"(?:true|false|yes|no|on|off|none|null|nil|never|unlimited|infinite|empty|auto|enabled|disabled)\b"
_QUOTED_VALUE = r"`[^`\n]{1,60}`|\"[^\"\n]{1,60}\"|'[^'\n]{1,60}'"
_SIGNED_VALUE = r"[^\s,;()\[\]]*(?:\d|(?<=\w)[_/]|/)[^\s;()\[\]]*(?<![.,:])"
DEFAULT_VALUE = rf"(?:{_QUOTED_VALUE}|{_PLAIN_VALUE}|{_SIGNED_VALUE})"
"""What can be a value in running text: in quotes, a plain word like `off`, or with a digit or a sign."""
STATED_DEFAULT = re.compile(
    rf"""
      [(\[]\s*defaults?(?:\s+(?:is|to|value))*\s*[:=]?\s*(?P<bracketed>{DEFAULT_VALUE})
    | \bdefaults?\s+(?:value\s+)?(?:to|is|are|of)\s+(?:about\s+)?(?P<said>{DEFAULT_VALUE})
    | \bdefaults?\s*[:=]\s*(?P<labelled>{DEFAULT_VALUE})
    """,
    re.IGNORECASE | re.VERBOSE,
)
DEFAULT_LABEL = re.compile(
    r"^[^\S\n]*[-*:|+]*[^\S\n]*[*_`]*default(?:\s+value)?[*_`]*\s*:[*_`\s]*(?![\w ]+:\s)"
    r"(?P<value>\S[^\n]{0,60})$",
    re.I | re.M,
)
"""A line that says nothing but the default; the value may be in a line of its own below."""
ENTRY_CHARACTERS = 250
"""A label at most so far behind a span speaks of the same."""
NAME_BEFORE = re.compile(r"`?[A-Za-z][\w.-]*(?:[A-Z_]|-(?=\w))[\w.-]*`?(?:\s*[=:]\s*|\s+)(?=[\"'`\d-])")
"""The name of a setting before its value."""
WORD_DEFAULT_BEHIND = re.compile(r"\s+(?:by\s+)?default\W*\Z", re.IGNORECASE)
TABLE_CELL = re.compile(r"[^|\t\n]+")
HEADER_LINES = 30
"""Rows above a cell that are searched for the head of the table."""
PLAIN_VALUE = re.compile(rf"\W{{0,2}}(?:{_PLAIN_VALUE}|{_QUOTED_VALUE})\W*", re.IGNORECASE)
VALUE_WORDS = 3
"""What has more words is no value."""
VALUE_CELL = re.compile(rf"\W{{0,2}}(?:{_PLAIN_VALUE}|[\d.-]\S*(?: \w+)?|{_QUOTED_VALUE}|/\S*)\W{{0,2}}", re.IGNORECASE)


def asks_for_default(question: str) -> bool:
    """Whether a question asks for a default."""
    return bool(DEFAULT_ASKED.search(question))


def to_default(span: Span, question: str) -> Span:
    """The stated default, if a question asks for one and a span is only beside it in the same entry.

    The entry is a row of a table, a line, or the lines up to a label `Default:`. A span that is a value stays, without
    the name of its setting. A default answers also how much something is, where a span has no number.
    """
    place = in_context(span)
    if not asks_for_default(question):
        amount = asks_for_amount(question) and not HOLDS_NUMBER.search(span.text)
        beside = _stated(place) if amount else None
        return recut(span, *beside) if beside else span
    bare = _bare(place)
    if _is_value(place.text[bare[0] : bare[1]]):
        return span if bare == (place.start, place.end) else recut(span, *bare)
    beside = _cell(place) or _stated(place)
    return recut(span, *beside) if beside else span


def _bare(place: SpanInContext) -> tuple[int, int]:
    """The place without the name of a setting before its value, and without `by default` behind it."""
    text, start, end = place
    if behind := WORD_DEFAULT_BEHIND.search(text, start, end):
        end = behind.start()
    if name := NAME_BEFORE.match(text, start, end):
        start = name.end()
    return start, end


def _is_value(words: str) -> bool:
    number = any(map(str.isdigit, words)) and not words.startswith("-")
    return len(words.split()) <= VALUE_WORDS and (number or bool(PLAIN_VALUE.fullmatch(words)))


def _cell(place: SpanInContext) -> tuple[int, int] | None:
    """The cell of the same row under the head `Default`, or else the next if it is a value."""
    first, last = place.line
    cells = _cells(place.text, first, last)
    own = next((n for n, (begin, end) in enumerate(cells) if begin <= place.start < end), None)
    if own is None or len(cells) < 2:
        return None
    column = _default_column(place.text, first, len(cells))
    if column is None:
        following = cells[own + 1 : own + 2]
        return next((cell for cell in following if VALUE_CELL.fullmatch(place.text[slice(*cell)])), None)
    return cells[column] if column != own else None


def _cells(text: str, first: int, last: int) -> list[tuple[int, int]]:
    """First character and end of each cell of a line, without white space; none if it is no row of a table."""
    line = text[first:last]
    if "\t" not in line.strip() and not TABLE_ROW.fullmatch(line):
        return []
    cells = [(first + cell.start(), cell[0]) for cell in TABLE_CELL.finditer(line) if cell[0].strip()]
    return [(begin + len(cell) - len(cell.lstrip()), begin + len(cell.rstrip())) for begin, cell in cells]


def _default_column(text: str, first: int, columns: int) -> int | None:
    """The number of the column that is headed `Default` in the table above a line."""
    for _ in range(HEADER_LINES):
        if first == 0:
            return None
        last, first = first - 1, text.rfind("\n", 0, first - 1) + 1
        cells = _cells(text, first, last)
        if len(cells) != columns:
            return None
        heads = [text[slice(*cell)].strip("*_` ").lower() for cell in cells]
        column = next((n for n, head in enumerate(heads) if head in ("default", "default value", "defaults")), None)
        if column is not None:
            return column
    return None


def _stated(place: SpanInContext) -> tuple[int, int] | None:
    """The first default that is stated in the rest of the span's line, or by a label shortly behind it."""
    text, start, end = place
    first, last = place.line
    if stated := STATED_DEFAULT.search(text, start, last):
        return stated.span(stated.lastgroup or 0)
    if label := DEFAULT_LABEL.search(text, first, min(len(text), end + ENTRY_CHARACTERS)):
        begin, finish = label.span("value")
        name = NAME_BEFORE.match(text, begin, finish)
        finish = begin + len(text[begin:finish].rstrip(" *_`."))
        begin = name.end() if name else begin
        return (begin, finish) if begin < finish else None
    return None
