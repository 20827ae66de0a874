"""Filters on metadata, `year >= 2019 and source = 'manual'`, parsed to a tree that each store compiles for itself.

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

import math
import re
from collections.abc import Iterator
from typing import Literal, NamedTuple, TypeAlias

from opendpr.choices import WHERE_CHARACTERS
from opendpr.errors import UsageError
from opendpr.text.unicode import NOT_UNICODE, is_unicode

Value: TypeAlias = str | int | float | bool
Sign: TypeAlias = Literal["=", "!=", "<", "<=", ">", ">=", "like"]

_FILTER_TOKEN = re.compile(
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
COMPARISON_SIGNS: tuple[Sign, ...] = ("=", "!=", "<=", ">=", "<", ">")
FILTER_KEYWORDS = frozenset({"and", "or", "not", "in", "is", "like", "null", "true", "false"})
"""Words of the grammar; a metadata key of that name is written in quotation marks."""
MOST_NESTED_PARTS = 50


class Comparison(NamedTuple):
    """A filter that compares a value of the metadata with a constant; it is not met where the key is missing."""

    name: str
    sign: Sign
    value: Value


class Missing(NamedTuple):
    """A filter that is met by documents without the key."""

    name: str


class Not(NamedTuple):
    """A filter that is met if its part is not."""

    part: Where


class Every(NamedTuple):
    """A filter that is met if all of its parts are."""

    parts: tuple[Where, ...]


class Either(NamedTuple):
    """A filter that is met if at least one of its parts is."""

    parts: tuple[Where, ...]


Where: TypeAlias = Comparison | Missing | Not | Every | Either


class _Token(NamedTuple):
    kind: str
    text: str
    place: int


def parse_where(text: str) -> Where:
    """Parse a filter.

    Raises:
        UsageError: it is not of the form above; the message says where and what was expected.
    """
    if len(text) > WHERE_CHARACTERS:
        raise UsageError(f"the filter has {len(text):,} characters, at most {WHERE_CHARACTERS:,} are taken; shorten it")
    if not is_unicode(text):
        raise UsageError(f"the filter {text!r:.200} {NOT_UNICODE}; no document has such metadata")
    parser = _Parser(text)
    where = parser.expression(0)
    if parser.token.kind != "end":
        raise parser.expected("and, or, or the end")
    return where


def condition(name: str, sign: str, value: Value) -> str:
    """A filter of one comparison, with name and value quoted as they need it.

    >>> condition("source", "=", "the king's"), condition("first year", ">=", 1900)
    ("source = 'the king''s'", '"first year" >= 1900')

    Args:
        name: a key of the metadata, or `id` or `title`
        sign: =, !=, <, <=, >, >= or like

    Raises:
        UsageError: there is no such sign, or the value is none that a filter compares with.
    """
    if sign not in (*COMPARISON_SIGNS, "like"):
        raise UsageError(f"a filter compares with {', '.join(COMPARISON_SIGNS)} or like, got {sign!r}")
    word = _FILTER_TOKEN.fullmatch(name)
    is_plain = word is not None and word.lastgroup == "word" and word["word"] == name
    if not is_plain or name.lower() in FILTER_KEYWORDS:
        name = '"{}"'.format(name.replace('"', '""'))
    if isinstance(value, str):
        return "{} {} '{}'".format(name, sign, value.replace("'", "''"))
    if isinstance(value, bool):
        return f"{name} {sign} {str(value).lower()}"
    if not isinstance(value, int | float) or not math.isfinite(value):
        raise UsageError(f"a filter compares with a text, a finite number, True or False, got {value!r}")
    return f"{name} {sign} {value!r}"


def names_of(where: Where) -> Iterator[str]:
    """The metadata names that a filter uses, in order."""
    if isinstance(where, Comparison | Missing):
        yield where.name
    else:
        for part in (where.part,) if isinstance(where, Not) else where.parts:
            yield from names_of(part)


class _Parser:
    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens = self._scan()
        self.token = next(self._tokens)

    def _scan(self) -> Iterator[_Token]:
        for match in _FILTER_TOKEN.finditer(self._text):
            kind = match.lastgroup or ""
            token = _Token(kind, match[kind], match.start(kind))
            if kind == "word" and token.text.lower() in FILTER_KEYWORDS:
                token = _Token("keyword", token.text.lower(), token.place)
            yield token
        while True:
            yield _Token("end", "the end", len(self._text))

    def expected(self, what: str) -> UsageError:
        actual = self.token.text if self.token.kind == "end" else repr(self.token.text)
        return UsageError(
            f"in the filter {self._text!r}, at character {self.token.place + 1}: expected {what}, found {actual}; "
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

    def expression(self, depth: int) -> Where:
        if depth > MOST_NESTED_PARTS:
            raise UsageError(f"the filter is nested more than {MOST_NESTED_PARTS} deep; write it flatter")
        parts = [self._conjunction(depth)]
        while self._take("or"):
            parts.append(self._conjunction(depth))
        return parts[0] if len(parts) == 1 else Either(tuple(parts))

    def _conjunction(self, depth: int) -> Where:
        parts = [self._negation(depth)]
        while self._take("and"):
            parts.append(self._negation(depth))
        return parts[0] if len(parts) == 1 else Every(tuple(parts))

    def _negation(self, depth: int) -> Where:
        if self._take("not"):
            if depth > MOST_NESTED_PARTS:
                raise UsageError(f"the filter is nested more than {MOST_NESTED_PARTS} deep; write it flatter")
            return Not(self._negation(depth + 1))
        if self._take("("):
            inner = self.expression(depth + 1)
            self._require(")")
            return inner
        return self._comparison()

    def _comparison(self) -> Where:
        name = self._name()
        if self._take("is"):
            negated = self._take("not")
            self._require("null")
            return Not(Missing(name)) if negated else Missing(name)
        if self._take("not"):
            if not self._take("in"):
                raise self.expected("in")
            return Every(tuple(Comparison(name, "!=", value) for value in self._values()))
        if self._take("in"):
            return Either(tuple(Comparison(name, "=", value) for value in self._values()))
        if self._take("like"):
            return Comparison(name, "like", self._value())
        if self._take("<>"):
            return Comparison(name, "!=", self._value())
        for sign in COMPARISON_SIGNS:
            if self._take(sign):
                return Comparison(name, sign, self._value())
        raise self.expected("a comparison (=, !=, <, <=, >, >=, like, in, is)")

    def _name(self) -> str:
        if self.token.kind not in ("word", "quoted"):
            raise self.expected("the name of a metadata key")
        name = self.token.text if self.token.kind == "word" else self.token.text[1:-1].replace('""', '"')
        self.token = next(self._tokens)
        return name

    def _values(self) -> Iterator[Value]:
        self._require("(")
        yield self._value()
        while self._take(","):
            yield self._value()
        self._require(")")

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
