"""Lists of strings as Python writes them, the answers in DPR's question files: parsed as literals, never run."""

from __future__ import annotations

import ast
import io
import tokenize
import warnings
from collections.abc import Iterable

LITERAL_CHARACTERS = 200_000
"""Longest list: some twenty times the longest list of aliases in TriviaQA."""
LITERAL_STRINGS = 20_000
"""Most strings in a list."""


def parse_strings(literal: str) -> tuple[str, ...]:
    r"""The strings of `['a', "b\u00e9"]` or `('a',)`.

    The list is parsed and its tree checked before a value is made of it: string literals with commas between
    them, in one pair of brackets. Two strings without a comma, which Python would join, are refused too.

    Raises:
        ValueError: what was found instead.
    """
    if len(literal) > LITERAL_CHARACTERS:
        raise ValueError(f"the list has {len(literal):,} characters; at most {LITERAL_CHARACTERS:,} are allowed")
    literal = literal.strip()
    if not literal.startswith(("[", "(")):
        raise _no_list(literal)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of an unknown escape, which stands for itself
            body = ast.parse(literal, mode="eval").body
            if isinstance(body, ast.List | ast.Tuple) and _are_strings(body.elts, literal):
                return tuple(ast.literal_eval(body))
    except (SyntaxError, ValueError, MemoryError, RecursionError, tokenize.TokenError):
        pass
    raise _no_list(literal)


def write_strings(strings: Iterable[str]) -> str:
    """The same list in the form that `parse_strings` reads."""
    return repr(list(strings))


def _are_strings(elements: list[ast.expr], literal: str) -> bool:
    """Whether all elements are strings, each written as one literal."""
    if len(elements) > LITERAL_STRINGS:
        return False
    if not all(isinstance(element, ast.Constant) and isinstance(element.value, str) for element in elements):
        return False
    tokens = tokenize.generate_tokens(io.StringIO(literal).readline)
    return sum(token.type == tokenize.STRING for token in tokens) == len(elements)


def _no_list(literal: str) -> ValueError:
    return ValueError(
        f"expected a list of strings as in Python, with commas between them, found {literal[:60]!r}"
        f"{' ...' if len(literal) > 60 else ''}"
    )
