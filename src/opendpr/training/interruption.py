"""SIGINT while a step is computed: it is finished first."""

from __future__ import annotations

import signal
from types import FrameType
from typing import ClassVar


class Interruption:
    """Turns SIGINT into a flag while a block runs; outside the main thread the flag is set by `request_all` alone."""

    _running: ClassVar[list[Interruption]] = []

    def __init__(self) -> None:
        self.requested = False

    def _note(self, number: int, frame: FrameType | None) -> None:
        self.requested = True

    @classmethod
    def request_all(cls) -> bool:
        """Interrupt all blocks that run in this process, from another thread; returns whether there are any."""
        for running in cls._running:
            running.requested = True
        return bool(cls._running)

    def __enter__(self) -> Interruption:
        self._running.append(self)
        try:
            self._before = signal.signal(signal.SIGINT, self._note)
        except ValueError:
            self._before = None
        return self

    def __exit__(self, *error: object) -> None:
        self._running.remove(self)
        if self._before is not None:
            signal.signal(signal.SIGINT, self._before)
