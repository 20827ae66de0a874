"""A question as people type it: no question word or question mark, keywords alone, another order, typing errors.

Readers learn from carefully written questions; users often type a few words. Each rule changes the wording alone, so
that the answer stays the same.
"""

from __future__ import annotations

import re

import numpy as np

SMALL_WORDS = frozenset(
    re.findall(
        r"\w+",
        "a an the of in on at to for by with from as is are was were be been being do does did has have had can could "
        "will would should may might must it its this that these those there their they he she his her i you your we "
        "our and or than into about also",
    )
)
"""Words that people leave out when they type keywords."""
KEPT_WORDS = frozenset(
    re.findall(r"\w+", "who whom whose when where why how which not no without before after until since many much")
)
"""Words that keywords keep, since they decide what is asked."""
SHORT_FORMS = {
    "default": "dflt",
    "maximum": "max",
    "minimum": "min",
    "number": "nr",
    "seconds": "secs",
    "minutes": "mins",
    "configuration": "config",
    "directory": "dir",
    "environment": "env",
    "variable": "var",
    "parameter": "param",
    "parameters": "params",
    "information": "info",
    "application": "app",
    "applications": "apps",
    "university": "univ",
    "government": "govt",
    "president": "pres",
    "population": "pop",
    "temperature": "temp",
    "average": "avg",
    "approximately": "approx",
    "without": "w/o",
    "with": "w/",
    "department": "dept",
    "organization": "org",
    "international": "intl",
    "versus": "vs",
    "against": "vs",
    "percentage": "%",
    "percent": "%",
    "year": "yr",
    "years": "yrs",
    "people": "ppl",
    "you": "u",
    "are": "r",
}
"""Short forms in common use; `typed` takes one at most."""
OPENINGS = ("tell me", "give me", "i need", "looking for", "find", "show me", "name", "whats", "pls tell me")
ASKING_START = re.compile(
    r"""
    ^(?: (?:what|which) \s+ (?:is|are|was|were) \s+ (?:(?:the|a|an) \s+)?
      |  who \s+ (?:is|are|was|were) \s+ (?:the|a|an) \s+
      |  what's \s+ (?:(?:the|a|an) \s+)?
      |  (?:what|which) \s+ (?=\w+ \s+ (?:is|are|was|were|did|does|do|has|have|can)\b)
      )
    """,
    re.VERBOSE | re.IGNORECASE,
)
"""Beginnings that can be dropped: what follows already says what is asked."""
THING_OF_OWNER = re.compile(
    r"^(?!what|which|how|who|when|where|why)(?P<thing>\w[\w-]*(?: \w[\w-]*){0,2}) (?:of|for|in) "
    r"(?:the |a |an )?(?P<owner>\w.*)$",
    re.IGNORECASE,
)
"""Matches 'default port of X', which is typed as 'X default port'."""
END_MARKS = re.compile(r"[\s?.!]+$")
TYPO_LETTERS = 6
"""Fewest letters of a word that gets a typing error."""


def typed(question: str, generator: np.random.Generator) -> str:
    """The question in another wording, chosen by the generator; never empty unless the question is."""
    text = END_MARKS.sub("", question) or question
    kind = generator.random()
    if kind < 0.35:
        text = bare(text)
    elif kind < 0.6:
        text = turned(bare(text))
    elif kind < 0.8:
        text = keywords(text)
    elif kind < 0.9:
        opening = OPENINGS[int(generator.integers(len(OPENINGS)))]
        text = f"{opening} {bare(text)}" if bare(text) != text else text
    if generator.random() < 0.2:
        text = shortened(text, generator)
    if generator.random() < 0.2:
        text = mistyped(text, generator)
    return text.lower() if generator.random() < 0.8 else text


def bare(question: str) -> str:
    """The question without a beginning that can be dropped: 'What is the default port of X' is 'default port of X'."""
    return ASKING_START.sub("", question, count=1).strip() or question


def turned(question: str) -> str:
    """The question with the owner first: 'default port of X' is 'X default port'."""
    match = THING_OF_OWNER.match(question)
    return f"{match['owner']} {match['thing']}" if match else question


def keywords(question: str) -> str:
    """The question without small words, and without the 'what' or 'which' that a keyword question does not need."""
    words = question.split()
    kept = [word for word in words if word.lower() in KEPT_WORDS or word.lower() not in SMALL_WORDS | {"what", "which"}]
    return " ".join(kept) if len(kept) > 1 else question


def shortened(question: str, generator: np.random.Generator) -> str:
    """The question with one word in its short form, if one of them has one."""
    words = question.split(" ")
    places = [place for place, word in enumerate(words) if word.lower() in SHORT_FORMS]
    if places:
        place = places[int(generator.integers(len(places)))]
        words[place] = SHORT_FORMS[words[place].lower()]
    return " ".join(words)


def mistyped(question: str, generator: np.random.Generator) -> str:
    """The question with a typing error in a longer word: letters swapped, one left out or doubled, never the first."""
    words = question.split(" ")
    places = [place for place, word in enumerate(words) if len(word) >= TYPO_LETTERS and word.isalpha()]
    if not places:
        return question
    place = places[int(generator.integers(len(places)))]
    word, kind = words[place], int(generator.integers(3))
    at = int(generator.integers(1, len(word) - 1))
    if kind == 0:
        words[place] = word[:at] + word[at + 1] + word[at] + word[at + 2 :]
    elif kind == 1:
        words[place] = word[:at] + word[at + 1 :]
    else:
        words[place] = word[:at] + word[at] + word[at:]
    return " ".join(words)
