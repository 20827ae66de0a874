"""Adding documents: read, cut, store, encode, in transactions that each survive a kill."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from opendpr.collection import Writer, open_collection, open_writer, selection
from opendpr.collection.opening import is_collection
from opendpr.collection.rows import EncoderRow
from opendpr.corpus import Corpus, Skipped
from opendpr.corpus.encodings import ENCODING_KEY, WESTERN_EXAMPLES, WESTERN_NAME, first_foreign_word
from opendpr.corpus.events import event_batches
from opendpr.corpus.kinds import is_psgs
from opendpr.corpus.running_lines import LEFT_OUT, MENU_LINES, repeated_lines
from opendpr.errors import InputError, UsageError
from opendpr.iteration import OnProgress
from opendpr.maintenance.encode import CHUNK_PASSAGES, EncodePassages, encode_missing
from opendpr.maintenance.remembering import FileMemory, Moved
from opendpr.maintenance.syncing import gone_documents, without_documents
from opendpr.model.directory import DEFAULT_MODEL, Model, find_model
from opendpr.model.encoder import BertEncoder, ChunkEncoder
from opendpr.model.runtime import RuntimeSettings
from opendpr.search.bm25 import update_bm25
from opendpr.text.splitting import Splitter
from opendpr.types import Document

LoadEncoder = Callable[[Model, RuntimeSettings], ChunkEncoder]
"""Makes the encoder of a model, or gives one that is loaded already."""


class Taken(NamedTuple):
    """A document that replaced one of the same id from another file."""

    id: str
    before: str
    now: str


@dataclass
class AddReport:
    """What `add` did."""

    documents: Counter[str] = field(default_factory=Counter)
    """How many were added, replaced, relabelled (only metadata changed), unchanged, removed."""
    taken: list[Taken] = field(default_factory=list)
    """Replaced documents that came from another file than their successor: perhaps two that only share a name."""
    moved: list[Moved] = field(default_factory=list)
    """Documents whose file has another id now, because its folder was given with another one above it."""
    encoded: int = 0
    """Passages that got their vector."""
    truncated: int = 0
    """Passages among these that are longer than the encoder takes."""
    seconds: float = 0.0
    skipped: list[Skipped] = field(default_factory=list)
    """What did not become a document, and why."""
    skipped_before: list[Skipped] = field(default_factory=list)
    """Files that did not become documents before, for the same reason, and are as they were."""
    ignored: Counter[str] = field(default_factory=Counter)
    """Files of other kinds in the directories, by suffix."""
    repeated: Counter[str] = field(default_factory=Counter)
    """Lines of menus, and lines that repeat on other pages, that were left out, and how often; the rarest not named."""
    western: int = 0
    """Documents that were read as Windows-1252, as they are not UTF-8 and name no encoding."""
    western_words: dict[str, str] = field(default_factory=dict)
    """The first word of some of these that shows whether that was right, by id."""
    collection: dict[str, int] = field(default_factory=dict)
    """What the collection holds now: documents, passages, vectors, and passages to encode."""
    splitter: Splitter | None = None
    """How its documents are cut."""
    model: str | None = None
    """The model that it is encoded with."""


class NoDocumentsError(InputError):
    """Nothing was added, and the collection holds nothing; a new one is removed again."""

    def __init__(self, report: AddReport) -> None:
        super().__init__("no documents were found; give files or directories that hold some")
        self.report = report


@dataclass(frozen=True)
class BatchSizes:
    """How much is done in one transaction."""

    documents: int = 256
    """Documents stored at once."""
    passages: int = CHUNK_PASSAGES
    """Passages encoded at once."""


@dataclass(frozen=True)
class AddSettings:
    """How documents are added."""

    model: str | None = None
    """Name or directory; None is the collection's, or the default in a new one."""
    vectors: bool = True
    """False needs no model: only BM25 finds the passages, until they are encoded."""
    runtime: RuntimeSettings = field(default_factory=RuntimeSettings)
    splitter: Splitter | None = None
    """How documents are cut; None means as before, or the default in a new collection."""
    resplit: bool = False
    """Cut the documents that are there again, if they were cut otherwise."""
    sync: Sequence[Path] = ()
    """Directories whose documents are removed if they are gone from them."""
    wait_seconds: float = 0
    """How long to wait while another process writes."""
    sizes: BatchSizes = BatchSizes()

    def __post_init__(self) -> None:
        if self.model and not self.vectors:
            raise UsageError("without vectors no model is used; leave out the model, or vectors=False")


