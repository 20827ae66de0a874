"""Whether a text holds an answer: by hand, against a slow obvious version, and with patterns that mean harm."""

from __future__ import annotations

import time
import tracemalloc
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opendpr.errors import InputError
from opendpr.text import AnswerMatcher, AnswerScan, exact_match, f1, has_answer
from opendpr.text.matching import PATTERN_SIZE, PatternLimits, compile_pattern

PIECES = ("Paris", "paris", "ÎLE", "île", "I", "i̇", "ΑΣ", "ας", "a", "b", " ", "-", "'", ".", "½", "２", "́", "\u200d")
PIECES += ("\x1f", "\t", "\u2028", "東京", "$", "€", "\x00", "_")
ASSIGNED = st.characters(exclude_categories=["Cn", "Cs"])  # newer Unicode in `regex` than in Python assigns more
texts = st.one_of(st.lists(st.sampled_from(PIECES), max_size=12).map("".join), st.text(ASSIGNED, max_size=20))


def slow_tokens(text: str) -> list[str]:
    """Character by character: runs of letters, numbers and marks; of the rest what is no separator or control."""
    tokens, run = [], ""
    for character in unicodedata.normalize("NFD", text):
        kind = unicodedata.category(character)[0]
        if kind in "LNM":
            run += character
            continue
        tokens += [run] * bool(run)
        run = ""
        if kind not in "ZC":
            tokens.append(character)
    return [token.lower() for token in [*tokens, *[run] * bool(run)]]


def slow_has_answer(answers: list[str], text: str) -> bool:
    held = slow_tokens(text)
    for answer in filter(None, map(slow_tokens, answers)):
        if any(held[first : first + len(answer)] == answer for first in range(len(held) - len(answer) + 1)):
            return True
    return False


@pytest.mark.parametrize(
    ("answer", "text", "expected"),
    [
        ("Paris", "in PARIS, France", True),
        ("Paris", "the Parisian", False),
        ("New York", "New\n  York", True),
        ("New York", "New, York", False),
        ("U.S.", "the U.S. Army", True),
        ("U.S.", "the US Army", False),
        ("Beyoncé", "Beyonce\u0301 sang", True),
        ("Beyoncé", "Beyonce sang", False),
        ("1,000", "11,000 men", False),
        ("1,000", "of 1,000 men", True),
        ("wide - awake", "wide-awake", True),
        ("", "any text", False),
        (" ", "", False),
        ("\u200b", "any text", False),
        ("x", "", False),
    ],
)
def test_an_answer_is_found_by_whole_tokens(answer: str, text: str, expected: bool) -> None:
    assert has_answer([answer], text) is expected
    assert has_answer(["zebra", answer], text) is expected
    assert not has_answer([], text)


@given(answers=st.lists(texts, max_size=3), text=texts)
def test_strings_agree_with_the_slow_version(answers: list[str], text: str) -> None:
    assert has_answer(answers, text) == slow_has_answer(answers, text)


@given(answers=st.lists(texts, max_size=3), parts=st.lists(texts, max_size=3))
def test_answers_that_occur_in_the_text_are_found_as_in_the_slow_version(answers: list[str], parts: list[str]) -> None:
    text = " ".join([*parts, *answers[:1], *parts])
    assert has_answer(answers, text) == slow_has_answer(answers, text)


@given(
    questions=st.lists(st.lists(texts, min_size=1, max_size=3), min_size=1, max_size=5),
    passages=st.lists(texts, max_size=6),
    copied=st.booleans(),
)
def test_a_scan_misses_what_no_text_holds(questions: list[list[str]], passages: list[str], copied: bool) -> None:
    passages = passages + [f"{questions[0][-1]} and"] * copied
    scan = AnswerScan({number: AnswerMatcher(answers) for number, answers in enumerate(questions)})
    expected = {n for n, answers in enumerate(questions) if not any(slow_has_answer(answers, p) for p in passages)}
    assert scan.look_through(passages) == expected


def test_long_texts_are_judged_and_not_kept() -> None:
    tracemalloc.start()
    try:
        for number in range(60):
            text = "a" * 100_000 + f" Lisbon{number}"
            assert has_answer([f"lisbon{number}"], text)
            assert has_answer([rf"lisbon{number}$"], text, "regex")
        assert tracemalloc.get_traced_memory()[1] < 3_000_000
    finally:
        tracemalloc.stop()


def test_a_scan_looks_for_patterns_too() -> None:
    matchers = {"year": AnswerMatcher([r"18\d\d"], "regex"), "town": AnswerMatcher(["Lis+bon"], "regex")}
    assert AnswerScan(matchers).look_through(["built in 1888", "in Porto"]) == {"town"}


