"""Requests that wait for the same worker are processed together: no timer, only those that are there already."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Generic, TypeVar

from opendpr.errors import OpendprError

Item = TypeVar("Item")
Result = TypeVar("Result")

Work = Callable[[Sequence[Item]], Sequence[Result | OpendprError]]
"""Processes several items: for each a result, or the error that explains why there is none."""
NEWEST_BATCH_WEIGHT = 0.2
"""Weight of the newest batch in the running mean of seconds per item."""


class FullError(Exception):
    """More is waiting than can be processed soon.

    Args:
        retry_seconds: after which there will be room
    """

    def __init__(self, retry_seconds: float) -> None:
        super().__init__(f"the service is at its limit; try again in {retry_seconds:.0f} s")
        self.retry_seconds = retry_seconds


class Batcher(Generic[Item, Result]):
    """A bounded queue before a worker in a thread of its own, which takes all that wait, up to `most`, at once.

    Args:
        work: called in the thread
        most: items in one batch
        room: items that may wait or be worked on
        on_batch: called with the size of each batch
    """

    def __init__(
        self, work: Work[Item, Result], *, most: int, room: int, on_batch: Callable[[int], None] = lambda size: None
    ) -> None:
        self._work, self._most, self._room, self._on_batch = work, most, room, on_batch
        self._waiting: deque[tuple[Item, asyncio.Future[Result]]] = deque()
        self._thread = ThreadPoolExecutor(max_workers=1)
        self._worker: asyncio.Task[None] | None = None
        self._held = 0
        self._seconds = 0.0

    @property
    def depth(self) -> int:
        """Items that wait or are being processed."""
        return self._held

    def expected_seconds(self, items: int) -> float:
        """How long this many items take, judged by earlier batches."""
        return self._seconds * items

    async def __call__(self, item: Item) -> Result:
        """The result for an item.

        Raises:
            FullError: there is no room.
            OpendprError: what `work` returned for it.
        """
        if self._held >= self._room:
            raise FullError(max(1.0, self.expected_seconds(self._held)))
        future: asyncio.Future[Result] = asyncio.get_running_loop().create_future()
        self._waiting.append((item, future))
        self._held += 1
        if self._worker is None or self._worker.done():
            self._worker = asyncio.create_task(self._run())
        try:
            return await future
        finally:
            self._held -= 1

    async def _run(self) -> None:
        """Work until nothing waits."""
        loop = asyncio.get_running_loop()
        while self._waiting:
            batch = [self._waiting.popleft() for _ in range(min(self._most, len(self._waiting)))]
            batch = [
                (item, future) for item, future in batch if not future.done()
            ]  # a client that left needs no result
            if not batch:
                continue
            self._on_batch(len(batch))
            started = time.monotonic()
            working = loop.run_in_executor(self._thread, self._work, [item for item, _ in batch])
            await asyncio.wait([working])
            seconds = (time.monotonic() - started) / len(batch)
            self._seconds = (
                seconds
                if not self._seconds
                else (1 - NEWEST_BATCH_WEIGHT) * self._seconds + NEWEST_BATCH_WEIGHT * seconds
            )
            error = working.exception()
            results = working.result() if error is None else [error] * len(batch)
            for (_, future), result in zip(batch, results, strict=True):
                if future.done():
                    continue
                if isinstance(result, BaseException):
                    future.set_exception(result)
                else:
                    future.set_result(result)

    def close(self) -> None:
        """Let the thread end once it has nothing to do."""
        self._thread.shutdown(wait=True)
