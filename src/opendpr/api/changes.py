"""What changes a collection on disk: each function opens it for writing, does one thing and closes it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from opendpr.api.sources import DocumentSource, corpus_of
from opendpr.choices import IndexName
from opendpr.collection import open_writer
from opendpr.collection.where import compile_where
from opendpr.errors import UsageError
from opendpr.maintenance.add import AddReport, AddSettings, LoadEncoder, add
from opendpr.maintenance.encode import encode as encode_all
from opendpr.maintenance.encode import model_in_use
from opendpr.maintenance.optimize import optimize as rebuild
from opendpr.maintenance.remove import chosen_documents
from opendpr.maintenance.remove import remove as take_out
from opendpr.model.directory import DEFAULT_MODEL, find_model
from opendpr.model.encoder import BertEncoder
from opendpr.model.runtime import RuntimeSettings
from opendpr.search.built import BuiltIndex
from opendpr.search.settings import INDEX_RECALL, BuildSettings


def add_sources(
    directory: Path,
    sources: DocumentSource | Iterable[DocumentSource],
    settings: AddSettings,
    *,
    sync: bool = False,
    load: LoadEncoder = BertEncoder,
) -> AddReport:
    """Add what was given to a collection, made if it is not there.

    Raises:
        UsageError: there is no folder among the sources to keep in sync with.
    """
    corpus = corpus_of(sources)
    folders = [path for path in corpus.paths if sync and isinstance(path, Path) and path.is_dir()]
    if sync and not folders:
        raise UsageError("sync=True needs a folder whose documents are to be kept in sync; give one among the sources")
    return add(directory, corpus, replace(settings, sync=folders), load=load)


def create(directory: Path) -> None:
    """Make an empty collection where there is none."""
    with open_writer(directory):
        pass


def remove(directory: Path, ids: str | Sequence[str] | None, where: str | None) -> list[str]:
    """Remove documents by id or by filter, all or none of them; returns their ids.

    Raises:
        UsageError: not exactly one of `ids` and `where` is given, or the filter cannot be understood.
        InputError: there is no document of such an id.
    """
    if (ids is None) == (where is None):
        raise UsageError("give either ids of documents or where=, one of the two")
    condition = compile_where(where) if where is not None else None
    with open_writer(directory) as writer:
        chosen = chosen_documents(writer, [ids] if isinstance(ids, str) else ids or [], condition)
        take_out(writer, chosen)
    return chosen


def encode(
    directory: Path, model: str | None, *, keep_old: bool, runtime: RuntimeSettings, load: LoadEncoder = BertEncoder
) -> int:
    """Encode all passages with a model, then use that one; returns how many were encoded."""
    encoder = load(find_model(model or model_in_use(directory) or DEFAULT_MODEL), runtime)
    with open_writer(directory) as writer:
        return encode_all(writer, encoder, keep_old=keep_old).passages


def optimize(
    directory: Path,
    index: IndexName = "auto",
    *,
    recall: float = INDEX_RECALL,
    memory_bytes: int | None = None,
) -> BuiltIndex | None:
    """Rebuild the search caches; returns what is known of an approximate index, of a set the first member's."""
    build = BuildSettings(recall=recall)
    with open_writer(directory) as writer:
        built = [rebuild(part, index=index, memory_bytes=memory_bytes, build=build) for part in writer.parts]
        return built[0]
