"""The full stop behind an answer: that of a sentence is no part of it, that of an abbreviation is."""

from __future__ import annotations

import re

from opendpr.answering.surroundings import in_context, recut
from opendpr.text.blocks import ABBREVIATED_WORDS
from opendpr.types import Span

DOTTED = re.compile(r"(?:\b[^\W\d_]{1,2}\.)+[^\W\d_]{1,2}\.$")
"""Letters with a full stop each, as in `U.S.`, `p.m.` and `Ph.D.`"""
INITIAL = re.compile(r"\b[^\W\d_]\.$")
"""One letter, which may be a name cut short."""
FURTHER_ABBREVIATIONS = (
    *("Inc", "Corp", "Co", "Ltd", "Bros", "Dept", "Univ", "Gov", "Sen", "Rep", "Pres", "Esq", "al", "Ave", "Blvd"),
    *("Rd", "Mt", "Ft", "Jan", "Feb", "Apr", "Jun", "Jul", "Aug", "Sept", "Sep", "Oct", "Nov", "Dec", "Ala"),
    *("Ariz", "Ark", "Calif", "Colo", "Conn", "Del", "Fla", "Ga", "Kan", "Ky", "La", "Md", "Mich"),
    *("Minn", "Mo", "Mont", "Neb", "Nev", "Okla", "Pa", "Tenn", "Tex", "Va", "Vt", "Wis", "Wyo"),
    *(
        "jr",
        "sr",
        "Snr",
        "Jnr",
        "Ill",
        "Mass",
        "Wash",
        "Ont",
        "Tue",
        "Thurs",
        "incl",
        "excl",
        "oz",
        "lb",
        "lbs",
        "hr",
        "hrs",
        "yr",
        "yrs",
    ),
)
"""Abbreviations at which an answer ends, beside those within sentences; capitals as they are written."""
ABBREVIATED = re.compile(rf"\b(?:{'|'.join((*ABBREVIATED_WORDS, *FURTHER_ABBREVIATIONS))})\.$")
NEXT_IS_IN_THE_SENTENCE = re.compile(r"\s+[^\W\d_A-Z]")
"""A small letter goes on with the sentence, so that the full stop before it ends none."""
ENDS = frozenset("\"'\u201d\u2019)]*_")
"""What may stand between a full stop and the space behind it."""


def without_full_stop(span: Span) -> Span:
    """The span without the full stop of the sentence that it ends.

    >>> from opendpr.types import Hit, Passage
    >>> hit = Hit(Passage(1, "d", "", "Use NLGI 2. It is made in the U.S. It lasts.", 0), 1.0)
    >>> without_full_stop(Span(hit, 4, 11, "NLGI 2.", 0.0, 0.0)).text
    'NLGI 2'
    >>> without_full_stop(Span(hit, 26, 34, "the U.S.", 0.0, 0.0)).text
    'the U.S.'
    """
    text, start, end = in_context(span)
    words = text[start:end]
    before = words[-2:-1]
    ends_word = before.isalnum() or before in (*ENDS, "%", "\u00b0")
    if not words.endswith(".") or not before or not ends_word:
        return span
    if DOTTED.search(words) or INITIAL.search(words) or ABBREVIATED.search(words):
        return span
    behind = text[end:]
    if behind and not behind[0].isspace() and behind[0] not in ENDS:
        return span
    return span if NEXT_IS_IN_THE_SENTENCE.match(behind) else recut(span, start, end - 1)
