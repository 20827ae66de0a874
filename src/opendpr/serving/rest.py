"""What a folder's collection lacks of vectors is made while its questions are answered."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from opendpr.errors import BusyError, OpendprError
from opendpr.maintenance.background import BackgroundEncoder, encoding_in_background
from opendpr.model.directory import DEFAULT_MODEL, find_model
from opendpr.model.encoder import BertEncoder
from opendpr.model.runtime import RuntimeSettings

logger = logging.getLogger(__name__)


class RestEncoder:
    """Encodes the passages that have no vector yet, in a thread of its own; where another process does, nothing.

    Args:
        model: name or directory; None is the default
    """

    def __init__(self, directory: Path, model: str | None, runtime: RuntimeSettings) -> None:
        self._directory, self._model, self._runtime = directory, model, runtime
        self._turn = threading.Lock()
        """Held by whoever uses the background encoder, which ends when all is encoded."""
        self._background: BackgroundEncoder | None = None
        self._is_ending = False
        self._thread = threading.Thread(target=self._run, name="rest")
        self._thread.start()

    @contextmanager
    def making_way(self, questions: Sequence[str], where: str | None) -> Iterator[None]:
        """Encode nothing meanwhile but what the questions need, which is done first."""
        with self._turn, ExitStack() as stack:
            if self._background is not None:
                for question in questions:
                    stack.enter_context(self._background.making_way(question, where))
            yield

    def close(self) -> None:
        """End after the piece that is being encoded; the next start goes on."""
        with self._turn:
            self._is_ending = True
            if self._background is not None:
                self._background.stop()
        self._thread.join()

    def _run(self) -> None:
        try:
            encoder = BertEncoder(find_model(self._model or DEFAULT_MODEL), self._runtime)
            with encoding_in_background(self._directory, encoder) as background:
                with self._turn:
                    self._background = None if self._is_ending else background
                if self._background is not None:
                    background.join(threading.TIMEOUT_MAX)
                with self._turn:
                    self._background = None
        except BusyError:
            logger.info("another process encodes the rest of %s", self._directory)
        except OpendprError as error:
            logger.warning("the rest of %s is not encoded: %s", self._directory, error)