def add(
    collection: Path,
    documents: Corpus | Iterable[Document],
    settings: AddSettings = AddSettings(),
    *,
    load: LoadEncoder = BertEncoder,
    encode: EncodePassages = encode_missing,
    on_progress: OnProgress = lambda done, total: None,
) -> AddReport:
    """Add documents to a collection, made if it is not there: what the command, the service and Python call.

    Args:
        load: makes the encoder; for a caller that keeps one loaded
        encode: gives passages vectors; others than the usual leave some to a later call

    Raises:
        BusyError: another process writes.
        NoDocumentsError: the collection is empty afterwards; its report says what was skipped.
        InputError: a directory to sync is empty, or a document has no text.
        StateError: the directory is no collection, there is no such model, or the vectors come from another one.
        UsageError: the collection was cut otherwise, and `resplit` is not given.
    """
    model = _named_model(collection, settings)
    usual = splitter_for(collection, documents) if isinstance(documents, Corpus) else None
    splitter = settings.splitter or usual
    with open_writer(collection, splitter, wait_seconds=settings.wait_seconds, resplit=settings.resplit) as writer:
        if settings.vectors and model is None:
            model = _stored_model(writer)
        encoder = load(model, settings.runtime) if model else None
        report = add_documents(writer, documents, encoder, settings=settings, encode=encode, on_progress=on_progress)
        row = writer.encoder()
        report.collection, report.splitter, report.model = writer.counts(), writer.splitter, row.model if row else None
        if not report.collection["documents"]:
            raise NoDocumentsError(report)
    return report


def _named_model(collection: Path, settings: AddSettings) -> Model | None:
    """The model that the settings name; a wrong one is refused before anything is written."""
    model = find_model(settings.model) if settings.model else None
    if model and is_collection(collection):
        with open_collection(collection) as opened:
            if opened.encoder():
                opened.refuse_other_encoder(model.fingerprint, model.reference)
    return model


def _stored_model(writer: Writer) -> Model:
    """The model of the collection; of a new one the default."""
    row = writer.encoder()
    return find_model(row.model if row else DEFAULT_MODEL)


def add_documents(
    writer: Writer,
    documents: Iterable[Document],
    encoder: ChunkEncoder | None,
    *,
    settings: AddSettings = AddSettings(),
    encode: EncodePassages = encode_missing,
    on_progress: OnProgress = lambda done, total: None,
) -> AddReport:
    """Store documents, then encode every passage without a vector, of this run or an interrupted one.

    Every batch is a transaction: the same call again goes on where a kill stopped it.

    Args:
        encoder: None stores documents and brings BM25 up to date; vectors are left to a later call, or to `encode`.
        settings: the directories to sync, and how much is done at once; the rest is settled with the writer and the
            encoder. Documents of a file that could not be read, or not wholly, are kept.

    Raises:
        InputError: a directory to `sync` holds no document, as if its disk were not mounted, and some came from it.
        StateError: the collection's vectors come from another encoder.
    """
    started, report = time.monotonic(), AddReport()
    row = _row(writer, encoder) if encoder else None
    paths = _store(writer, documents, report, batch_documents=settings.sizes.documents, list_paths=bool(settings.sync))
    if settings.sync:
        report.documents.update(
            _remove_gone(writer, settings.sync, paths, skipped=[*report.skipped, *report.skipped_before])
        )
    update_bm25(writer)  # words are found before vectors are
    if encoder and row:
        encoded = encode(writer, row, encoder, on_progress=on_progress, chunk_passages=settings.sizes.passages)
        report.encoded, report.truncated = encoded
        update_bm25(writer)
    report.seconds = time.monotonic() - started
    return report


