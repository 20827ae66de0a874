"""What kind of words a question wants, and whether an answer is of that kind."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache

from opendpr.answering.units import NUMBER_WORDS, asked_dimensions, measured_dimensions

_AMOUNTS = f"{NUMBER_WORDS} zero hundred thousand million billion dozen half twice once none no"
HOLDS_NUMBER = re.compile(rf"\d|\b(?:{_AMOUNTS.replace(' ', '|')})\b", re.IGNORECASE)
HOLDS_DATE = re.compile(
    r"\b\d{3,4}s?\b|\b(?:jan|feb|mar|apr|may|jun|jul|aug|sept?|oct|nov|dec)[a-z]*\b|\b(?:mon|tues|wednes|thurs|fri|"
    r"satur|sun)day\b|\bcentur|\b(?:bc|ad|bce)\b|\d{1,2}[/.-]\d{1,2}[/.-]\d{2,4}|\b(?:during|after|before|since|until)\b|"
    r"\b(?:spring|summer|autumn|fall|winter|easter|christmas|today|yesterday|morning|night|noon)\b",
    re.IGNORECASE,
)
HOLDS_MEASURE = re.compile(
    r"second|minute|hour|day|week|month|year|decade|centur|forever|\b\d+\s?(?:[nmµ]?s|min|h|d)\b|met(?:er|re)|mile|"
    r"foot|feet|inch|\b\d[\d.,]*\s?(?:[kcm]?m|ft|in|px)\b|character|byte|line|word|page|\bto\b|[-\u2013]",
    re.IGNORECASE,
)
HOLDS_NAME = re.compile(r"(?<![A-Za-z])[^\W\d_a-z]")
"""A word with a capital."""
FREQUENCY = re.compile(
    r"\d|\b(?:every|each|per) \w|\b(?:once|twice|times|hourly|daily|nightly|weekly|monthly|yearly|annually|always|"
    r"never|rarely)\b",
    re.IGNORECASE,
)
IDENTIFIER = re.compile(r"[\w$%-]*[A-Za-z][\w.-]*")
ANY_WORD = re.compile(r"\w+")
IDENTIFIER_SIGNS = ("-", "/", "$", ".", "%", "~")
"""What begins so is an option, a path or a variable, and says more than its words."""

Test = Callable[[str], object]


def _is_measure(text: str) -> bool:
    return bool(HOLDS_NUMBER.search(text) and HOLDS_MEASURE.search(text))


def _is_name(text: str) -> bool:
    return bool(HOLDS_NAME.search(text)) and not text.isdigit()


def _is_identifier(text: str) -> bool:
    return bool(IDENTIFIER.fullmatch(text.strip(" `'\"*")))


def _is_option(text: str) -> bool:
    return text.startswith("-") or _is_identifier(text)


_SETTING = "timeout|time|size|limit|interval|delay|width|length|lifetime|ttl|count|retries|level|max|min|port"
_VARIABLE = r"env(?:ironment)? var(?:iable)?"
_AFTER_WHEN = "was|were|is|are|did|does|do|has|had|will|would|can|could|may"
_BEFORE_WHEN = "tell (?:me|us)|know|say|sure|recall|remember|wonder|find out|idea|(?:is|was) it|date|day|year|time"
_WHEN_ASKS = (
    r"^\W*(?:(?:in|by|since|until|and|so|but) )?when\b(?!.*, (?:what|which|who|how|where)\b)|\bwhen\W*$|"
    r"^(?!.*\b(?:what|which|who|whom|whose|how|where|why)\b)"
    rf".*(?:\b(?:{_BEFORE_WHEN}),? when\b|\bwhen (?:{_AFTER_WHEN})\b)"
)
"""`when` as the question's word, not as in `What happens when it ends?` or `her fortune when she married`."""
_NO_AMOUNT = "who|what|which|where|when|why|how|option|flag|variable|command"
_KINDS_BY_WORDS: tuple[tuple[str, Test], ...] = (
    (r"\bhow (?:often|frequently)\b", FREQUENCY.search),
    (r"\bhow (?:long|far|tall|high|deep|wide)\b", _is_measure),
    (r"\bhow (?:many|much|old|large|big|fast)\b|\b(?:number|percentage) of\b|\bwhat percent", HOLDS_NUMBER.search),
    (
        r"\b(?:default|tcp|udp) (?:\w+ )?port\b|\b(?:which|what) (?:[\w-]+ )?port\b|\bport number\b|\bport\W*$",
        HOLDS_NUMBER.search,
    ),
    (rf"\bdefault\b.*(?:\b|_)(?:{_SETTING})(?:\b|_)|(?:\b|_)(?:{_SETTING})\b.*\bdefault\b", HOLDS_NUMBER.search),
    (rf"^(?!.*\b(?:{_NO_AMOUNT})\b).*\b(?:max|min)(?:imum)?\b", HOLDS_NUMBER.search),
    (r"\b(?:what|which) exit (?:code|status)\b|\b(?:what|which) rfc\b|\brfc number\b", HOLDS_NUMBER.search),
    (r"\b(?:what|which) (?:[\w.-]+ )?version\b", HOLDS_NUMBER.search),
    (r"\b(?:what|which) (?:[\w.-]+ ){0,4}(?:size|timeout|interval|ttl|lifetime)\b", HOLDS_NUMBER.search),
    (
        rf"{_WHEN_ASKS}|\b(?:what|which) (?:year|date|day|month|century|decade)\b|\brelease date\b",
        HOLDS_DATE.search,
    ),
    (r"^\W*who\b|\b(?:whom|whose|by whom)\b", _is_name),
    (r"^\W*where\b|\b(?:what|which) (?:city|country|state|town|county|continent)\b", HOLDS_NAME.search),
    (
        rf"\b(?:what|which) (?:[\w.-]+ )?{_VARIABLE}|^\W*{_VARIABLE}s? (?:for|to)\b",
        _is_identifier,
    ),
    (r"\b(?:what|which) (?:[\w.-]+ )?(?:flag|switch|option)\b|\b(?:flag|switch|option) (?:for|to)\b", _is_option),
)
ANSWER_KINDS = tuple((re.compile(words), test) for words, test in _KINDS_BY_WORDS)
"""Words that ask for a kind, and what an answer of the kind passes. The first that fits decides."""


