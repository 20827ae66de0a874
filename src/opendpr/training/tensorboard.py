"""Curves of a training as TensorBoard's event files."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from torch.utils.tensorboard import SummaryWriter

from opendpr.training import distributed


class ScalarLog:
    """Writes figures by step, from the first process alone; without a directory it does nothing.

    Args:
        directory: of the event files
        step: what an earlier run wrote after it is taken back
    """

    def __init__(self, directory: Path | None, step: int) -> None:
        wanted = directory is not None and distributed.rank() == 0
        self._writer = SummaryWriter(str(directory), purge_step=step) if wanted else None

    def add(self, step: int, figures: Mapping[str, float]) -> None:
        """Put the figures at this step."""
        if self._writer:
            for name, value in figures.items():
                self._writer.add_scalar(name, value, step)

    def __enter__(self) -> ScalarLog:
        return self

    def __exit__(self, *error: object) -> None:
        if self._writer:
            self._writer.close()
