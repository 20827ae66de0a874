"""Formulas, exponents and note marks on one line of plain text, so that no digit joins another."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence

INVISIBLE = re.compile("[\u2061-\u2064]")
"""Function application and invisible operators, which formulas hold and nobody sees."""
SIMPLE = re.compile(r"[-+\u2212\u00b1]?[\w.,]*", re.UNICODE)
"""Needs no parentheses."""
FUNCTION_LETTERS = re.compile(r"[^\W\d_\u0370-\u03ff]{2,4}")
"""The end of an abbreviation: st, nd, me; or a trade mark."""
NOTE_LETTERS = 2
"""Most letters of the mark of a note; as few after a word in small letters are one."""
ORDINALS = ("e", "o")
"""Single letters that belong to what is before them in Romance languages: 3e, No."""


def grouped(part: str) -> str:
    """The part of a formula, in parentheses if it is more than one number or name."""
    return part if SIMPLE.fullmatch(part) else f"({part})"


def power(base: str, exponent: str) -> str:
    """`c^2`, `10^(a+b)`."""
    return f"{base}^{grouped(exponent)}"


def index(base: str, below: str) -> str:
    """`x_1`."""
    return f"{base}_{grouped(below)}"


def fraction(above: str, below: str) -> str:
    """`a/b`, `(a+b)/c`."""
    return f"{grouped(above)}/{grouped(below)}"


def root(radicand: str, degree: str = "") -> str:
    """`√x`, `3√(x+1)`."""
    return f"{degree}√{grouped(radicand)}"


SHAPES: Mapping[str, Callable[..., str]] = {
    "power": power,
    "index": index,
    "fraction": fraction,
    "root": root,
    "both": lambda base, below, above: power(index(base, below), above),
}

ELEMENT_SHAPES = {
    "msup": "power",
    "msub": "index",
    "msubsup": "both",
    "mover": "power",
    "munder": "index",
    "munderover": "both",
    "mfrac": "fraction",
    "msqrt": "root",
    "mroot": "root",
}
"""Elements of MathML, and the shapes that they are written in."""
OTHER_NOTATIONS = ("annotation", "annotation-xml")
"""Elements of MathML with the same formula in another notation."""


def shaped(shape: str, parts: Sequence[str]) -> str:
    """The parts of a formula put together; as they come where some are missing or too many."""
    try:
        return SHAPES[shape](*parts)
    except (KeyError, TypeError):
        return "".join(parts)


def raised(content: str, before: str) -> str:
    """A superscript: `1st` and `3e` as one word, `10^4`, `m^2`, `1874[12]` and note letters apart, as in `Strand^a`.

    Args:
        before: the two characters before it, as far as they are of its word
    """
    if FUNCTION_LETTERS.fullmatch(content) or content in ORDINALS:
        if not content.islower():
            return f" {content}"
        is_mark = len(content) <= NOTE_LETTERS and len(before) > 1 and before.isalpha() and before[-1].islower()
        return f"^{content}" if is_mark else content
    if not any(map(str.isalnum, content)) or content[0] in "[(":
        return content
    return f"^{grouped(content)}" if before and not before[-1].isspace() else content


def lowered(content: str, before: str) -> str:
    """A subscript: `H2O` as one word, but a number is set apart from a number before it."""
    return f"_{content}" if before[-1:].isdigit() and content[:1].isdigit() else content
