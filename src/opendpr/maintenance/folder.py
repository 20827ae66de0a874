"""A folder of documents as a collection in the cache, in sync with its files."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import NamedTuple

from opendpr.corpus import Corpus
from opendpr.iteration import OnProgress
from opendpr.maintenance.add import AddSettings, NoDocumentsError, Report, add
from opendpr.model.directory import find_model
from opendpr.model.runtime import RuntimeSettings

WAIT_SECONDS = 60
"""How long to wait for another process that indexes the same folder."""


class Indexed(NamedTuple):
    """The cached collection of a folder, and what was done to bring it in sync."""

    directory: Path
    report: Report


def index_folder(
    folder: Path,
    model: str,
    runtime: RuntimeSettings = RuntimeSettings(),
    *,
    on_progress: OnProgress = lambda done, total: None,
) -> Indexed:
    """Bring the cached collection of a folder in sync with it: one for each folder and encoder.

    Raises:
        NoDocumentsError: the folder holds no documents; its report says what was skipped.
        StateError: there is no such model.
    """
    import platformdirs

    if not any(folder.iterdir()):
        raise NoDocumentsError(Report())
    key = hashlib.sha256(f"{folder.resolve()}\n{find_model(model).fingerprint}".encode()).hexdigest()[:16]
    cache = Path(platformdirs.user_cache_dir("opendpr")) / "folders" / f"{folder.resolve().name}-{key}"
    settings = AddSettings(model, runtime=runtime, sync=[folder], wait_seconds=WAIT_SECONDS)
    return Indexed(cache, add(cache, Corpus([folder]), settings, on_progress=on_progress))
