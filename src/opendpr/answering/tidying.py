"""Spans as people would mark them: units stay with their number, and what cannot answer anything is left out."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from opendpr.types import Span

_SIZE = r"(?:kilo|mega|giga|tera|peta|exa|kibi|mebi|gibi|tebi)?(?:bytes?|bits?)|[kKMGTPE]i?[Bb]\b|[KMGT]b?it/s"
_TIME = (
    r"(?:nano|micro|milli)?seconds?|[nmµ]s|secs?|minutes?|mins?|hours?|days?|weeks?|months?|years?|decades?|centuries"
)
_LENGTH = (
    r"(?:kilo|centi|milli|nano)?met(?:er|re)s?|[kcmn]?m[²³]?|miles?|feet|foot|ft|inch(?:es)?|yards?|acres?|hectares?"
)
_MASS = r"(?:kilo|milli)?grams?|k?g|tons?|tonnes?|pounds?|lbs?|ounces?|lit(?:er|re)s?"
_HEAT = r"°\s?[CF]?|degrees?(?: (?:Celsius|Fahrenheit))?"
_RATE = r"percent|per cent|%|[kMG]?Hz|k?W|volts?|mph|km/h|kn|knots?|pixels?|px"
_MONEY = r"dollars?|euros?|pounds|francs?|marks|crowns?|cents?|[A-Z]{3}(?=\W)(?<=USD|EUR|GBP|SEK|NOK|DKK|CHF)"
_COUNT = r"hundred|thousand|million|billion|trillion"
UNIT = re.compile(
    rf"(?:\s|-(?=[a-z]))?(?:{_COUNT}|{_SIZE}|{_TIME}|{_LENGTH}|{_MASS}|{_HEAT}|{_RATE}|{_MONEY})(?![\w-])"
)
NUMBER_WORDS = (
    "one two three four five six seven eight nine ten eleven twelve fifteen twenty thirty forty fifty sixty ninety"
)
NUMBER = re.compile(rf"(?:\d|\b(?:{NUMBER_WORDS.replace(' ', '|')}|{_COUNT}))\Z", re.IGNORECASE)
"""A span that ends so may have its unit behind it."""
PLACEHOLDER = re.compile(r"<[a-z][a-z0-9 _-]*>|\{[a-z][a-z0-9_-]*\}")
"""What a manual writes for something to be put in, as `<n>`."""
PLACEHOLDER_CHARACTERS = 40
OPENING = frozenset("<{(")
SECTION = re.compile(r"(?<=[\w.+-])\(\d[a-z]{0,2}\)")
"""Where a name of a manual page has its section, as `git(1)`."""
EMPHASIS = re.compile(r"\*{1,3}|`{1,2}")
"""What stands before and behind emphasised words in Markdown."""
EMPHASIS_CHARACTERS = 3


def tidied(spans: Sequence[Span], question: str = "") -> list[Span]:
    """The spans that can be answers, in the same order, with the units of their numbers; all of them if none can.

    Half a pair of marks of emphasis is left out of them.

    Args:
        question: a unit that it asks with is not repeated: `how many bytes` wants a number
    """
    usable = [span for span in spans if is_answer(span)] or spans
    return [with_unit(without_half_a_pair(span), question) for span in usable]


def is_answer(span: Span) -> bool:
    """Whether a span says anything: it has a letter or a digit, and is no placeholder and no section of a manual."""
    if not any(map(str.isalnum, span.text)):
        return False
    passage = span.hit.passage
    text, start, end = passage.text + span.hit.after, span.start - passage.start, span.end - passage.start
    around = text[max(0, start - PLACEHOLDER_CHARACTERS) : end + PLACEHOLDER_CHARACTERS]
    first = min(start, PLACEHOLDER_CHARACTERS)
    last = first + end - start
    return OPENING.isdisjoint(around) or not any(
        match.start() <= first and last <= match.end()
        for pattern in (PLACEHOLDER, SECTION)
        for match in pattern.finditer(around)
    )


def without_half_a_pair(span: Span) -> Span:
    """The span without a mark of emphasis at one end that has its partner just outside: `Lund` of `**Lund` + `**`."""
    passage = span.hit.passage
    seen, start, end = passage.text + span.hit.after, span.start - passage.start, span.end - passage.start
    before = _mark(seen[max(0, start - EMPHASIS_CHARACTERS) : start], at_end=True)
    behind = _mark(seen[end : end + EMPHASIS_CHARACTERS], at_end=False)
    if before and before == _mark(span.text, at_end=True) and before not in span.text[: -len(before)]:
        end -= len(before)
    elif behind and behind == _mark(span.text, at_end=False) and behind not in span.text[len(behind) :]:
        start += len(behind)
    else:
        return span
    return replace(span, start=passage.start + start, end=passage.start + end, text=seen[start:end])


def _mark(text: str, *, at_end: bool) -> str:
    """The mark of emphasis that a text ends or begins with."""
    signs = text[len(text.rstrip("*`")) :] if at_end else text[: len(text) - len(text.lstrip("*`"))]
    return signs if EMPHASIS.fullmatch(signs) else ""


def with_unit(span: Span, question: str) -> Span:
    """The span with the unit that follows its number in the passage, if any: `281` of `281 terabytes`."""
    passage = span.hit.passage
    seen, end = passage.text + span.hit.after, span.end - passage.start
    if not NUMBER.search(seen, max(0, span.start - passage.start), end):
        return span
    while (unit := UNIT.match(seen, end)) and unit[0].strip(" -").lower() not in question.lower():
        end = unit.end()
    if end == span.end - passage.start:
        return span
    return replace(span, end=passage.start + end, text=seen[span.start - passage.start : end])
