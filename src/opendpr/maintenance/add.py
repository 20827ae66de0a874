"""Adding documents: read, cut, store, encode, in batches that each survive a kill."""

from __future__ import annotations

import logging
import random
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import Any, Literal, NamedTuple

from opendpr.collection import Writer, open_writer, selection
from opendpr.collection.database import DATABASE
from opendpr.collection.rows import EncoderRow
from opendpr.collection.writer import refuse_other_encoder
from opendpr.corpus import Corpus, Skipped
from opendpr.corpus.kinds import is_psgs
from opendpr.errors import InputError, OpendprError, UsageError
from opendpr.iteration import OnStage, batched
from opendpr.maintenance.remembering import FileMemory, Moved
from opendpr.maintenance.syncing import gone_documents, without_documents
from opendpr.model.directory import DEFAULT_MODEL, find_model
from opendpr.model.encoder import BertEncoder
from opendpr.model.runtime import RuntimeSettings, resolved
from opendpr.search.bm25 import rebuild_bm25, update_bm25
from opendpr.search.cost import UNTRIED, chosen, estimates, machine_memory
from opendpr.search.dense import dense_record, remove_dense
from opendpr.search.effort import Ask
from opendpr.text.splitting import Splitter
from opendpr.types import Document, Numbers, Vectors

logger = logging.getLogger(__name__)

DOCUMENTS = 256
"""Documents stored in one transaction."""
PASSAGES = 512
"""Passages encoded between two transactions: what a kill can cost."""

QUESTION_WORDS = 12
"""Words of a passage that serve as a question."""
SEED = 0

RECALL = 0.95
"""What an approximate index finds of the best passages, if nothing else is asked for."""

OnProgress = Callable[[int, int], None]
"""Called with passages encoded so far and passages to encode in all."""


class Taken(NamedTuple):
    """A document that replaced one of the same id from another file."""

    id: str
    before: str
    now: str


@dataclass
class Report:
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
    """Of these, passages longer than the encoder takes."""
    seconds: float = 0.0
    skipped: list[Skipped] = field(default_factory=list)
    """What did not become a document, and why."""
    ignored: Counter[str] = field(default_factory=Counter)
    """Files of other kinds in the directories, by suffix."""


def add(
    writer: Writer,
    documents: Iterable[Document],
    encoder: BertEncoder | None,
    *,
    on_progress: OnProgress = lambda done, total: None,
    sync: Sequence[Path] = (),
) -> Report:
    """Store documents, then encode every passage without a vector, of this run or an interrupted one.

    Every batch is a transaction: the same call again goes on where a kill stopped it.

    Args:
        encoder: None stores documents and brings BM25 up to date; vectors are left to a later call, or to `encode`.
        sync: directories whose documents are removed if they are not among those given. Documents of a
            file that could not be read, or not wholly, are kept.

    Raises:
        InputError: a directory to `sync` holds no document, as if its disk were not mounted, and some came from it.
        StateError: the collection's vectors come from another encoder.
    """
    started, report = time.monotonic(), Report()
    row = _row(writer, encoder) if encoder else None
    ids: dict[str, object] = {}
    memory = FileMemory(writer, documents) if isinstance(documents, Corpus) else None
    for batch in chain(batched(documents, DOCUMENTS), [[]]):  # at the end once more, for files that are unchanged
        if batch:
            paths = selection.paths_of(writer, [document.id for document in batch])
            changes = writer.put_documents(batch)
            report.documents.update(changes)
            report.taken += _taken(batch, changes, paths)
        unchanged = memory.settle() if memory else []
        report.documents.update(["unchanged"] * len(unchanged))
        if sync:
            ids.update((document.id, document.metadata.get("path")) for document in batch)
            ids.update((file.id, file.path) for file in unchanged)
    if isinstance(documents, Corpus) and memory:
        report.skipped, report.ignored, report.moved = documents.skipped, documents.ignored, memory.moved
    if sync and (gone := gone_documents(writer, ids.keys(), sync, report.skipped)):
        if empty := without_documents(sync, [str(path) for path in ids.values() if path]):
            raise InputError(
                f"{empty[0]} holds no document, and all that came from it would be removed; see whether its disk is "
                "mounted, or use 'opendpr remove'"
            )
        writer.remove_documents(gone)
        report.documents["removed"] = len(gone)
    update_bm25(writer)  # words are found before vectors are
    if encoder and row:
        report.encoded = encode_missing(writer, row, encoder, on_progress)
        update_bm25(writer)
        report.truncated = encoder.truncated_passages
    report.seconds = time.monotonic() - started
    return report


def _row(writer: Writer, encoder: BertEncoder) -> EncoderRow:
    """The row of the collection's encoder, which must be this one; made if it has none."""
    model = encoder.model
    return writer.use_encoder(
        model.fingerprint, encoder.dim, model=model.reference, runtime=str(resolved(encoder.runtime))
    )


def _taken(batch: Sequence[Document], changes: Sequence[str], paths: dict[str, object]) -> Iterator[Taken]:
    """The documents that replaced one from another file; `paths` says where those before them came from."""
    for document, change in zip(batch, changes, strict=True):
        before, now = paths.get(document.id), document.metadata.get("path")
        if change == "replaced" and before != now:
            yield Taken(document.id, str(before), str(now))
        paths[document.id] = now


