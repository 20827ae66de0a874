"""Sequences of tokens, and batches of them with little padding."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from opendpr.model.config import InputForm
from opendpr.model.tokenizer import Marks, TokenIds

LENGTH_STEP = 16
"""Lengths of batches are multiples of this: a network prepares itself anew for each new shape, which takes longer than
a few tokens of padding, and matrix units work on 16 rows at once."""


class TokenSequence(NamedTuple):
    """What a network reads as one row."""

    ids: TokenIds
    """(L,)"""
    types: TokenIds
    """(L,): 0 for the first segment, 1 for the second."""
    truncated: bool = False
    """Whether the text was longer, and lost its end."""


class Batch(NamedTuple):
    """Padded rows, each (B, L)."""

    ids: NDArray[np.int32]
    types: NDArray[np.int32]
    mask: NDArray[np.int32]
    """1 where a token is, 0 where padding is."""


class Network(Protocol):
    """A tower or a reader, loaded by a runtime."""

    @property
    def parallel(self) -> int:
        """Batches that are computed at the same time."""
        ...

    def __call__(self, batches: Sequence[Batch]) -> list[NDArray[np.float32]]:
        """For each batch (B, L): (B, d) from a tower, (B, 1 + 2L) from a reader."""
        ...


def join(parts: Sequence[TokenIds], marks: Marks, form: InputForm) -> TokenSequence:
    """[CLS] part [SEP] part [SEP] ..., with as many [SEP] between parts as the tokenizer has there.

    With `segments`, what follows the first part's [SEP] has type 1.
    """
    between = [marks.sep] * marks.between
    pieces = [[marks.cls], parts[0], *(piece for part in parts[1:] for piece in (between, part))]
    ids = np.concatenate([*pieces, [marks.sep] * form.closing]).astype(np.int32)
    types = np.zeros_like(ids)
    if form.token_types == "segments":
        types[len(parts[0]) + 1 + marks.between :] = 1
    return TokenSequence(ids, types)


def padded_length(length: int, most: int) -> int:
    """Tokens of a row of this length, rounded up to a multiple of `LENGTH_STEP` where the network takes as many."""
    return max(length, min(most, math.ceil(length / LENGTH_STEP) * LENGTH_STEP))


def pad(sequences: Sequence[TokenSequence], pad_id: int, *, most: int = 0) -> Batch:
    """Fill rows on the right to the longest of them.

    Args:
        most: tokens that the network takes in a row. Up to there the length is rounded up to a multiple of
            `LENGTH_STEP`; 0 rounds nothing
    """
    longest = max(len(sequence.ids) for sequence in sequences)
    shape = (len(sequences), padded_length(longest, most))
    batch = Batch(np.full(shape, pad_id, np.int32), np.zeros(shape, np.int32), np.zeros(shape, np.int32))
    for row, sequence in enumerate(sequences):
        length = len(sequence.ids)
        batch.ids[row, :length] = sequence.ids
        batch.types[row, :length] = sequence.types
        batch.mask[row, :length] = 1
    return batch


def outputs(
    network: Network, sequences: Sequence[TokenSequence], *, size: int, pad_id: int, most: int
) -> Iterator[tuple[NDArray[np.int64], NDArray[np.float32]]]:
    """What a network gives for each batch of about equally long sequences: their places (B,), and its rows.

    Args:
        size: rows of a batch
        most: tokens that the network takes in a row
    """
    places = list(by_length([len(sequence.ids) for sequence in sequences], size))
    batches = [pad([sequences[place] for place in batch], pad_id, most=most) for batch in places]
    return zip(places, network(batches) if batches else [], strict=True)


def even_size(rows: int, size: int, parallel: int) -> int:
    """Rows of a batch, about `size`, with which batches computed `parallel` at a time leave none idle in the end."""
    rounds = max(1, round(rows / (size * parallel)))
    return max(1, math.ceil(rows / (rounds * parallel)))


def by_length(lengths: Sequence[int], size: int) -> Iterator[NDArray[np.int64]]:
    """Rows in batches of `size`, longest first, so that rows of a batch need little padding.

    Longest first makes the first batch the largest: memory runs out at once or never.
    """
    order = np.argsort(-np.asarray(lengths), kind="stable")
    for first in range(0, len(order), size):
        yield order[first : first + size]
