"""Whether the first row of a table names its columns, by how its values differ from those below."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from itertools import zip_longest

NAME_CHARACTERS = 60
"""Longest name of a column."""
SENTENCE_ENDS = (".", "!", "?")
USUAL_SHARE = 0.8
"""Share of the values of a column that must be of one kind to tell its name from a value."""
WORDS_COLUMN = "words"
VALUE_KINDS = (
    ("year", re.compile(r"1[5-9]\d\d|20\d\d|2100")),
    ("time", re.compile(r"\d{1,2}[:h]\d{2}(?::\d{2})?(?:\s?[ap]\.?m\.?)?", re.I)),
    ("date", re.compile(r"\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}(?:[T ].*)?")),
    ("number", re.compile(r"[^\w\s]{0,3}\d[\d.,' \u00a0\u202f]*\D{0,4}")),
)
"""What a value may be other than words; the first that fits counts."""


def has_header(rows: Sequence[Sequence[str]]) -> bool:
    """Whether the first row names the columns, by how its values differ from those below.

    A column of numbers or times under a word speaks for it; a value that is of the same kind as all below it, or comes
    again below, speaks against it. Where nothing speaks, several columns have a header, and one column has none.
    """
    if not may_name(rows):
        return False
    votes = header_votes(rows)
    return votes >= 0 if filled(rows[0]) > 1 else votes > 0


def may_name(rows: Sequence[Sequence[str]]) -> bool:
    """Whether there are rows below the first, and no value of that is a sentence."""
    return len(rows) > 1 and not any(
        len(name) > NAME_CHARACTERS or name.rstrip().endswith(SENTENCE_ENDS) for name in rows[0]
    )


def header_votes(rows: Sequence[Sequence[str]]) -> int:
    """How many columns speak for a header, less those that speak against it."""
    columns = zip_longest(*rows[1:], fillvalue="")
    return sum(header_vote(name, column) for name, column in zip(rows[0], columns, strict=False))


def header_vote(first: str, below: Sequence[str]) -> int:
    """1 if the first value of a column is rather its name, -1 if rather a value, else 0."""
    values = [value.strip() for value in below if value.strip()]
    if not first.strip() or not values:
        return 0
    kind, count = Counter(map(value_kind, values)).most_common(1)[0]
    own = value_kind(first)
    if count < USUAL_SHARE * len(values):
        return 0
    if kind != WORDS_COLUMN:
        return -1 if own == kind else 1
    return -1 if first.strip().casefold() in map(str.casefold, values) else 0


def value_kind(value: str) -> str:
    """What a value is: a year, a time, a date, a number, or words."""
    return next((kind for kind, pattern in VALUE_KINDS if pattern.fullmatch(value.strip())), WORDS_COLUMN)


def filled(row: Sequence[str]) -> int:
    """How many values of a row say something."""
    return sum(bool(value.strip()) for value in row)
