"""Vectors on demand: a question is answered before the whole collection is encoded."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from opendpr.collection import Writer, selection
from opendpr.collection.lookup import count_without_vector
from opendpr.collection.rows import EncoderRow
from opendpr.iteration import OnProgress, batched
from opendpr.maintenance.encode import CHUNK_PASSAGES, Encoded, EncodePassages, encode_chunks, encode_missing
from opendpr.model.encoder import ChunkEncoder
from opendpr.model.reader import BertReader
from opendpr.search.live import LiveSnapshot
from opendpr.search.retrievers import Bm25Retriever

CANDIDATE_PASSAGES = 200
"""Passages that BM25 finds for a question, which get their vectors first."""
AT_ONCE_PASSAGES = 512
"""If no more passages than these lack a vector, all of them are encoded: that takes seconds."""


@dataclass(frozen=True)
class EncodeNeeded:
    """Encodes what questions need to be answered by hybrid search: an `EncodePassages`.

    These are the passages that BM25 finds for them, and those of changed documents, which are not served before.
    """

    questions: Sequence[str]
    where: str | None = None
    """The filter that the documents of the passages meet."""
    candidates: int = CANDIDATE_PASSAGES
    at_once: int = AT_ONCE_PASSAGES

    def __call__(
        self,
        writer: Writer,
        row: EncoderRow,
        encoder: ChunkEncoder,
        *,
        on_progress: OnProgress,
        chunk_passages: int = CHUNK_PASSAGES,
    ) -> Encoded:
        """Encode the candidates that lack a vector; all passages, if few do."""
        if count_without_vector(writer, row.encoder) <= self.at_once:
            return encode_missing(writer, row, encoder, on_progress=on_progress, chunk_passages=chunk_passages)
        candidates = Bm25Retriever(LiveSnapshot(writer)).retrieve(self.questions, self.candidates, self.where)
        needed = {*selection.waiting(writer), *(hit.passage.number for hits in candidates for hit in hits)}
        encoded, _ = writer.vectors_of(row, np.array(sorted(needed), np.int64))
        passages = writer.passages(sorted(needed.difference(encoded.tolist())))
        chunks = batched(passages.values(), chunk_passages)
        return encode_chunks(
            writer, row, encoder, chunks=chunks, on_progress=lambda done: on_progress(done, len(passages))
        )


@dataclass(frozen=True)
class EncodeBesideReader:
    """Has a thread load a reader while passages get their vectors: an `EncodePassages`."""

    reader: BertReader
    encode: EncodePassages

    def __call__(
        self,
        writer: Writer,
        row: EncoderRow,
        encoder: ChunkEncoder,
        *,
        on_progress: OnProgress,
        chunk_passages: int = CHUNK_PASSAGES,
    ) -> Encoded:
        """What `encode` does; the reader is loaded if there is something to read."""
        if writer.has_documents():
            _ = self.reader.loading
        return self.encode(writer, row, encoder, on_progress=on_progress, chunk_passages=chunk_passages)
