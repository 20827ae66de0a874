"""Full disks while weights are written: safetensors' error as ours."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from opendpr.errors import ResourceError


@contextmanager
def saving(path: Path) -> Iterator[None]:
    """Around writing weights to `path`.

    Raises:
        ResourceError: they cannot be written.
    """
    from safetensors import SafetensorError

    try:
        yield
    except SafetensorError as error:
        raise ResourceError(f"{path} cannot be written ({error}); free disk and run the same command again") from None
