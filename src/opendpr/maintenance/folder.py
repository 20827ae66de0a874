"""A folder of documents as a collection in the cache, in sync with its files."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

from opendpr.collection import Writer, open_writer
from opendpr.corpus import Corpus
from opendpr.errors import InputError
from opendpr.maintenance.add import OnProgress, Report, add
from opendpr.model.directory import find_model
from opendpr.model.encoder import BertEncoder
from opendpr.model.runtime import RuntimeSettings

WAIT_SECONDS = 60
"""How long to wait for another process that indexes the same folder."""

OnReport = Callable[[Report, Writer], None]
"""Called with what was done and the collection, before an empty one is refused."""


def index_folder(
    folder: Path,
    model: str,
    runtime: RuntimeSettings = RuntimeSettings(),
    *,
    on_progress: OnProgress = lambda done, total: None,
    on_report: OnReport = lambda report, writer: None,
) -> Path:
    """Bring the cached collection of a folder in sync with it: one for each folder and encoder.

    Returns:
        The directory of the collection.

    Raises:
        InputError: the folder holds no documents.
        StateError: there is no such model.
    """
    import platformdirs

    if not any(folder.iterdir()):
        raise InputError(f"{folder} is empty; put documents there, or give another folder")
    corpus = Corpus([folder])
    encoder = BertEncoder(find_model(model), runtime)
    key = hashlib.sha256(f"{folder.resolve()}\n{encoder.model.fingerprint}".encode()).hexdigest()[:16]
    cache = Path(platformdirs.user_cache_dir("opendpr")) / "folders" / f"{folder.resolve().name}-{key}"
    with open_writer(cache, wait_seconds=WAIT_SECONDS) as writer:
        report = add(writer, corpus, encoder, on_progress=on_progress, sync=[folder])
        on_report(report, writer)
        if not writer.has_documents():  # in here, so that no empty collection stays behind
            raise InputError(f"{folder} holds no documents that can be read; 'opendpr add NAME {folder}' says why")
    return cache
