"""Questions as people type them: each change by hand, and what holds for all of them."""

from __future__ import annotations

import numpy as np
import pytest

from opendpr.training.wordings import bare, keywords, mistyped, shortened, turned, typed

QUESTIONS = [
    "What is the default port of Redis?",
    "Who was the first president of Ghana?",
    "How many seats does the hall have?",
    "when did it open",
    "Why?",
    "?",
]


@pytest.mark.parametrize(
    ("question", "wanted"),
    [
        ("What is the default port of Redis", "default port of Redis"),
        ("what's the default port of Redis", "default port of Redis"),
        ("Which languages are spoken in Chad", "languages are spoken in Chad"),
        ("Who was the first president of Ghana", "first president of Ghana"),
        ("Who was born in 1920", "Who was born in 1920"),  # without who, it asks for nothing
        ("How many seats does the hall have", "How many seats does the hall have"),
        ("What is", "What is"),
    ],
)
def test_bare(question, wanted):
    assert bare(question) == wanted


@pytest.mark.parametrize(
    ("question", "wanted"),
    [
        ("default port of Redis", "Redis default port"),
        ("first president of the republic", "republic first president"),
        ("What type of reptiles eat dogs", "What type of reptiles eat dogs"),
        ("when did it open", "when did it open"),
    ],
)
def test_turned(question, wanted):
    assert turned(question) == wanted


@pytest.mark.parametrize(
    ("question", "wanted"),
    [
        ("What is the default port of Redis", "default port Redis"),
        ("How many seats does the hall have", "How many seats hall"),
        ("Who was it", "Who was it"),  # a single word would be left
    ],
)
def test_keywords(question, wanted):
    assert keywords(question) == wanted


def test_shortened_takes_one_word():
    generator = np.random.default_rng(0)
    assert shortened("maximum of it", generator) == "max of it"
    assert shortened("default maximum", generator) in ("dflt maximum", "default max")
    assert shortened("nothing here", generator) == "nothing here"


def test_mistyped_changes_one_longer_word_by_one_letter():
    generator = np.random.default_rng(0)
    results = {mistyped("the harbour lies", generator) for _ in range(200)}
    for result in results:
        the, word, lies = result.split(" ")
        assert (the, lies, word[0]) == ("the", "lies", "h")
        assert sorted(set(word) | set("harbour")) == sorted(set("harbour"))
        assert len(word) in (6, 7, 8)
    assert {"the hrabour lies", "the hrbour lies", "the haarbour lies"} <= results
    assert mistyped("a port 6379 x_y_z_long", generator) == "a port 6379 x_y_z_long"  # options and numbers stay


@pytest.mark.parametrize("question", QUESTIONS)
def test_typed_is_the_same_for_the_same_seed_and_never_empty(question):
    first = [typed(question, np.random.default_rng(seed)) for seed in range(50)]
    assert first == [typed(question, np.random.default_rng(seed)) for seed in range(50)]
    assert all(result.strip() for result in first)


def test_typed_covers_the_ways_people_type():
    generator = np.random.default_rng(1)
    results = {typed(QUESTIONS[0], generator) for _ in range(300)}
    wanted = {"default port of redis", "redis default port", "default port redis", "what is the default port of redis"}
    assert wanted <= results
    assert not any(result.endswith("?") for result in results)
    assert typed("", generator) == ""
