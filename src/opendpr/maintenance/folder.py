"""A folder or a file of documents as a collection in the cache, in sync with what is on disk."""

from __future__ import annotations

import hashlib
import os
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from opendpr.collection import open_collection
from opendpr.collection.opening import is_collection
from opendpr.corpus import Corpus
from opendpr.corpus.corpus import printable
from opendpr.errors import BusyError
from opendpr.iteration import OnProgress
from opendpr.maintenance.add import AddReport, AddSettings, NoDocumentsError, add
from opendpr.maintenance.encode import EncodePassages, encode_missing
from opendpr.maintenance.folder_caches import cache_root, latest_cache, note_use
from opendpr.model.directory import DEFAULT_MODEL, find_model
from opendpr.text.splitting import Splitter

FIRST_WAIT_SECONDS = 60
"""How long to wait for another process that indexes the same folder for the first time."""
WAIT_SECONDS = 2
"""How long to wait for it where there is something to search meanwhile."""


class Cut(NamedTuple):
    """How the documents of a folder are to be cut; None leaves it as it was."""

    words: int | None = None
    overlap: int | None = None


class Indexed(NamedTuple):
    """The cached collection of a folder or a file, and what was done to bring it in sync."""

    directory: Path
    report: AddReport
    busy: bool = False
    """Whether another process is bringing it in sync: what is there was left as it is."""
    cut_again: Splitter | None = None
    """How documents are cut now, if all were cut again."""


def cache_of(folder: Path, model: str | None = None) -> Path:
    """Where the cached collection of a folder or a file is: one for each place and encoder.

    Raises:
        StateError: there is no such model.
    """
    place, fingerprint = folder.resolve(), find_model(model or DEFAULT_MODEL).fingerprint
    key = hashlib.sha256(os.fsencode(f"{place}\n{fingerprint}")).hexdigest()[:16]
    return cache_root() / f"{printable(place.name)}-{key}"


def index_folder(
    folder: Path,
    settings: AddSettings = AddSettings(),
    *,
    cut: Cut = Cut(),
    encode: EncodePassages = encode_missing,
    on_progress: OnProgress = lambda done, total: None,
) -> Indexed:
    """Bring the cached collection of a folder or a file in sync with it.

    Args:
        settings: the model, what runs it, and whether passages get vectors now; the rest is set here. Without vectors
            and model it is the collection that was used last.
        encode: gives passages vectors: all that lack one, or those that are needed first

    Raises:
        BusyError: another process is indexing the folder for the first time.
        NoDocumentsError: there are no documents; its report says what was skipped.
        StateError: there is no such model.
    """
    if folder.is_dir() and not any(folder.iterdir()):
        raise NoDocumentsError(AddReport())
    latest = None if settings.vectors or settings.model else latest_cache(folder)
    cache = latest or cache_of(folder, settings.model)
    before = _splitter_of(cache)
    splitter = _changed(before or Splitter(), cut)
    wait_seconds = WAIT_SECONDS if before else FIRST_WAIT_SECONDS
    settings = replace(_settings_for(folder, settings, splitter), wait_seconds=wait_seconds)
    try:
        report = add(cache, Corpus([folder]), settings, encode=encode, on_progress=on_progress)
    except BusyError:
        if before is None or splitter:
            raise
        return Indexed(cache, AddReport(), busy=True)
    note_use(cache, folder)
    return Indexed(cache, report, cut_again=splitter if before and splitter != before else None)


def _settings_for(folder: Path, settings: AddSettings, splitter: Splitter | None) -> AddSettings:
    """The settings with what the folder decides."""
    return replace(
        settings,
        model=(settings.model or DEFAULT_MODEL) if settings.vectors else None,
        splitter=splitter,
        resplit=splitter is not None,
        sync=[folder if folder.is_dir() else folder.parent],
    )


def _splitter_of(cache: Path) -> Splitter | None:
    """How the documents of a cached collection are cut; None if it holds none yet."""
    if not is_collection(cache):
        return None
    with open_collection(cache) as collection:
        return collection.splitter if collection.has_documents() else None


def _changed(splitter: Splitter, cut: Cut) -> Splitter | None:
    """The splitter with what was asked for; None if nothing was."""
    if cut == Cut():
        return None
    return replace(
        splitter,
        words=splitter.words if cut.words is None else cut.words,
        overlap=splitter.overlap if cut.overlap is None else cut.overlap,
        unit="words" if splitter.unit == "whole" else splitter.unit,
    )
