"""Adding documents: read, cut, store, encode, in batches that each survive a kill."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from opendpr.collection import Writer, open_writer
from opendpr.corpus import Corpus, Skipped
from opendpr.encoder import BertEncoder
from opendpr.index.bm25 import update_bm25
from opendpr.iteration import batched
from opendpr.runtime.model import DEFAULT_MODEL, find_model
from opendpr.types import Document

DOCUMENTS = 256
"""Documents stored in one transaction."""
PASSAGES = 512
"""Passages encoded between two transactions: what a kill can cost."""

OnProgress = Callable[[int, int], None]
"""Called with passages encoded so far and passages to encode in all."""


@dataclass
class Report:
    """What `add` did."""

    documents: Counter[str] = field(default_factory=Counter)
    """How many were added, replaced, relabelled (only metadata changed), unchanged, removed."""
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
    encoder: BertEncoder,
    *,
    on_progress: OnProgress = lambda done, total: None,
    remove_others: bool = False,
) -> Report:
    """Store documents, then encode every passage without a vector, of this run or an interrupted one.

    Every batch is a transaction: the same call again goes on where a kill stopped it.

    Args:
        remove_others: remove the documents of the collection that are not among those given.

    Raises:
        StateError: the collection's vectors come from another encoder.
    """
    started, report = time.monotonic(), Report()
    model = encoder.model
    row = writer.use_encoder(
        model.fingerprint,
        encoder.dim,
        model=model.reference,
        runtime=f"{encoder.runtime.runtime} {encoder.runtime.precision}",
    )
    ids: set[str] = set()
    for batch in batched(documents, DOCUMENTS):
        report.documents.update(writer.put_documents(batch))
        if remove_others:
            ids.update(document.id for document in batch)
    if remove_others and (gone := [summary.id for summary in writer.summaries() if summary.id not in ids]):
        writer.remove_documents(gone)
        report.documents["removed"] = len(gone)
    update_bm25(writer)  # words are found before vectors are
    total = writer.counts()["to_encode"]
    for passages in writer.without_vector(row.encoder):
        for some in batched(passages, PASSAGES):
            writer.put_vectors(row, some, encoder.encode_passages(some))
            report.encoded += len(some)
            on_progress(report.encoded, total)
    update_bm25(writer)
    if isinstance(documents, Corpus):
        report.skipped, report.ignored = documents.skipped, documents.ignored
    report.truncated = encoder.truncated_passages
    report.seconds = time.monotonic() - started
    return report


def add_sources(collection: Path, sources: Sequence[str | Path | Document], model: str | None = None) -> Report:
    """What `opendpr.add` does."""
    given = [source for source in sources if isinstance(source, Document)]
    corpus = Corpus([Path(source) for source in sources if not isinstance(source, Document)])
    with open_writer(collection) as writer:
        row = writer.encoder()
        encoder = BertEncoder(find_model(model or (row.model if row else DEFAULT_MODEL)))
        report = add(writer, corpus, encoder)
        if given:
            report.documents += add(writer, given, encoder).documents
    return report
