"""Encoding: a vector for every passage that lacks one, in transactions that each survive a kill."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import NamedTuple, Protocol

from opendpr.collection import Writer, open_collection
from opendpr.collection.lookup import count_without_vector
from opendpr.collection.rows import EncoderRow
from opendpr.iteration import OnProgress
from opendpr.model.encoder import ChunkEncoder
from opendpr.types import Passage

CHUNK_PASSAGES = 512
"""Passages encoded between two transactions, so what a kill can cost.

They are cut by their numbers: how a batch is padded can change the last bit of a vector, so an interrupted run makes
the vectors of an uninterrupted one only if it encodes the same passages together.
"""


class Encoded(NamedTuple):
    """What a call encoded."""

    passages: int = 0
    truncated: int = 0
    """Passages among these that are longer than the encoder takes: their vectors miss the end."""


def model_in_use(directory: Path) -> str | None:
    """The model that a collection is encoded with; None if there are no vectors.

    Raises:
        StateError: it is no collection, or a set whose members are encoded by several.
    """
    with open_collection(directory) as opened:
        row = opened.encoder()
    return row.model if row else None


def encode(
    writer: Writer,
    encoder: ChunkEncoder,
    *,
    on_progress: OnProgress = lambda done, total: None,
    keep_old: bool = False,
    chunk_passages: int = CHUNK_PASSAGES,
) -> Encoded:
    """Give a collection another encoder; the old vectors serve until the new ones are complete.

    Args:
        on_progress: called with passages encoded so far and passages to encode in all
        keep_old: keep the old vectors beside the new ones, so that switching back is cheap

    Returns:
        What this call encoded; after an interruption the next call goes on.
    """
    model = encoder.model
    row = writer.begin_encoder(model.fingerprint, encoder.dim, model=model.reference, runtime=encoder.made_by)
    encoded = encode_missing(writer, row, encoder, on_progress=on_progress, chunk_passages=chunk_passages)
    writer.switch_encoder(row, keep_old=keep_old)
    return encoded


class EncodePassages(Protocol):
    """Gives passages of a collection vectors: all that lack one, or those that are needed first."""

    def __call__(
        self,
        writer: Writer,
        row: EncoderRow,
        encoder: ChunkEncoder,
        *,
        on_progress: OnProgress,
        chunk_passages: int = CHUNK_PASSAGES,
    ) -> Encoded:
        """Encode, by the encoder in `row`; what was encoded."""
        ...


def encode_missing(
    writer: Writer,
    row: EncoderRow,
    encoder: ChunkEncoder,
    *,
    on_progress: OnProgress,
    chunk_passages: int = CHUNK_PASSAGES,
) -> Encoded:
    """Give every passage that lacks one a vector of the encoder in `row`; chunks are stored as they are encoded."""
    total, chunks = count_without_vector(writer, row.encoder), writer.without_vector(row.encoder, chunk_passages)
    return encode_chunks(writer, row, encoder, chunks=chunks, on_progress=lambda done: on_progress(done, total))


def encode_chunks(
    writer: Writer,
    row: EncoderRow,
    encoder: ChunkEncoder,
    *,
    chunks: Iterable[list[Passage]],
    on_progress: Callable[[int], None] = lambda done: None,
) -> Encoded:
    """Give passages vectors of the encoder in `row`, each chunk in a transaction of its own."""
    done, truncated = 0, 0
    for passages, (vectors, cut) in encoder.encode_chunks(chunks, on_progress):
        writer.put_vectors(row, passages, vectors)
        done, truncated = done + len(passages), truncated + cut
        on_progress(done)
    return Encoded(done, truncated)