def encode_missing(writer: Writer, row: EncoderRow, encoder: BertEncoder, on_progress: OnProgress) -> int:
    """Give every passage that lacks one a vector, in batches that each survive a kill; returns how many."""
    total, encoded = writer.count_without_vector(row.encoder), 0
    for passages in writer.without_vector(row.encoder):
        for some in batched(passages, PASSAGES):
            writer.put_vectors(row, some, encoder.encode_passages(some))
            encoded += len(some)
            on_progress(encoded, total)
    return encoded


def encode(
    writer: Writer,
    encoder: BertEncoder,
    *,
    on_progress: OnProgress = lambda done, total: None,
    keep_old: bool = False,
) -> int:
    """Give a collection another encoder; the old vectors serve until the new ones are complete.

    Returns:
        Passages encoded by this call; after an interruption the next call goes on.
    """
    model = encoder.model
    row = writer.begin_encoder(
        model.fingerprint,
        encoder.dim,
        model=model.reference,
        runtime=str(resolved(encoder.runtime)),
    )
    encoded = encode_missing(writer, row, encoder, on_progress)
    writer.switch_encoder(row, keep_old=keep_old)
    return encoded


def remove(writer: Writer, ids: Sequence[str]) -> None:
    """Remove documents, all or none of them, and bring the BM25 cache up to date."""
    writer.remove_documents(ids)
    update_bm25(writer)


def optimize(
    writer: Writer,
    *,
    index: Literal["auto", "exact", "ivf"] = "auto",
    recall: float = RECALL,
    memory_bytes: int | None = None,
    on_progress: OnStage = lambda what, done, total: None,
) -> dict[str, Any] | None:
    """Build the search caches anew: what they find and how they score is then that of a collection built once.

    Args:
        index: of vectors; `auto` is the kind that there is, or else what `opendpr plan` takes
        recall: that an approximate index must reach
        memory_bytes: that may be used; None means what the machine has

    Returns:
        What is known of the approximate index; None if every vector is looked at.

    Raises:
        ResourceError: the disk or the memory is too small.
        StateError: an approximate index was asked for, and there are no vectors, or the first passage has none.
    """
    passages, row = writer.count_passages(), writer.encoder()
    if index == "auto" and dense_record(writer):
        index = "ivf"  # who has had one built wants it to take in what is new
    if index == "ivf":
        row = writer.require_encoder()
    if row:
        offers, wanted = estimates(passages, row.dim, UNTRIED, to_encode=0, recall=recall), index
        kind = None if wanted == "auto" else wanted
        index = chosen(offers, passages, memory_bytes or machine_memory(), kind).kind
    rebuild_bm25(writer, on_progress)
    if index == "exact" or row is None or next(writer.vectors(), None) is None:
        remove_dense(writer)
        return None
    from opendpr.search.building import build_dense  # which imports FAISS

    return build_dense(writer, recall=recall, ask=_asker(writer, row), on_progress=on_progress)


def _asker(writer: Writer, row: EncoderRow) -> Ask | None:
    """Makes questions of passages: some words of each in a row, through the tower for questions; None without it.

    They are found about as well as real questions are (docs/scale.md).
    """
    try:
        model = find_model(row.model)
        refuse_other_encoder(writer, model.fingerprint, model.reference)
        encoder = BertEncoder(model, RuntimeSettings(precision="fp32"))
        encoder.encode_questions(["opendpr"])  # what is wrong with it shows here, not after hours of building
    except (OpendprError, OSError) as error:
        logger.info("%s cannot be used: %s", row.model, error)
        logger.warning(
            "the model %s that made the vectors cannot be used here: vectors of passages serve as questions, which are "
            "easier than real ones; ask for a higher recall",
            row.model,
        )
        return None
    generator, splitter = random.Random(SEED), Splitter(words=QUESTION_WORDS)

    def ask(numbers: Numbers) -> Vectors:
        passages = writer.passages(numbers.tolist())
        texts = [passages[number].text for number in numbers.tolist()]
        places = [generator.choice(splitter.split(text)[:-1] or [(0, len(text))]) for text in texts]
        return encoder.encode_questions([text[start:end] for text, (start, end) in zip(texts, places, strict=True)])

    return ask


def splitter_for(collection: Path, corpus: Corpus) -> Splitter | None:
    """How documents are cut if nobody says so: as before, in a new collection as by default.

    A collection that begins with the released passages of Wikipedia alone keeps each as it is.
    """
    if (collection / DATABASE).exists() or not corpus.paths:
        return None
    if all(isinstance(path, Path) and is_psgs(path) for path in corpus.paths):
        return Splitter(unit="whole")
    return None


def add_sources(
    collection: Path,
    sources: Sequence[str | Path | Document] | str | Path,
    model: str | None = None,
    *,
    vectors: bool = True,
) -> Report:
    """What `opendpr.add` does."""
    if model and not vectors:
        raise UsageError("without vectors no model is used; leave out the model, or vectors=False")
    if isinstance(sources, str | Path):
        sources = [sources]
    corpus = Corpus([source if isinstance(source, Document) else Path(source) for source in sources])
    with open_writer(collection, splitter_for(collection, corpus)) as writer:
        row = writer.encoder()
        found = find_model(model or (row.model if row else DEFAULT_MODEL)) if vectors else None
        return add(writer, corpus, BertEncoder(found) if found else None)
