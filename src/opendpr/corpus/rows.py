"""Tables and records of which no column is text, as one text: a block for each row, each value after its name.

`stop: Heron Point; departs: 08:15` says what a row of a timetable says, wherever a passage begins.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain, islice, zip_longest

from opendpr.corpus.extract import NotReadError, storable
from opendpr.corpus.source import TEXT_BYTES, TOO_LONG
from opendpr.text.table_header import filled, has_header

SAMPLE_ROWS = 50
"""Rows that are scanned for a header, and records for a text."""
ROW_END = "\n\n"
VALUE_END = "; "
NAME_SIGNS = re.compile("[_:;]")
"""What of a name is written as a space."""
NESTED_LEVELS = 20
"""Objects and arrays inside one another in a record; what lies deeper is left out."""


def table_text(rows: Iterable[Sequence[str]]) -> str:
    """The rows as text, each value after the name that the header gives its column; empty values are left out.

    Rows of one value above the others are the title of the table. A table without a header has values alone.

    Raises:
        NotReadError: the text is too long.
    """
    remaining = iter(rows)
    sample = list(islice(remaining, SAMPLE_ROWS))
    titles = title_rows(sample)
    names = sample[titles] if has_header(sample[titles:]) else ()
    body = chain(sample[titles + bool(names) :], remaining)
    return joined_rows(chain((row_text((), row) for row in sample[:titles]), (row_text(names, row) for row in body)))


def row_text(names: Sequence[str], values: Sequence[str]) -> str:
    """One row as one line; columns without a name give the value alone."""
    pairs = zip_longest(names, values, fillvalue="")
    return VALUE_END.join(named_value(name, value) for name, value in pairs if value.strip())


def named_value(name: str, value: str) -> str:
    """`departure time: 08:15` for `departure_time`; a name has none of the signs that end names and values."""
    words, content = " ".join(NAME_SIGNS.sub(" ", name).split()), " ".join(value.split())
    return f"{words}: {content}" if words else content


def joined_rows(rows: Iterable[str], separator: str = ROW_END) -> str:
    """Rows that say something, with a blank line between two.

    Raises:
        NotReadError: the text is too long.
    """
    kept: list[str] = []
    size = 0
    for row in filter(None, rows):
        kept.append(row)
        size += len(row.encode("utf-8", "replace")) + len(separator)
        if size > TEXT_BYTES:
            raise NotReadError(TOO_LONG)
    return storable(separator.join(kept))


def title_rows(rows: Sequence[Sequence[str]]) -> int:
    """How many rows before the first with several values have only one."""
    return next((place for place, row in enumerate(rows) if filled(row) > 1), 0)


def is_table(rows: Sequence[Sequence[str]]) -> bool:
    """Whether rows of a sheet, which may hold anything, are one table under a header that names all columns but one."""
    body = rows[title_rows(rows) :]
    if not has_header(body) or filled(body[0]) < 2:
        return False
    used = {place for row in body[1:] for place, value in enumerate(row) if value.strip()}
    named = {place for place, name in enumerate(body[0]) if name.strip()}
    return len(used - named) <= 1 and all(filled(row) > 1 for row in body)


def record_text(record: Mapping[str, object]) -> str:
    """One record as one line; a value inside an object has the names of both: `address city: Orvik`."""
    return VALUE_END.join(named_value(name, value) for name, value in _values(record, "", NESTED_LEVELS))


def _values(value: object, name: str, levels: int) -> Iterator[tuple[str, str]]:
    """The values inside a value that say something, with their names."""
    if isinstance(value, Mapping):
        for inner, content in value.items() if levels else ():
            yield from _values(content, f"{name} {inner}", levels - 1)
    elif isinstance(value, list):
        simple = [_written(item) for item in value if not isinstance(item, Mapping | list)]
        if listed := ", ".join(filter(None, simple)):
            yield name, listed
        for item in value if levels else ():
            if isinstance(item, Mapping | list):
                yield from _values(item, name, levels - 1)
    elif written := _written(value):
        yield name, written


def _written(value: object) -> str:
    """A simple value of JSON as text; nothing for null."""
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value).strip()