def test_a_pattern_is_searched_without_regard_to_case_line_by_line() -> None:
    assert has_answer([r"^the (wall|gate)$"], "first line\nThe Wall\nlast line", "regex")
    assert has_answer(["Beyonc[eé]?"], "beyonce\u0301", "regex")
    assert not has_answer([r"^wall"], "the wall", "regex")


@pytest.mark.parametrize(
    ("answer", "match"),
    [
        *[(answer, "string") for answer in ("", " ", "\u200b", "\ufeff\u00ad", "\t\n", "\u2028")],
        *[(pattern, "regex") for pattern in ("", "x*", "x?", "^", "$", "(wall)?", "wall|", r"\s*", "(?=)", "(?i)")],
    ],
)
def test_an_answer_that_would_occur_in_every_text_is_left_out_and_named(answer: str, match: str) -> None:
    for text in ("", "any text", "the tower"):
        assert not has_answer([answer], text, match)
    matcher = AnswerMatcher([answer, "wall"], match)
    assert not matcher("any text")
    assert matcher("the wall")
    assert list(matcher.invalid) == [answer]
    assert repr(answer) in matcher.invalid[answer]
    assert AnswerScan({1: AnswerMatcher([answer], match)}).look_through(["any text"]) == {1}
    assert not exact_match("", [answer], match)
    assert not exact_match("any text", [answer], match)
    assert f1("", [answer]) == 0 or match == "regex"


@pytest.mark.parametrize("pattern", [r"\b", r"\B", "(?=a)", "(?<=a)", r"\b(?=t)"])
def test_a_pattern_that_matches_between_characters_matches_no_answer(pattern: str) -> None:
    assert not has_answer([pattern], "a text at hand", "regex")
    assert not exact_match("a text", [pattern], "regex")


@pytest.mark.parametrize(
    ("prediction", "answer", "equal"),
    [("A", "A", True), ("a", "A", True), ("", "A", False), ("the", "A", False), ("An", "A", False), ("-", "-", True)],
)
def test_an_answer_of_articles_or_signs_alone_is_compared_as_it_is(prediction: str, answer: str, equal: bool) -> None:
    assert exact_match(prediction, [answer]) is equal
    assert f1(prediction, [answer]) == float(equal)


@pytest.mark.parametrize("pattern", ["[", "(", "*", "(?P<n>a)(?P<n", r"\p{Nothing}", "(" * 5_000 + ")" * 5_000])
def test_an_invalid_pattern_matches_nothing_and_is_reported(pattern: str) -> None:
    matcher = AnswerMatcher([pattern, "wall"], "regex")
    assert not matcher("[(*")
    assert matcher("a wall")
    assert list(matcher.invalid) == [pattern]
    assert "is not a regular expression" in matcher.invalid[pattern]
    assert not has_answer([pattern], "a wall", "regex")


@pytest.mark.parametrize("pattern", ["(a{1000}){1000}", "((((((((a{9}){9}){9}){9}){9}){9}){9}){9}", "x{20001,}"])
def test_a_pattern_that_grows_too_large_is_refused_at_once(pattern: str) -> None:
    started = time.process_time()
    with pytest.raises(InputError, match="repetitions"):
        compile_pattern(pattern)
    assert time.process_time() - started < 0.5


@pytest.mark.parametrize(
    "pattern", [r"\d{4}-\d{2}-\d{2}", r"[{}(]{3}\{99999\}", "(?:ab{2}){30}", f"x{{{PATTERN_SIZE}}}"]
)
def test_a_pattern_of_usual_size_is_not_refused(pattern: str) -> None:
    compile_pattern(pattern)


def test_a_catastrophic_pattern_costs_seconds_and_is_counted() -> None:
    limits = PatternLimits(search=0.2, question=0.6)
    matcher = AnswerMatcher([r"(?:.*?,){14}(?:.*)*z(x+x+)+y", "wall"], "regex", limits=limits)
    texts = ["a, " * 300 + str(number) for number in range(50)]
    started = time.process_time()
    assert not any([matcher(text) for text in texts])
    assert matcher.timed_out == len(texts)
    assert time.process_time() - started < 3
    assert matcher("a wall")


def test_a_pattern_that_is_slow_in_every_text_is_given_up() -> None:
    """No single search runs out of time, all together would."""
    matcher = AnswerMatcher([r"(?:.*?,){2}.*?z"], "regex", limits=PatternLimits(question=0.3))
    texts = ["a, " * 120 + str(number) for number in range(200)]
    started = time.process_time()
    assert not any([matcher(text) for text in texts])
    spent = time.process_time() - started
    assert spent < 0.3 + 0.001 * len(texts) + 1
    assert 0 < matcher.timed_out < len(texts)
