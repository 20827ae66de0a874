"""SIGINT while a step is computed: it is finished first."""

from __future__ import annotations

import signal
from types import FrameType


class Interruption:
    """Turns SIGINT into a flag while a block runs; outside the main thread it does nothing."""

    def __init__(self) -> None:
        self.requested = False

    def _note(self, number: int, frame: FrameType | None) -> None:
        self.requested = True

    def __enter__(self) -> Interruption:
        try:
            self._before = signal.signal(signal.SIGINT, self._note)
        except ValueError:
            self._before = None
        return self

    def __exit__(self, *error: object) -> None:
        if self._before is not None:
            signal.signal(signal.SIGINT, self._before)
