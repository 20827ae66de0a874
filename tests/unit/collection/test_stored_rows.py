"""Rows of the collection and their checksums."""

from __future__ import annotations

import zlib

import numpy as np
import pytest

from opendpr.collection.rows import VECTOR_DTYPE, check, passage_crc, to_vectors, vector_crc
from opendpr.errors import CorruptionError

VECTORS = np.array([[1.5, -2.0, 0.0], [0.25, 65504.0, -0.0], [6e-8, 1.0, 2.0]], dtype=VECTOR_DTYPE)


def rows():
    return [(number, row.tobytes(), vector_crc(number, row.tobytes())) for number, row in enumerate(VECTORS, start=7)]


def test_vectors_come_back_as_they_were_stored():
    numbers, vectors = to_vectors(rows(), 3)
    assert numbers.tolist() == [7, 8, 9]
    assert numbers.dtype == np.int64
    assert vectors.tobytes() == VECTORS.tobytes()


def test_no_rows_are_vectors_of_the_right_shape():
    numbers, vectors = to_vectors([], 3)
    assert numbers.shape == (0,)
    assert vectors.shape == (0, 3)


def test_every_flipped_bit_of_a_vector_is_noticed():
    number, vector, crc = rows()[1]
    for bit in range(8 * len(vector)):
        flipped = bytearray(vector)
        flipped[bit // 8] ^= 1 << bit % 8
        with pytest.raises(CorruptionError, match=f"vector of passage {number}"):
            to_vectors([(number, bytes(flipped), crc)], 3)


def test_a_vector_under_the_number_of_another_is_noticed():
    (first, vector, crc), (second, *_rest), *_others = rows()
    assert first != second
    with pytest.raises(CorruptionError, match=f"passage {second}"):
        to_vectors([(second, vector, crc)], 3)


@pytest.mark.parametrize(
    "changed",
    [(8, 3, 100, "some words"), (7, 4, 100, "some words"), (7, 3, 101, "some words"), (7, 3, 100, "some word")],
)
def test_every_part_of_a_passage_is_in_its_checksum(changed):
    assert passage_crc(7, 3, 100, "some words") != passage_crc(*changed)


def test_digits_cannot_move_between_the_parts_of_a_passage():
    assert len({passage_crc(1, 23, 4, "x"), passage_crc(12, 3, 4, "x"), passage_crc(1, 2, 34, "x")}) == 3


def test_checksums_are_crc_32_so_that_other_programs_can_check_them():
    assert passage_crc(7, 3, 100, "naïve") == zlib.crc32(b"7,3,100,na\xc3\xafve")
    assert vector_crc(7, b"\x00\x3c") == zlib.crc32(b"7\x00\x3c")


def test_a_wrong_checksum_names_the_row_and_what_to_do():
    check(5, 5, "passage 9")
    with pytest.raises(CorruptionError, match=r"row of passage 9 does not match its checksum; restore a backup"):
        check(5, 6, "passage 9")
