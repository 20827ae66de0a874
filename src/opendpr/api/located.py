"""A collection from a path: a folder or a file of documents is indexed into the cache first."""

from __future__ import annotations

from pathlib import Path

from opendpr.collection.opening import holds_documents
from opendpr.errors import InputError
from opendpr.maintenance.add import AddSettings, NoDocumentsError
from opendpr.maintenance.folder import index_folder
from opendpr.model.runtime import RuntimeSettings

SKIPPED_FILES_SHOWN = 3
"""Files named in the error of a folder without documents."""


def located(path: Path, model: str | None, runtime: RuntimeSettings) -> Path:
    """The directory of a collection, or that of the cached one of a folder or a file, brought in sync with it.

    Raises:
        InputError: there are no documents.
    """
    if not holds_documents(path):
        return path
    try:
        return index_folder(path, AddSettings(model, runtime=runtime)).directory
    except NoDocumentsError as error:
        entries = error.report.skipped[:SKIPPED_FILES_SHOWN]
        skipped = "".join(f"; skipped {entry.place}: {entry.reason}" for entry in entries)
        raise InputError(
            f"'{path}' is neither a collection, nor a folder or file with documents that can be read{skipped}; "
            "give one of these (docs/files.md lists the kinds of files)"
        ) from None
