"""Making and opening collections: `opendpr.add` and `opendpr.open`."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from opendpr.api import changes
from opendpr.api.arguments import check_retriever, check_runtime, model_name
from opendpr.api.located import located
from opendpr.api.opened import OpenCollection
from opendpr.api.sources import DocumentSource
from opendpr.choices import DEFAULT_RETRIEVER
from opendpr.cluster.place import encoders
from opendpr.collection.opening import holds_documents, is_collection
from opendpr.engines.addresses import parse_address
from opendpr.errors import StateError
from opendpr.maintenance.add import AddReport, AddSettings
from opendpr.model.directory import DEFAULT_MODEL, find_model
from opendpr.model.runtime import RuntimeSettings
from opendpr.search.settings import EngineSettings, SearchSettings


def add(
    collection: str | os.PathLike[str],
    sources: DocumentSource | Iterable[DocumentSource],
    model: str | None = None,
    *,
    vectors: bool = True,
    on: str | None = None,
    workers: int | None = None,
) -> AddReport:
    """Add documents to a collection, made if it is not there.

    Args:
        sources: a path of a file or folder, an `opendpr.Document`, a dict with `id` and `text`, or several of these;
            among several also pairs `(id, text)`
        model: name or directory; None is the collection's, or the default in a new one
        vectors: False needs no model: only BM25 finds the passages, until a later `add` encodes them
        on: a Ray cluster that encodes, as `ray://head:10001`, or `auto` for the one of this machine
        workers: processes of the cluster that encode; None is one a GPU, or one a machine

    Returns:
        What was done. Files that could not be read are in its `skipped`.

    Raises:
        InputError: a path does not exist, or a dict lacks id or text.
        BusyError: another process writes, or there is no cluster at `on`.
        StateError: there is no such model, or the vectors come from another one.
    """
    with encoders(on, workers) as load:
        return changes.add_sources(Path(collection), sources, AddSettings(model, vectors), load=load)


def open(
    collection: str | os.PathLike[str],
    model: str | os.PathLike[str] | None = None,
    *,
    retriever: str = DEFAULT_RETRIEVER,
    create: bool = False,
    runtime: RuntimeSettings = RuntimeSettings(),
    index: EngineSettings | str | None = None,
    allow_partial: bool = False,
) -> OpenCollection:
    """Open a collection, or a set of them; a folder or file of documents is indexed into the cache and kept in sync.

    Args:
        model: name or directory; None is the collection's
        retriever: `dense`, `bm25` or `hybrid`, where a call names no other
        create: make an empty collection if nothing is there
        index: address, or `opendpr.EngineSettings`, of an engine that finds candidates by vectors after `opendpr push`
        allow_partial: search a set without the members that are not there; `missing` names them

    Raises:
        StateError: nothing is there, there is no such model, or it does not belong to the collection.
        InputError: the folder or file holds no documents.
        UsageError: there is no such retriever, or the address is not valid.
        BusyError: a server, or a member of a set, is not there.
    """
    path, name = Path(collection), None if model is None else model_name(model)
    check_retriever(retriever)
    check_runtime(runtime)
    search = SearchSettings(engine=_engine(index), allow_partial=allow_partial)
    if name is not None:
        find_model(name)
    if not create:
        refuse_missing(path)
    folder = None
    if create and not is_collection(path):
        changes.create(path)
    elif holds_documents(path):
        name = name or DEFAULT_MODEL  # not the one that the cache was made with: its reader may be another
        path, folder = located(path, name, runtime), path
    return OpenCollection(path, name, retriever=retriever, runtime=runtime, folder=folder, search=search)


def _engine(index: EngineSettings | str | None) -> EngineSettings | None:
    """Settings of the engine at an address; raises UsageError if that is not valid."""
    return EngineSettings(parse_address(index).text) if isinstance(index, str) else index


def refuse_missing(path: Path) -> None:
    """Raises StateError if there is neither a collection nor a folder."""
    if not path.exists():
        raise StateError(
            f"'{path}' does not exist; make a collection with opendpr.add('{path}', 'docs/'), "
            f"or an empty one with opendpr.open('{path}', create=True)"
        )
