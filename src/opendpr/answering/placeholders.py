"""Spans that say nothing: signs, what a manual writes in place of a value, numbers of sections, units alone."""

from __future__ import annotations

import re

from opendpr.answering.answer_kinds import asks_for_amount
from opendpr.answering.defaults import asks_for_default
from opendpr.answering.surroundings import SpanInContext, in_context
from opendpr.answering.units import is_unit_alone
from opendpr.types import Span

PLACEHOLDER = re.compile(r"<[a-z][a-z0-9 _-]*>|\{[a-z][a-z0-9_-]*\}|\[[A-Z][A-Z_-]+(?:\.\.\.)?\]")
"""What a manual writes for something to be put in, as `<n>`."""
PLACEHOLDER_CHARACTERS = 40
OPENING_BRACKETS = frozenset("<{([")
MANUAL_SECTION = re.compile(r"(?<=[\w.+-])\(\d[a-z]{0,2}\)")
"""Where a name of a manual page has its section, as `git(1)`."""
OPTION_BEFORE = re.compile(r"(?P<edge>^|[\s\[(`|,'\"])(?P<option>--?[A-Za-z][\w-]*)(?:\[?=| )\Z")
"""An option that a value follows."""
OPTION_CHARACTERS = 60
CAPITALS = re.compile(r"[A-Z][A-Z0-9]*(?:[_-][A-Z0-9]+)*")
_TYPES = (
    "n int integer num number float decimal bool boolean str string text char list value val arg argument name file "
    "filename path dir directory folder host hostname address addr port url uri key user group size bytes count "
    "duration time seconds secs sec ms minutes mins hours days date level mode format pattern regex command cmd"
)
TYPE_WORDS = frozenset(_TYPES.split())
"""Words that manuals put in place of a value, in small letters."""
OPTION_LINE = re.compile(r"[\s\[(|*`'\"+-]*(?:--?[\w-]+(?:\[?[= ][\w<>\[\]]+)?(?:, ?| \| ?|/))*[\s\[(`]*\Z")
"""What is before an option where it is explained, or in brackets: perhaps another form of it."""
OPTION = re.compile(r"--?[A-Za-z][\w-]*(?=[\s=,]|\Z)")
SECTION_NUMBER = re.compile(
    r"(?:#+ |§ ?|chapter |section )?(?P<number>\d{1,2}(?:\.\d{1,2}){1,2})(?P<stop>\.?)\s+\S", re.I
)
HEADING_WORDS = 6
NUMBERED = re.compile(r"\b(?:version|release|section|chapter|paragraph|rfc)", re.I)
"""A question that a number with dots may answer."""


def is_answer(span: Span, question: str = "") -> bool:
    """Whether a span says anything.

    It has a letter or a digit, and is no placeholder, no section of a manual page, no number of a heading; for a
    question that asks how much it is no unit without a number, and for one that asks for a default no option.
    """
    if not any(map(str.isalnum, span.text)):
        return False
    if asks_for_amount(question) and is_unit_alone(span.text):
        return False
    if asks_for_default(question) and OPTION.match(span.text):
        return False
    place = in_context(span)
    return not (
        _is_placeholder(place)
        or is_option_value_name(place)
        or (_numbers_a_heading(place) and not NUMBERED.search(question))
    )


def _is_placeholder(place: SpanInContext) -> bool:
    text, start, end = place
    around = text[max(0, start - PLACEHOLDER_CHARACTERS) : end + PLACEHOLDER_CHARACTERS]
    if OPENING_BRACKETS.isdisjoint(around):
        return False
    first = min(start, PLACEHOLDER_CHARACTERS)
    last = first + end - start
    return any(
        match.start() <= first and last <= match.end()
        for pattern in (PLACEHOLDER, MANUAL_SECTION)
        for match in pattern.finditer(around)
    )


def is_option_value_name(place: SpanInContext) -> bool:
    """Whether a place is what a manual writes beside an option for its value, as `N` in `--jobs N`.

    That is a single letter, or a word in capitals or of a type where the option is explained (it begins its line or is
    in brackets) or has the word in its name.
    """
    text, start, end = place
    before, word = text[max(0, start - OPTION_CHARACTERS) : start], text[start:end].strip("`'\"[]<>,.")
    option = OPTION_BEFORE.search(before)
    if option is None or not word.isascii() or not word or any(map(str.isspace, word)):
        return False
    if len(word) == 1 and word.isalpha():
        return True
    if not CAPITALS.fullmatch(word) and word not in TYPE_WORDS:
        return False
    parts = option["option"].lower().strip("-").split("-")
    if set(re.split("[_-]", word.lower())) <= {*parts, *(part.rstrip("s") for part in parts)}:
        return True
    first = start - len(before) + option.start("option")
    line = text[text.rfind("\n", 0, first) + 1 : first]
    return option["edge"] == "[" or OPTION_LINE.fullmatch(line) is not None


def _numbers_a_heading(place: SpanInContext) -> bool:
    """Whether a place is the number of a heading, or crosses a line without a letter, as in a table of contents."""
    text, start, end = place
    words = text[start:end]
    if "\n" in words and not any(map(str.isalpha, words)):
        return True
    if not words[:1].isdigit() or "." not in words:
        return False
    first, last = place.line
    line = text[first:last].strip()
    number = SECTION_NUMBER.match(line)
    if number is None or number["number"] != words.strip(" ."):
        return False
    alone = not text[:first].rstrip(" \t").strip("\n") or text[:first].rstrip(" \t").endswith("\n\n")
    short = len(line.split()) <= HEADING_WORDS and line[-1] not in ".,;:"
    return bool(number["stop"]) or (alone and short)
