"""Filters on metadata: `year >= 2019 and source = 'manual'`, compiled to SQL with bound values.

    expression  = conjunction { "or" conjunction }
    conjunction = negation { "and" negation }
    negation    = "not" negation | "(" expression ")" | comparison
    comparison  = name ( "=" | "!=" | "<" | "<=" | ">" | ">=" | "like" ) value
                | name [ "not" ] "in" "(" value { "," value } ")"
                | name "is" [ "not" ] "null"
    value       = 'text' | number | true | false
    name        = letters, digits, _ and . | "any characters"

Names are keys of the metadata, and `id` and `title`. A number is compared with numbers, and with
text that is one; a document that lacks the key meets no comparison.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from opendpr.choices import WHERE_CHARACTERS
from opendpr.errors import UsageError

Value = str | int | float | bool

_TOKEN = re.compile(
    r"""\s*(?:
    (?P<text>'(?:[^']|'')*')
  | (?P<number>[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)(?![\w.])
  | (?P<quoted>"(?:[^"]|"")*")
  | (?P<word>[^\W\d][\w.]*)
  | (?P<sign><=|>=|!=|<>|=|<|>|\(|\)|,)
  | (?P<wrong>\S)
)""",
    re.VERBOSE,
)
COLUMNS = {"id": "d.id", "title": "d.title"}
COMPARISONS = ("=", "!=", "<>", "<=", ">=", "<", ">")
MAX_DEPTH = 50


class Condition(NamedTuple):
    """An SQL expression over `documents d`, and the values of its question marks."""

    sql: str
    values: tuple[Value, ...]


class _Token(NamedTuple):
    kind: str
    text: str
    place: int


def compile_where(text: str) -> Condition:
    """Compile a filter.

    Raises:
        UsageError: it is not of the form above; the message says where and what was expected.
    """
    return _parsed(text)[0]


def filter_names(text: str) -> list[str]:
    """The metadata names that a filter uses, in order; raises as `compile_where`."""
    return _parsed(text)[1]


def _parsed(text: str) -> tuple[Condition, list[str]]:
    if len(text) > WHERE_CHARACTERS:
        raise UsageError(f"the filter has {len(text):,} characters, at most {WHERE_CHARACTERS:,} are taken")
    parser = _Parser(text)
    condition = parser.expression(0)
    if parser.token.kind != "end":
        raise parser.expected("and, or, or the end")
    return condition, parser.names


def as_number(value: object) -> float | int | None:
    """The number that a metadata value is, or None; the SQL function `as_number`."""
    if isinstance(value, int | float):
        return value
    try:
        return float(value) if isinstance(value, str) else None
    except ValueError:
        return None


def _joined(word: str, parts: Sequence[Condition]) -> Condition:
    """Conditions joined as a tree: SQLite takes no expression that is more than 1,000 deep."""
    if len(parts) == 1:
        return parts[0]
    middle = len(parts) // 2
    left, right = _joined(word, parts[:middle]), _joined(word, parts[middle:])
    return Condition(f"({left.sql} {word} {right.sql})", left.values + right.values)


class _Parser:
    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens = self._scan()
        self.token = next(self._tokens)
        self.names: list[str] = []

    def _scan(self) -> Iterator[_Token]:
        for match in _TOKEN.finditer(self._text):
            kind = match.lastgroup or ""
            token = _Token(kind, match[kind], match.start(kind))
            if kind == "word" and token.text.lower() in (
                "and",
                "or",
                "not",
                "in",
                "is",
                "like",
                "null",
                "true",
                "false",
            ):
                token = _Token("keyword", token.text.lower(), token.place)
            yield token
        while True:
            yield _Token("end", "the end", len(self._text))

    def expected(self, what: str) -> UsageError:
        found = self.token.text if self.token.kind == "end" else repr(self.token.text)
        return UsageError(
            f"in the filter {self._text!r}, at character {self.token.place + 1}: expected {what}, found {found}; "
            "write for instance year >= 2019 and source = 'manual'"
        )

    def _take(self, *texts: str) -> bool:
        if self.token.kind in ("sign", "keyword") and self.token.text in texts:
            self.token = next(self._tokens)
            return True
        return False

    def _require(self, text: str) -> None:
        if not self._take(text):
            raise self.expected(text)

    def expression(self, depth: int) -> Condition:
        if depth > MAX_DEPTH:
            raise UsageError(f"the filter is nested more than {MAX_DEPTH} deep; write it flatter")
        return self._chain("or", depth)

    def _chain(self, word: str, depth: int) -> Condition:
        def part() -> Condition:
            return self._chain("and", depth) if word == "or" else self._negation(depth)

        parts = [part()]
        while self._take(word):
            parts.append(part())
        return _joined(word.upper(), parts)

    def _negation(self, depth: int) -> Condition:
        if self._take("not"):
            if depth > MAX_DEPTH:
                raise UsageError(f"the filter is nested more than {MAX_DEPTH} deep; write it flatter")
            inner = self._negation(depth + 1)
            return Condition(f"(NOT coalesce({inner.sql}, 0))", inner.values)
        if self._take("("):
            inner = self.expression(depth + 1)
            self._require(")")
            return inner
        return self._comparison()

    def _comparison(self) -> Condition:
        column, bound = self._name()
        if self._take("is"):
            negated = self._take("not")
            self._require("null")
            return Condition(f"({column} IS {'NOT ' if negated else ''}NULL)", bound)
        negated = self._take("not")
        if self._take("in"):
            self._require("(")
            parts = [self._compare(column, bound, "=", self._value())]
            while self._take(","):
                parts.append(self._compare(column, bound, "=", self._value()))
            self._require(")")
            sql, values = either = _joined("OR", parts)
            return Condition(f"({column} IS NOT NULL AND NOT {sql})", bound + values) if negated else either
        if negated:
            raise self.expected("in")
        if self._take("like"):
            return Condition(f"({column} LIKE ?)", (*bound, self._value()))
        for sign in COMPARISONS:
            if self._take(sign):
                return self._compare(column, bound, "!=" if sign == "<>" else sign, self._value())
        raise self.expected("a comparison (=, !=, <, <=, >, >=, like, in, is)")

    def _compare(self, column: str, bound: tuple[Value, ...], sign: str, value: Value) -> Condition:
        if isinstance(value, bool):
            return Condition(f"({column} {sign} ?)", (*bound, int(value)))
        if isinstance(value, str):
            return Condition(f"(CAST({column} AS TEXT) {sign} ?)", (*bound, value))
        return Condition(f"(as_number({column}) {sign} ?)", (*bound, value))

    def _name(self) -> tuple[str, tuple[Value, ...]]:
        if self.token.kind not in ("word", "quoted"):
            raise self.expected("the name of a metadata key")
        name = self.token.text if self.token.kind == "word" else self.token.text[1:-1].replace('""', '"')
        self.token = next(self._tokens)
        self.names.append(name)
        if name in COLUMNS:
            return COLUMNS[name], ()
        return "(SELECT value FROM json_each(d.metadata) WHERE key = ?)", (name,)

    def _value(self) -> Value:
        kind, text, _ = self.token
        if kind == "text":
            value: Value = text[1:-1].replace("''", "'")
        elif kind == "number":
            value = int(text) if re.fullmatch(r"[-+]?\d{1,18}", text) else float(text)  # SQLite has 64 bits
        elif kind == "keyword" and text in ("true", "false"):
            value = text == "true"
        else:
            raise self.expected("a value ('text', a number, true or false)")
        self.token = next(self._tokens)
        return value
