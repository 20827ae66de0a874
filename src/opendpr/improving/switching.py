"""Switching a collection to the model that a round made."""

from __future__ import annotations

import shlex
from pathlib import Path

from opendpr.collection import open_writer
from opendpr.iteration import OnProgress
from opendpr.maintenance.encode import encode
from opendpr.model.directory import find_model
from opendpr.model.encoder import BertEncoder
from opendpr.model.runtime import RuntimeSettings


def switch(
    collection: Path,
    model: Path | str,
    *,
    runtime: RuntimeSettings = RuntimeSettings(),
    wait_seconds: float = 0,
    on_progress: OnProgress = lambda done, total: None,
) -> int:
    """Let a collection answer with another model, and keep the vectors of the one before; raises as `open_writer`.

    Args:
        model: its directory, or the name of its package

    Returns:
        How many passages were encoded: none where the encoder is the same.
    """
    with open_writer(collection, wait_seconds=wait_seconds) as writer:
        return encode(
            writer, BertEncoder(find_model(str(model)), runtime), keep_old=True, on_progress=on_progress
        ).passages


def way_back(collection: Path, before: str) -> str:
    """The command, quoted for a shell, that lets a collection answer with the model before again."""
    return shlex.join(["opendpr", "encode", str(collection), "--model", before, "--keep-old"])