def _remove_gone(
    writer: Writer, sync: Sequence[Path], paths: Mapping[str, object], *, skipped: Sequence[Skipped]
) -> Counter[str]:
    """Remove the documents of directories that are not among those stored; counts them.

    Args:
        paths: the file that each document stored came from, by id
    """
    gone = gone_documents(writer, paths.keys(), sync, skipped=skipped)
    if not gone:
        return Counter()
    if empty := without_documents(sync, [str(path) for path in paths.values() if path]):
        raise InputError(
            f"{empty[0]} holds no document, and all that came from it would be removed; see whether its disk is "
            "mounted, or use 'opendpr remove'"
        )
    writer.remove_documents(gone)
    return Counter(removed=len(gone))


def _store(
    writer: Writer, documents: Iterable[Document], report: AddReport, *, batch_documents: int, list_paths: bool
) -> dict[str, object]:
    """Store documents, and note in the report what became of them.

    Returns:
        The file that each document came from, by id; empty unless `list_paths`, as a list of all would fill the memory.
    """
    stored: dict[str, object] = {}
    memory = FileMemory(writer)
    events = documents.events(memory) if isinstance(documents, Corpus) else documents
    for batch in event_batches(events, batch_documents):
        if batch.documents:
            _put(writer, batch.documents, report)
        report.moved += memory.note(batch.files_read, batch.unchanged)
        report.documents.update(["unchanged"] * len(batch.unchanged))
        report.skipped += batch.skipped
        report.skipped_before += batch.skipped_before
        report.ignored += batch.ignored
        if list_paths:
            stored.update((document.id, document.metadata.get("path")) for document in batch.documents)
            stored.update((file.id, file.path) for file in batch.unchanged)
    return stored


def _put(writer: Writer, documents: Sequence[Document], report: AddReport) -> None:
    """Store the documents of a batch, and note in the report what became of them."""
    paths = selection.paths_of(writer, [document.id for document in documents])
    changes = writer.put_documents(documents)
    report.documents.update(changes)
    report.taken += _taken(documents, changes, paths)
    for document in documents:
        if document.metadata.get(ENCODING_KEY) == WESTERN_NAME:
            report.western += 1
            word = first_foreign_word(document.text) or first_foreign_word(document.title)
            if word and len(report.western_words) < WESTERN_EXAMPLES:
                report.western_words[document.id] = word
        for name in document.metadata.keys() & (LEFT_OUT, MENU_LINES):
            report.repeated.update(repeated_lines(document.metadata, name))


def _row(writer: Writer, encoder: ChunkEncoder) -> EncoderRow:
    """The row of the collection's encoder, which must be this one; made if it has none."""
    model = encoder.model
    return writer.use_encoder(model.fingerprint, encoder.dim, model=model.reference, runtime=encoder.made_by)


def _taken(batch: Sequence[Document], changes: Sequence[str], paths: dict[str, object]) -> Iterator[Taken]:
    """The documents that replaced one from another file; `paths` says where those before them came from."""
    for document, change in zip(batch, changes, strict=True):
        before, now = paths.get(document.id), document.metadata.get("path")
        if change == "replaced" and before != now:
            yield Taken(document.id, str(before), str(now))
        paths[document.id] = now


def splitter_for(collection: Path, corpus: Corpus) -> Splitter | None:
    """Return how documents are cut if nobody chooses: None means as before, or the default in a new collection.

    A collection that begins with the released passages of Wikipedia alone keeps each as it is.
    """
    if is_collection(collection) or not corpus.paths:
        return None
    if all(isinstance(path, Path) and is_psgs(path) for path in corpus.paths):
        return Splitter(unit="whole")
    return None
