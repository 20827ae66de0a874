"""What kind of words a question wants, and whether an answer is of that kind."""

from __future__ import annotations

import re
from collections.abc import Callable

_NUMBER_WORDS = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen "
    "eighteen nineteen twenty thirty forty fifty sixty seventy eighty ninety hundred thousand million billion dozen "
    "half twice once none no"
)
NUMBER = re.compile(rf"\d|\b(?:{_NUMBER_WORDS.replace(' ', '|')})\b", re.IGNORECASE)
DATE = re.compile(
    r"\b\d{3,4}s?\b|\b(?:jan|feb|mar|apr|may|jun|jul|aug|sept?|oct|nov|dec)[a-z]*\b|\b(?:mon|tues|wednes|thurs|fri|"
    r"satur|sun)day\b|\bcentur|\b(?:bc|ad|bce)\b|\d{1,2}[/.-]\d{1,2}[/.-]\d{2,4}|\b(?:during|after|before|since|until)\b|"
    r"\b(?:spring|summer|autumn|fall|winter|easter|christmas|today|yesterday|morning|night|noon)\b",
    re.IGNORECASE,
)
MEASURE = re.compile(
    r"second|minute|hour|day|week|month|year|decade|centur|forever|\b\d+\s?(?:[nmµ]?s|min|h|d)\b|met(?:er|re)|mile|"
    r"foot|feet|inch|\b\d[\d.,]*\s?(?:[kcm]?m|ft|in|px)\b|character|byte|line|word|page|\bto\b|[-\u2013]",
    re.IGNORECASE,
)
NAME = re.compile(r"(?<![A-Za-z])[^\W\d_a-z]")
"""A word with a capital."""

Test = Callable[[str], object]


def _is_measure(text: str) -> bool:
    return bool(NUMBER.search(text) and MEASURE.search(text))


def _is_name(text: str) -> bool:
    return bool(NAME.search(text)) and not text.isdigit()


_WORDS: tuple[tuple[str, Test], ...] = (
    (r"\bhow (?:long|far|tall|high|deep|wide)\b", _is_measure),
    (r"\bhow (?:many|much|old|large|big|fast)\b|\b(?:number|percentage) of\b|\bwhat percent", NUMBER.search),
    (r"\b(?:default|which|what|tcp|udp)\b.*\bport\b|\bport number\b", NUMBER.search),
    (r"\bdefault\b.*\b(?:timeout|size|limit|interval|delay|width|length|lifetime|ttl)\b", NUMBER.search),
    (r"\bwhen\b|\b(?:what|which) (?:year|date|day|month|century|decade)\b", DATE.search),
    (r"^\W*who\b|\b(?:whom|whose|by whom)\b", _is_name),
    (r"^\W*where\b|\b(?:what|which) (?:city|country|state|town|county|continent)\b", NAME.search),
)
KINDS = tuple((re.compile(words), test) for words, test in _WORDS)
"""Words that ask for a kind, and what an answer of the kind passes. The first that fits decides."""


def agreement(question: str, answer: str) -> int:
    """1 if an answer is of the kind that the question wants, -1 if it is not, 0 if the question does not say.

    >>> agreement("How long did it take?", "three weeks"), agreement("How long did it take?", "the bridge")
    (1, -1)
    """
    asked = question.lower()
    for words, test in KINDS:
        if words.search(asked):
            return 1 if test(answer) else -1
    return 0
