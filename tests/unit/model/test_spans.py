"""The best spans of a window: by hand, and against three loops."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from opendpr.model.directory import Model
from opendpr.model.spans import (
    TokenSpan,
    WindowWords,
    at_word_borders,
    best_spans,
    characters,
    log_softmax,
    whole_words,
)
from opendpr.model.tokenizer import Tokenizer, Tokens


def spans(start: list[float], end: list[float], words: list[int], **keywords: int) -> list[tuple[int, int]]:
    settings = {"max_tokens": 10, "count": 3, **keywords}
    logits = np.array(start, np.float32), np.array(end, np.float32)
    best = best_spans(*logits, WindowWords(np.array(words, np.int32)), **settings)
    return [(span.first, span.last) for span in best]


def slow_spans(
    start: list[float], end: list[float], words: list[int], max_tokens: int, count: int
) -> list[tuple[int, int, float]]:
    """Every pair of a first and a last token, over and over until enough are found."""
    log_start = [value - math.log(sum(map(math.exp, start))) for value in start]
    log_end = [value - math.log(sum(map(math.exp, end))) for value in end]
    pairs = [(i, j) for i in range(len(start)) for j in range(len(start)) if i <= j < i + max_tokens]
    whole = [
        (i, j)
        for i, j in pairs
        if (i == 0 or words[i - 1] != words[i]) and (j == len(words) - 1 or words[j + 1] != words[j])
    ]
    chosen: list[tuple[int, int, float]] = []
    for _ in range(count):
        best = None
        for i, j in whole:
            if any(i <= last and first <= j for first, last, _ in chosen):
                continue
            score = log_start[i] + log_end[j]
            if best is None or score > best[2] + 1e-9:
                best = (i, j, score)
        if best is None:
            break
        chosen.append(best)
    return chosen


def test_the_best_span_goes_from_the_best_start_to_the_best_end() -> None:
    assert spans([0, 5, 0, 0], [0, 0, 5, 0], [0, 1, 2, 3], count=1) == [(1, 2)]


def test_a_span_never_ends_before_it_starts() -> None:
    assert spans([0, 0, 9], [8, 0, 0], [0, 1, 2], count=1) == [(2, 2)]


def test_a_score_is_the_sum_of_two_log_probabilities() -> None:
    start, end = np.array([2, 0, 1], np.float32), np.array([0, 3, 1], np.float32)
    (best,) = best_spans(start, end, WindowWords(np.arange(3, dtype=np.int32)), max_tokens=5, count=1)
    expected = 2 - math.log(math.e**2 + 1 + math.e) + 3 - math.log(1 + math.e**3 + math.e)
    assert best == TokenSpan(0, 1, pytest.approx(expected, abs=1e-6))


def test_spans_neither_start_nor_end_inside_a_word() -> None:
    words = [0, 1, 1, 1, 2]
    assert sorted(spans([0, 0, 9, 0, 0], [0, 0, 9, 0, 0], words)) == [(0, 0), (1, 3), (4, 4)]


def test_a_word_longer_than_a_span_may_be_is_no_answer_and_neither_is_a_part_of_it() -> None:
    assert spans([0, 9, 0, 0], [0, 0, 9, 0], [0, 0, 0, 0], max_tokens=2) == []
    assert spans([0, 9, 0, 0], [0, 0, 9, 0], [0, 0, 0, 1], max_tokens=2) == [(3, 3)]


def test_a_mark_inside_a_word_means_the_whole_word() -> None:
    """As that of a reader that marks `12.50` in `$12.50`."""
    start, end = np.array([0, 0, 9, 0], np.float32), np.array([0, 9, 0, 0], np.float32)
    lifted = at_word_borders(start, end, np.array([0, 1, 1, 1], np.int32))
    assert [values.tolist() for values in lifted] == [[0, 9, 0, 0], [0, 0, 0, 9]]
    assert spans([0, 0, 9, 0], [0, 9, 0, 0], [0, 1, 1, 1], count=1) == [(1, 3)]


def test_no_span_crosses_a_border_between_blocks() -> None:
    """A number of a word is left out where a block begins."""
    assert spans([9, 0, 0, 0], [0, 0, 9, 8], [0, 1, 2, 3], count=1) == [(0, 2)]
    assert spans([9, 0, 0, 0], [0, 5, 9, 8], [0, 1, 3, 4], count=1) == [(0, 1)]


def test_spans_that_overlap_a_better_one_are_left_out() -> None:
    assert spans([9, 8, 0, 0], [0, 9, 8, 1], [0, 1, 2, 3]) == [(0, 1), (2, 2), (3, 3)]


def test_spans_have_at_most_max_tokens() -> None:
    short = spans([9, 0, 0, 0], [0, 0, 0, 9], [0, 1, 2, 3], max_tokens=2, count=4)
    assert all(last - first < 2 for first, last in short)
    assert spans([9, 0, 0, 0], [0, 0, 0, 9], [0, 1, 2, 3], max_tokens=4, count=1) == [(0, 3)]


def test_a_window_that_cuts_words_says_so_with_the_words_outside() -> None:
    """The first token belongs to a word that began before the window, the last to one that goes on after it."""
    start, end = np.array([9, 1, 0, 0], np.float32), np.array([0, 0, 1, 9], np.float32)
    words = np.array([4, 5, 6, 7], np.int32)
    (whole,) = best_spans(start, end, WindowWords(words), max_tokens=4, count=1)
    (inner,) = best_spans(start, end, WindowWords(words, around=(4, 7)), max_tokens=4, count=1)
    assert (whole.first, whole.last) == (0, 3)
    assert (inner.first, inner.last) == (1, 2)


@st.composite
def logit_cases(draw: st.DrawFn) -> tuple[list[float], list[float], list[int]]:
    """Scores that are all different, so that there is one right order."""
    length = draw(st.integers(1, 9))
    start = draw(st.permutations(range(length)))
    end = draw(st.permutations(range(length)))
    words = np.cumsum(draw(st.lists(st.integers(0, 1), min_size=length, max_size=length))).tolist()
    return [value * 0.37 for value in start], [value * 0.5 + 0.01 * value**2 for value in end], words


@given(logit_cases(), st.integers(1, 5), st.integers(1, 4))
def test_the_best_spans_are_the_slow_obvious_ones(
    case: tuple[list[float], list[float], list[int]], max_tokens: int, count: int
) -> None:
    start, end, words = case
    arrays = (np.array(start, np.float32), np.array(end, np.float32), np.array(words, np.int32))
    best = best_spans(*arrays[:2], WindowWords(arrays[2]), max_tokens=max_tokens, count=count)
    start, end = (values.tolist() for values in at_word_borders(*arrays))
    expected = slow_spans(start, end, words, max_tokens, count)
    assert [span.score for span in best] == pytest.approx([score for _, _, score in expected], abs=1e-4)
    assert [(span.first, span.last) for span in best] == [(first, last) for first, last, _ in expected]


def test_log_softmax_of_large_logits_is_finite() -> None:
    values = log_softmax(np.array([[1e4, 0, -1e4]], np.float32))
    assert np.isfinite(values).all()
    assert np.exp(values).sum() == pytest.approx(1)


def test_characters_go_from_the_first_token_to_the_last() -> None:
    text = Tokens(np.zeros(3, np.int32), np.array([[0, 3], [4, 6], [6, 9]], np.int32), np.array([0, 1, 1], np.int32))
    assert characters(TokenSpan(1, 2, 0.0), text, "was it not so") == (4, 9)


def test_accents_that_have_no_token_belong_to_the_word_before_them() -> None:
    tokens = Tokens(np.zeros(2, np.int32), np.array([[0, 4], [6, 8]], np.int32), np.arange(2, dtype=np.int32))
    text = "cafe\u0301 ou\u0301\u0323"
    assert characters(TokenSpan(0, 0, 0.0), tokens, text) == (0, 5)
    assert characters(TokenSpan(0, 1, 0.0), tokens, text) == (0, len(text))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("In 1,888.5 at 10:30", ["In", "1,888.5", "at", "10:30"]),
        ("edit setup.py. Then", ["edit", "setup.py", ".", "Then"]),
        ("the U.S. and Ada's", ["the", "U.S", ".", "and", "Ada", "'", "s"]),
        ("don't, we\u2019ll", ["don't", ",", "we\u2019ll"]),
        ("ends.Next a.", ["ends", ".", "Next", "a", "."]),
        ("red,blue 3:x", ["red", ",", "blue", "3", ":", "x"]),
        ("", []),
    ],
)
def test_signs_within_a_word_do_not_part_it(tiny_model: Path, text: str, words: list[str]) -> None:
    (tokens,) = Tokenizer(Model(tiny_model).tokenizer_path)([text])
    numbers = whole_words(text, tokens)
    places = [tokens.offsets[numbers == number] for number in dict.fromkeys(numbers.tolist())]
    assert [text[offsets[0, 0] : offsets[-1, 1]] for offsets in places] == words


def test_a_blank_line_a_table_cell_and_a_list_item_leave_a_number_out(tiny_model: Path) -> None:
    text = "Reserved.\n\nnobody\t65534\n- milk\n- eggs here"
    (tokens,) = Tokenizer(Model(tiny_model).tokenizer_path)([text])
    numbers = whole_words(text, tokens)
    blocks = np.cumsum(np.diff(numbers, prepend=numbers[0]) > 1)
    places = [tokens.offsets[blocks == block] for block in dict.fromkeys(blocks.tolist())]
    expected = ["Reserved.", "nobody", "65534", "- milk", "- eggs here"]
    assert [text[block[0, 0] : block[-1, 1]] for block in places] == expected
