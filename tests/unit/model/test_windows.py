"""Long passages are windowed without loss."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from opendpr.model.config import Architecture, InputForm, ReaderConfig
from opendpr.model.directory import Model
from opendpr.model.tokenizer import TokenIds, Tokenizer, Tokens
from opendpr.model.windows import Window, windows

SHAPE = Architecture(30_522, 32, 2, 2, 64)
CONFIG = ReaderConfig(SHAPE, max_tokens=40, stride_tokens=8, max_question_tokens=10)


@pytest.fixture(scope="module")
def tokenizer(tiny_model: Path) -> Tokenizer:
    return Tokenizer(Model(tiny_model).tokenizer_path)


def ids(count: int, first: int = 1_000) -> TokenIds:
    return np.arange(first, first + count, dtype=np.int32)


def text(count: int) -> Tokens:
    return Tokens(ids(count, 5_000), np.zeros((count, 2), np.int32), np.arange(count, dtype=np.int32))


def held(window: Window) -> list[int]:
    return window.sequence.ids[window.position : window.position + window.length_tokens].tolist()


def test_a_short_passage_has_one_window(tokenizer: Tokenizer) -> None:
    (window,) = windows(ids(3), ids(2, 2_000), text(5), config=CONFIG, tokenizer=tokenizer)
    cls, sep = tokenizer.marks.cls, tokenizer.marks.sep
    assert window.sequence.ids.tolist() == [
        *(cls, 1000, 1001, 1002, sep),
        *(2000, 2001, sep),
        *(5000, 5001, 5002, 5003, 5004, sep),
    ]
    assert window.sequence.types.tolist() == [0] * 5 + [1] * 9
    assert (window.position, window.first, window.length_tokens) == (8, 0, 5)


def test_the_form_decides_on_title_and_token_types(tokenizer: Tokenizer) -> None:
    config = ReaderConfig(SHAPE, input_form=InputForm(title=False, token_types="zeros"))
    (window,) = windows(ids(1), ids(2, 2_000), text(2), config=config, tokenizer=tokenizer)
    assert window.sequence.ids.tolist() == [
        tokenizer.marks.cls,
        1000,
        tokenizer.marks.sep,
        5000,
        5001,
        tokenizer.marks.sep,
    ]
    assert window.sequence.types.tolist() == [0] * 6


def test_a_passage_without_a_title_has_no_empty_segment(tokenizer: Tokenizer) -> None:
    (window,) = windows(ids(1), ids(0), text(1), config=CONFIG, tokenizer=tokenizer)
    assert window.sequence.ids.tolist() == [tokenizer.marks.cls, 1000, tokenizer.marks.sep, 5000, tokenizer.marks.sep]


def test_long_questions_and_titles_are_cut_to_their_limit(tokenizer: Tokenizer) -> None:
    pieces = windows(ids(50), ids(50, 2_000), text(40), config=CONFIG, tokenizer=tokenizer)
    for window in pieces:
        assert window.position == 1 + 10 + 1 + 10 + 1
        assert window.sequence.ids[1:11].tolist() == ids(10).tolist()
        assert window.sequence.ids[12:22].tolist() == ids(10, 2_000).tolist()


def test_a_text_without_tokens_has_no_window(tokenizer: Tokenizer) -> None:
    assert windows(ids(3), ids(2), text(0), config=CONFIG, tokenizer=tokenizer) == []


@settings(max_examples=150, deadline=None)
@given(question=st.integers(0, 15), title=st.integers(0, 15), length=st.integers(1, 200), stride=st.integers(0, 16))
def test_every_token_and_every_span_up_to_the_stride_is_whole_in_some_window(
    tokenizer: Tokenizer, question: int, title: int, length: int, stride: int
) -> None:
    config = ReaderConfig(SHAPE, max_tokens=40, stride_tokens=stride, max_question_tokens=10)
    whole = text(length)
    pieces = windows(ids(question), ids(title, 2_000), whole, config=config, tokenizer=tokenizer)
    for window in pieces:
        assert len(window.sequence.ids) <= config.max_tokens
        assert window.length_tokens > 0
        assert held(window) == whole.ids[window.first : window.first + window.length_tokens].tolist()
        assert window.sequence.ids[-1] == tokenizer.marks.sep
    room = config.max_tokens - pieces[0].position - 1
    for size in {1, min(max(1, stride), room, length)}:
        for first in range(length - size + 1):
            assert any(w.first <= first and first + size <= w.first + w.length_tokens for w in pieces)
    assert pieces[-1].first + pieces[-1].length_tokens == length
