"""The `config.json` of a model's directory: read in a format that this version knows, or refused with what to do."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from opendpr.errors import CorruptionError, StateError
from opendpr.storage.lines import json_kind

MODEL_FORMAT = 1
"""Number of the form of a model directory; a newer one is refused."""


def read_config(directory: Path) -> dict[str, Any]:
    """The content of a model's `config.json`, in a format that this version reads."""
    path = directory / "config.json"
    try:
        config = json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        if not directory.exists():
            raise StateError(
                f"there is no model at {directory}; give the directory of one, or the name of an installed model "
                "package (where a collection's model was moved, with --model; any with the same encoder will do)"
            ) from None
        if directory.is_file():
            raise StateError(
                f"{directory} is a file, not a model; a checkpoint of DPR is brought in with 'opendpr import model "
                f"{directory} -o MODEL'"
            ) from None
        raise StateError(
            f"{directory} is not a model (it has no config.json); give one, or the name of an installed model package"
        ) from None
    except (UnicodeDecodeError, json.JSONDecodeError) as error:
        raise CorruptionError(f"{path} is not readable JSON ({error}); restore it") from None
    if not isinstance(config, dict):
        raise CorruptionError(f"{path} is {json_kind(config)}, expected a JSON object; restore it")
    if "format" not in config:
        raise StateError(
            f"{directory} is a model of another system; bring it in with 'opendpr import model {directory} -o MODEL'"
        )
    if config["format"] != MODEL_FORMAT:
        raise StateError(
            f"{directory} has model format {config['format']!r}, this version of opendpr "
            f"reads format {MODEL_FORMAT}; install a newer opendpr"
        )
    if "name" not in config:
        raise CorruptionError(f"{path} is incomplete (it has no name); restore it")
    return config
