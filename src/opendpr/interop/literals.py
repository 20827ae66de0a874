"""Lists of strings as Python writes them, the answers in DPR's question files, parsed by their grammar alone."""

from __future__ import annotations

import re
from collections.abc import Iterable

LITERAL_CHARACTERS = 200_000
"""Longest list: some twenty times the longest list of aliases in TriviaQA."""

_STRING = re.compile(
    r"""[uU]?(?:"(?P<double>[^"\\\n]*(?:\\.[^"\\\n]*)*)"|'(?P<single>[^'\\\n]*(?:\\.[^'\\\n]*)*)')""", re.DOTALL
)
_ESCAPE = re.compile(
    r"\\(?:(?P<octal>[0-7]{1,3})|x(?P<x>[0-9a-fA-F]{2})|u(?P<u>[0-9a-fA-F]{4})|U(?P<U>[0-9a-fA-F]{8})|(?P<other>.))",
    re.DOTALL,
)
_SIMPLE = {
    **dict(zip("abfnrtv", "\a\b\f\n\r\t\v", strict=True)),
    **{character: character for character in "\\'\""},
    "\n": "",
}
_SPACE = re.compile(r"\s*")


def parse_strings(literal: str) -> tuple[str, ...]:
    r"""The strings of `['a', "b\u00e9"]` or `('a',)`.

    Nothing is evaluated: anything but string literals and commas between the brackets is refused, lists in
    lists too.

    Raises:
        ValueError: what is wrong, and at which character.
    """
    if len(literal) > LITERAL_CHARACTERS:
        raise ValueError(f"the list has {len(literal):,} characters; at most {LITERAL_CHARACTERS:,} are allowed")
    literal = literal.strip()
    closing = {"[": "]", "(": ")"}.get(literal[:1])
    if closing is None:
        raise ValueError(f"expected a list of strings as in Python, found {literal[:40]!r}")
    strings: list[str] = []
    at = _after_space(literal, 1)
    while literal[at : at + 1] != closing:
        match = _STRING.match(literal, at)
        if match is None:
            raise ValueError(f"expected a string in quotes at character {at + 1}, found {literal[at : at + 40]!r}")
        strings.append(_ESCAPE.sub(_unescaped, match["double"] if match["single"] is None else match["single"]))
        at = _after_space(literal, match.end())
        if literal[at : at + 1] == ",":
            at = _after_space(literal, at + 1)
        elif literal[at : at + 1] != closing:
            raise ValueError(f"expected a comma or {closing} at character {at + 1}, found {literal[at : at + 40]!r}")
    if rest := literal[at + 1 :]:
        raise ValueError(f"expected nothing after the list, found {rest[:40]!r}")
    return tuple(strings)


def write_strings(strings: Iterable[str]) -> str:
    """The same list in the form that `parse_strings` reads."""
    return repr(list(strings))


def _after_space(text: str, at: int) -> int:
    match = _SPACE.match(text, at)
    return match.end() if match else at


def _unescaped(match: re.Match[str]) -> str:
    if match["octal"]:
        return chr(int(match["octal"], 8))
    if code := match["x"] or match["u"] or match["U"]:
        point = int(code, 16)
        if point > 0x10FFFF or 0xD800 <= point <= 0xDFFF:
            raise ValueError(f"{match[0]} is no character")
        return chr(point)
    if match["other"] in "xuUN":
        raise ValueError(f"cannot read the escape {match[0]}")
    return _SIMPLE.get(match["other"], match[0])  # an unknown escape stands for itself, as in Python
