"""A folder of documents as a collection in the cache, in sync with its files."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import NamedTuple

from opendpr.collection import open_collection
from opendpr.collection.database import DATABASE
from opendpr.corpus import Corpus
from opendpr.errors import BusyError
from opendpr.iteration import OnProgress
from opendpr.maintenance.add import AddSettings, NoDocumentsError, Report, add
from opendpr.maintenance.encode import EncodePassages, encode_missing
from opendpr.model.directory import find_model
from opendpr.model.runtime import RuntimeSettings

FIRST_WAIT_SECONDS = 60
"""How long to wait for another process that indexes the same folder for the first time."""
WAIT_SECONDS = 2
"""How long to wait for it where there is something to search meanwhile."""


class Indexed(NamedTuple):
    """The cached collection of a folder, and what was done to bring it in sync."""

    directory: Path
    report: Report
    busy: bool = False
    """Whether another process is bringing it in sync: what is there was left as it is."""


def index_folder(
    folder: Path,
    model: str,
    runtime: RuntimeSettings = RuntimeSettings(),
    *,
    encode: EncodePassages = encode_missing,
    on_progress: OnProgress = lambda done, total: None,
) -> Indexed:
    """Bring the cached collection of a folder in sync with it: one for each folder and encoder.

    Args:
        encode: gives passages vectors: all that lack one, or those that are needed first

    Raises:
        BusyError: another process is indexing the folder for the first time.
        NoDocumentsError: the folder holds no documents; its report says what was skipped.
        StateError: there is no such model.
    """
    import platformdirs

    if not any(folder.iterdir()):
        raise NoDocumentsError(Report())
    key = hashlib.sha256(f"{folder.resolve()}\n{find_model(model).fingerprint}".encode()).hexdigest()[:16]
    cache = Path(platformdirs.user_cache_dir("opendpr")) / "folders" / f"{folder.resolve().name}-{key}"
    searchable = _is_searchable(cache)
    settings = AddSettings(
        model,
        runtime=runtime,
        sync=[folder],
        wait_seconds=WAIT_SECONDS if searchable else FIRST_WAIT_SECONDS,
    )
    try:
        report = add(cache, Corpus([folder]), settings, encode=encode, on_progress=on_progress)
    except BusyError:
        if not searchable:
            raise
        return Indexed(cache, Report(), busy=True)
    return Indexed(cache, report)


def _is_searchable(cache: Path) -> bool:
    """Whether the collection holds documents already, by words at least."""
    if not (cache / DATABASE).exists():
        return False
    with open_collection(cache) as collection:
        return collection.has_documents()