def agreement(question: str, answer: str) -> int:
    """1 if an answer is of the kind that the question wants, -1 if it is not, 0 if the question does not say.

    What only repeats words of the question is of no kind, unless it is a choice of them; neither is a length where a
    number of bytes is asked for.

    >>> agreement("How long did it take?", "three weeks"), agreement("How long did it take?", "the bridge")
    (1, -1)
    >>> agreement("How often is it cleaned?", "often"), agreement("Is it red or blue?", "blue")
    (-1, 0)
    """
    lower_question = question.lower()
    if _repeats(lower_question, answer) or _is_other_measure(lower_question, answer):
        return -1
    test = _wanted(lower_question)
    return 0 if test is None else 1 if test(answer) else -1


def asks_for_amount(question: str) -> bool:
    """Whether a question wants a number."""
    return _wanted(question.lower()) in (HOLDS_NUMBER.search, _is_measure)


@lru_cache(maxsize=64)  # asked for every span of a question
def _wanted(lower_question: str) -> Test | None:
    return next((test for words, test in ANSWER_KINDS if words.search(lower_question)), None)


def _repeats(lower_question: str, answer: str) -> bool:
    words = set() if answer.startswith(IDENTIFIER_SIGNS) else set(ANY_WORD.findall(answer.lower()))
    return bool(words) and words <= set(ANY_WORD.findall(lower_question)) and " or " not in lower_question


def _is_other_measure(lower_question: str, answer: str) -> bool:
    wanted = asked_dimensions(lower_question)
    measured = measured_dimensions(answer) if wanted else frozenset()
    return bool(measured) and not wanted & measured
