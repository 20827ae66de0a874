"""Compiled networks kept in the user's cache, so that the next process need not build and compile them.

A file is bytes of the runtime and their CRC-32 at the end. Its name is made of everything that decides what they are;
one that is missing, cut off or damaged is as if it were not there.
"""

from __future__ import annotations

import hashlib
import logging
import os
import zlib
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from opendpr.storage.atomic import replacing

logger = logging.getLogger(__name__)

CRC_BYTES = 4
KEPT_NETWORKS = 6
"""Compiled networks that are kept, those used last; the default model has three of about 100 MB."""
SUFFIX = ".network"


def networks_directory() -> Path:
    """The directory of all compiled networks."""
    import platformdirs

    return Path(platformdirs.user_cache_dir("opendpr")) / "networks"


def kept_networks() -> dict[Path, int]:
    """The files of all compiled networks, the one used last first, and their sizes in bytes."""
    files: list[tuple[float, Path, int]] = []
    for path in networks_directory().glob(f"*{SUFFIX}"):
        with suppress(FileNotFoundError):  # another process makes room for its own
            status = path.stat()
            files.append((status.st_mtime, path, status.st_size))
    return {path: size for _, path, size in sorted(files, reverse=True)}


def clear_networks(paths: Iterable[Path]) -> None:
    """Remove compiled networks; they are compiled again when they are needed."""
    for path in paths:
        path.unlink(missing_ok=True)


def compiled_path(weights: Path, decisive: Sequence[object]) -> Path:
    """Where the compiled network of a file of weights is kept.

    Args:
        decisive: everything besides the weights that decides what the runtime makes of them: configuration, precision,
            versions, processor
    """
    status = weights.stat()
    content = (str(weights.resolve()), status.st_size, status.st_mtime_ns, status.st_ino, *decisive)
    key = hashlib.sha256(repr(content).encode()).hexdigest()[:32]
    return networks_directory() / f"{key}{SUFFIX}"


def read_compiled(path: Path) -> NDArray[np.uint8] | None:
    """The bytes of a compiled network, mapped; None if there are none, or not those that were written."""
    try:
        os.utime(path)
        content = np.memmap(path, np.uint8, mode="c").view(np.ndarray)  # the runtime takes no memory that is read-only
    except OSError:
        return None
    except ValueError:  # an empty file cannot be mapped
        content = np.empty(0, np.uint8)
    compiled, crc = content[:-CRC_BYTES], content[-CRC_BYTES:]
    if len(content) <= CRC_BYTES or zlib.crc32(compiled.data) != int.from_bytes(crc.tobytes(), "little"):
        logger.info("%s is damaged; the network is compiled again", path)
        return None
    return compiled


def keep_compiled(path: Path, compiled: bytes, *, networks: int = KEPT_NETWORKS) -> None:
    """Keep the bytes of a compiled network, and no more networks than this many; a full disk keeps none."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with replacing(path) as temporary, temporary.open("wb") as file:
            file.write(compiled)
            file.write(zlib.crc32(compiled).to_bytes(CRC_BYTES, "little"))
        clear_networks(list(kept_networks())[networks:])
    except OSError as error:
        logger.info("%s cannot be kept: %s", path, error)
