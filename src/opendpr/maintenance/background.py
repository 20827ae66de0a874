"""Encoding in a thread of its own, which makes way for questions."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from opendpr.collection import Writer, open_writer
from opendpr.collection.rows import EncoderRow
from opendpr.errors import OpendprError
from opendpr.maintenance.encode import encode_chunks
from opendpr.maintenance.on_demand import EncodeNeeded
from opendpr.model.encoder import ChunkEncoder

logger = logging.getLogger(__name__)

PIECE_PASSAGES = 64
"""Passages encoded between two looks for a question: the longest that one waits, about a second."""


class BackgroundEncoder:
    """Encodes what a collection lacks while nothing is asked of it; `encoding_in_background` makes one.

    Args:
        encoder: used by this thread and by nothing else
    """

    def __init__(self, writer: Writer, row: EncoderRow, encoder: ChunkEncoder) -> None:
        self._writer, self._row, self._encoder = writer, row, encoder
        self._turn = threading.Lock()
        """Held by whoever uses the writer."""
        self._free, self._stopped = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._encode, name="encoding")

    def start(self) -> None:
        """Begin to encode."""
        self._free.set()
        self._thread.start()

    def join(self, seconds: float) -> None:
        """Wait until all is encoded, at most that many seconds."""
        self._thread.join(seconds)

    def stop(self) -> None:
        """End after the piece that is being encoded."""
        self._stopped.set()
        self._free.set()
        self._thread.join()

    @contextmanager
    def making_way(self, question: str, where: str | None = None) -> Iterator[None]:
        """Encode nothing meanwhile but what the question needs, which is done first."""
        self._free.clear()
        try:
            with self._turn:
                needed = EncodeNeeded([question], where)
                needed(self._writer, self._row, self._encoder, on_progress=lambda done, total: None)
            yield
        finally:
            self._free.set()

    def _encode(self) -> None:
        pieces = self._writer.without_vector(self._row.encoder, PIECE_PASSAGES)
        while True:
            self._free.wait()
            if self._stopped.is_set():
                return
            try:
                with self._turn:
                    piece = next(pieces, None)
                    if piece is None:
                        return
                    encode_chunks(self._writer, self._row, self._encoder, chunks=[piece])
            except OpendprError as error:
                logger.warning("encoding the rest of %s ended: %s", self._writer.directory, error)
                return


@contextmanager
def encoding_in_background(directory: Path, encoder: ChunkEncoder) -> Iterator[BackgroundEncoder]:
    """Encode what a collection lacks until the block is left; its writer is held as long.

    Raises:
        BusyError: another process writes.
        StateError: the vectors come from another model.
    """
    model = encoder.model
    with open_writer(directory) as writer:
        row = writer.use_encoder(model.fingerprint, encoder.dim, model=model.reference, runtime=encoder.made_by)
        background = BackgroundEncoder(writer, row, encoder)
        background.start()
        try:
            yield background
        finally:
            background.stop()
