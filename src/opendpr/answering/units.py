"""Units of measure: they stay with their number, and a unit without a number does not say how much."""

from __future__ import annotations

import re
from functools import lru_cache

from opendpr.answering.surroundings import in_context, recut
from opendpr.text.boundaries import CURRENCY_CODES
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
_MONEY = rf"dollars?|euros?|pounds|francs?|marks|crowns?|cents?|(?:{CURRENCY_CODES})(?!\w)|kr\b"
_COUNT = r"hundred|thousand|million|billion|trillion"
_ANY = f"{_SIZE}|{_TIME}|{_LENGTH}|{_MASS}|{_HEAT}|{_RATE}|{_MONEY}"
_OHM, _MICRO = "\u03a9\u2126", "\u00b5\u03bc"
_SYMBOL = rf"[kMGTmcdhn{_MICRO}]?(?:[mglLsWJNVAKBb{_OHM}]|Pa|mol|Hz|bar|cal|Wh|Ah|bit|eV)|min|h|d|°C"
_EXPONENT = r"(?:[\u00b2\u00b3]|\u207b[\u00b9\u00b2\u00b3]|\^[-\u2212]?\d)?"
_COMPOUND = rf"(?:{_SYMBOL}){_EXPONENT}(?:[/\u00b7\u22c5](?:{_SYMBOL}){_EXPONENT})+"
_SYMBOL_ALONE = (
    rf"[kMGmn{_MICRO}]?(?:[V{_OHM}]|Pa|Wh|Ah|eV|Bq|Sv|mol|cal|VA)|[kmn{_MICRO}]A|[kM][NJ]|[cdhm]?[lL]|[{_MICRO}][mgFlL]|"
    r"[mnp]F|[kMG]W|m?bar|hPa|mmHg|lx|lm|pp[mb]|dB(?:\(A\)|A|m)?|rpm|hp|bpm|dpi|fps|ha"
)
"""Signs of units that no word begins with; a single `A` or `N` is more often a word."""
UNIT = re.compile(
    rf"(?:[^\S\n]?(?:{_COMPOUND}|{_SYMBOL_ALONE})|(?:\s|-(?=[a-z]))?(?:{_COUNT}|{_ANY}))(?![\w\u00b2\u00b3-])"
)
NUMBER_WORDS = (
    "one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen "
    "eighteen nineteen twenty thirty forty fifty sixty seventy eighty ninety"
)
"""Numbers that have a word of their own."""
_OTHER_DIGITS = r"\u00b2\u00b3\u00b9\u00bc-\u00be\u2070-\u2079\u2150-\u215e"
NUMBER_END = re.compile(rf"(?:[\d{_OTHER_DIGITS}]|\b(?:{NUMBER_WORDS.replace(' ', '|')}|{_COUNT}))\Z", re.IGNORECASE)
"""A span that ends so may have its unit behind it."""
UNIT_ALONE = re.compile(rf"(?:the |an? )?(?:number |units? |amount |time )?(?:in |of )?(?:{_ANY})", re.IGNORECASE)
DIMENSIONS = {"size": _SIZE, "time": _TIME, "length": _LENGTH, "mass": _MASS, "heat": _HEAT, "money": _MONEY}
_MEASURED = {
    name: re.compile(rf"(?:\d|\b(?:{NUMBER_WORDS.replace(' ', '|')}|{_COUNT}|half an?))[\s-]?(?:{units})(?![\w-])")
    for name, units in DIMENSIONS.items()
}
"""A number with a unit of each dimension."""
_DIMENSION_PATTERNS = {name: re.compile(units, re.IGNORECASE) for name, units in DIMENSIONS.items()}
_ASKED_UNIT = re.compile(r"\b(?:in|how many|number of) (?P<unit>[a-z]{2,})\b|\b(?P<last>[a-z]{2,})\W*$")
_NO_UNITS = frozenset({"us", "second", "foot", "yard", "mark"})
"""Words of a question that have another meaning more often."""


def with_unit(span: Span, question: str) -> Span:
    """The span with the unit that follows its number in the passage, if any: `281` of `281 terabytes`.

    Args:
        question: a unit that it asks with is not repeated: `how many bytes` wants a number
    """
    text, start, end = in_context(span)
    if not NUMBER_END.search(text, max(0, start), end):
        return span
    last = end
    while (unit := UNIT.match(text, last)) and unit[0].strip(" -").lower() not in question.lower():
        last = unit.end()
    return span if last == end else recut(span, start, last)


def is_unit_alone(text: str) -> bool:
    """Whether a text is a unit without a number.

    >>> is_unit_alone("seconds"), is_unit_alone("units of seconds"), is_unit_alone("5 seconds")
    (True, True, False)
    """
    return bool(UNIT_ALONE.fullmatch(text.strip(" .,;:()")))


@lru_cache(maxsize=64)  # asked for every span of a question
def asked_dimensions(question: str) -> frozenset[str]:
    """What is measured by the unit that a question asks in, as `in bytes` or `how many seconds`.

    >>> sorted(asked_dimensions("How long may a line be, in bytes?"))
    ['size']
    """
    words = {word for match in _ASKED_UNIT.finditer(question.lower()) for word in match.groups() if word}
    return frozenset(
        name
        for name, units in _DIMENSION_PATTERNS.items()
        for word in words - _NO_UNITS
        if units.fullmatch(word) is not None
    )


def measured_dimensions(text: str) -> frozenset[str]:
    """What is measured by the units that follow numbers in a text.

    >>> sorted(measured_dimensions("half a mile in 20 minutes"))
    ['length', 'time']
    """
    return frozenset(name for name, units in _MEASURED.items() if units.search(text))
