"""Sequences and batches of tokens."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from opendpr.model.batches import TokenSequence, by_length, even_size, join, pad
from opendpr.model.config import InputForm
from opendpr.model.tokenizer import Marks

MARKS = Marks(cls=1, sep=2, pad=0)
ZEROS, SEGMENTS = InputForm(token_types="zeros"), InputForm(token_types="segments")


def part(*ids: int) -> np.ndarray:
    return np.array(ids, dtype=np.int32)


def test_parts_are_joined_with_separators() -> None:
    sequence = join([part(7, 8), part(9)], MARKS, ZEROS)
    assert sequence.ids.tolist() == [1, 7, 8, 2, 9, 2]
    assert sequence.types.tolist() == [0] * 6
    assert sequence.ids.dtype == sequence.types.dtype == np.int32


def test_segments_mark_what_follows_the_first_separator() -> None:
    sequence = join([part(7, 8), part(9), part(5)], MARKS, SEGMENTS)
    assert sequence.ids.tolist() == [1, 7, 8, 2, 9, 2, 5, 2]
    assert sequence.types.tolist() == [0, 0, 0, 0, 1, 1, 1, 1]
    assert join([part(7)], MARKS, SEGMENTS).types.tolist() == [0, 0, 0]


def test_empty_parts_leave_their_separator() -> None:
    assert join([part()], MARKS, SEGMENTS).ids.tolist() == [1, 2]


def test_two_separators_part_texts_where_the_tokenizer_has_two() -> None:
    sequence = join([part(7, 8), part(9)], MARKS._replace(between=2), ZEROS)
    assert sequence.ids.tolist() == [1, 7, 8, 2, 2, 9, 2]


def test_a_form_without_closing_ends_with_the_text() -> None:
    assert join([part(7), part(9)], MARKS, InputForm(closing=False)).ids.tolist() == [1, 7, 2, 9]


def test_rows_are_filled_on_the_right() -> None:
    batch = pad([TokenSequence(part(5, 6, 7), part(0, 1, 1)), TokenSequence(part(8), part(1))], pad_id=9)
    assert batch.ids.tolist() == [[5, 6, 7], [8, 9, 9]]
    assert batch.types.tolist() == [[0, 1, 1], [1, 0, 0]]
    assert batch.mask.tolist() == [[1, 1, 1], [1, 0, 0]]


def test_rows_are_padded_to_a_length_that_others_have_too_where_the_network_takes_as_many() -> None:
    sequence = TokenSequence(np.arange(17, dtype=np.int32), np.zeros(17, np.int32))
    shapes = [pad([sequence], pad_id=9, most=most).ids.shape[1] for most in (0, 17, 20, 32, 512)]
    assert shapes == [17, 17, 20, 32, 32]
    padded = pad([sequence], pad_id=9, most=512)
    assert padded.ids[0, 17:].tolist() == [9] * 15
    assert padded.mask.sum() == 17


@given(st.lists(st.integers(1, 50), max_size=40), st.integers(1, 9))
def test_every_row_is_in_one_batch_and_the_longest_come_first(lengths: list[int], size: int) -> None:
    rows = [batch.tolist() for batch in by_length(lengths, size)]
    flat = [row for batch in rows for row in batch]
    assert sorted(flat) == list(range(len(lengths)))
    assert [lengths[row] for row in flat] == sorted(lengths, reverse=True)
    assert all(len(batch) == size for batch in rows[:-1])


def test_twenty_rows_are_four_batches_for_two_at_a_time_and_not_five() -> None:
    assert even_size(20, 4, 2) == 5
    assert even_size(40, 4, 2) == 4
    assert even_size(3, 4, 2) == 2
    assert even_size(20, 4, 1) == 4
    assert even_size(1, 4, 8) == 1


@given(st.integers(1, 2_000), st.integers(1, 64), st.integers(1, 16))
def test_even_batches_are_near_the_size_wanted_and_come_in_whole_rounds(rows: int, size: int, parallel: int) -> None:
    chosen = even_size(rows, size, parallel)
    batches = -(-rows // chosen)
    assert 1 <= chosen <= 2 * size + 1
    whole = -(-batches // parallel) * parallel
    assert whole * (chosen - 1) < rows, "no smaller batch would do with as many rounds"
