"""Passages with vectors that another system computed: DPR's released embeddings beside `psgs_w100.tsv`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from opendpr.collection import Writer
from opendpr.collection.lookup import passage_numbers
from opendpr.collection.rows import VECTOR_DTYPE, EncoderRow
from opendpr.errors import InputError
from opendpr.interop import read_passages
from opendpr.interop.dpr_pickle import read_embeddings
from opendpr.iteration import batched
from opendpr.model.directory import Model
from opendpr.search.bm25 import update_bm25
from opendpr.types import Document, Passage, Vectors

ROWS_STORED = 512
"""Passages, or vectors, stored in one transaction."""
IDS_KEPT = 20
"""Ids of each kind of trouble that are kept, to be shown."""

OnStored = Callable[[str, int], None]
"""Called with "passages" or "vectors", and how many are stored so far."""


@dataclass
class Trouble:
    """Ids that something is wrong with: how many there are, and the first of them."""

    count: int = 0
    ids: list[str] = field(default_factory=list)

    def add(self, id: str) -> None:
        self.count += 1
        if len(self.ids) < IDS_KEPT:
            self.ids.append(id)


@dataclass
class ImportedEmbeddings:
    """What `import_embeddings` did."""

    passages: int = 0
    """Rows of the file of passages."""
    vectors: int = 0
    """Vectors stored by this call; the others were there from an interrupted one."""
    empty: Trouble = field(default_factory=Trouble)
    """Passages without text, which a collection cannot hold."""
    without_passage: Trouble = field(default_factory=Trouble)
    """Vectors whose passage is not in the collection; they were left out."""
    without_vector: Trouble = field(default_factory=Trouble)
    """Passages of the collection that no shard has a vector for."""


def import_embeddings(
    writer: Writer,
    passages: Path,
    shards: Sequence[Path],
    *,
    model: Model,
    id_prefix: str = "",
    on_stored: OnStored = lambda what, done: None,
) -> ImportedEmbeddings:
    """Store passages as documents of one passage each, then their vectors.

    Memory does not grow with the files. Every batch is a transaction: the same call goes on where a kill
    stopped it.

    Args:
        writer: of a collection that keeps documents whole.
        model: whose encoders made the vectors; its fingerprint is recorded.
        id_prefix: what the ids in the shards begin with and those of the passages do not, as `wiki:`.

    Raises:
        InputError: a file is not in its form, a vector has another size than the model's, two vectors of one
            passage differ, or no vector of a shard's beginning belongs to a passage.
        StateError: the collection's vectors come from another encoder.
    """
    dim = model.require_encoder().dim
    for shard in shards:  # before anything is written
        for id, vector in read_embeddings(shard):
            _check(shard, id, vector, dim=dim)
            break
    report = ImportedEmbeddings()
    row = writer.use_encoder(model.fingerprint, dim, model=model.reference, runtime="imported")
    _store_passages(writer, passages, report, on_stored=on_stored)
    update_bm25(writer)
    for shard in shards:
        _store_vectors(writer, row, shard, prefix=id_prefix, report=report, on_stored=on_stored)
    for passages_without in writer.without_vector(row.encoder):
        for passage in passages_without:
            report.without_vector.add(passage.document_id)
    update_bm25(writer)
    return report


def _store_passages(writer: Writer, path: Path, report: ImportedEmbeddings, *, on_stored: OnStored) -> None:
    fresh = writer.counts()["documents"] == 0
    for batch in batched(_with_text(path, report), ROWS_STORED):
        changes = writer.put_documents(batch)
        repeated = [document.id for document, change in zip(batch, changes, strict=True) if change != "added"]
        if fresh and repeated:
            raise InputError(f"{path}: the id {repeated[0]!r} occurs twice; each passage needs its own")
        report.passages += len(batch)
        on_stored("passages", report.passages)


def _with_text(path: Path, report: ImportedEmbeddings) -> Iterator[Document]:
    for document in read_passages(path):
        if document.text.strip():
            yield document
        else:
            report.empty.add(document.id)


def _store_vectors(
    writer: Writer, row: EncoderRow, shard: Path, *, prefix: str, report: ImportedEmbeddings, on_stored: OnStored
) -> None:
    first = True
    for batch in batched(read_embeddings(shard), ROWS_STORED):
        vectors: dict[str, Vectors] = {}
        for prefixed, vector in batch:
            _check(shard, prefixed, vector, dim=row.dim)
            id = prefixed.removeprefix(prefix)
            if id in vectors:
                raise InputError(f"{shard}: passage {prefixed!r} has two vectors; it can have one")
            vectors[id] = vector.astype(np.float32)
        numbers = passage_numbers(writer, list(vectors))
        for id in vectors.keys() - numbers.keys():
            report.without_passage.add(id)
        if first and not numbers:
            raise InputError(
                f"{shard}: none of its first {len(batch)} ids is that of a passage, as {batch[0][0]!r}; give what they "
                "begin with and the passages' do not with --id-prefix, or the file that belongs to them"
            )
        first = False
        report.vectors += _put(
            writer, row, shard, vectors={numbers[id]: vector for id, vector in vectors.items() if id in numbers}
        )
        on_stored("vectors", report.vectors)


def _put(writer: Writer, row: EncoderRow, shard: Path, *, vectors: dict[int, Vectors]) -> int:
    """Store the vectors that are not there yet; returns how many."""
    if not vectors:
        return 0
    present, stored = writer.vectors_of(row, np.array(list(vectors), np.int64))
    for number, vector in zip(present.tolist(), stored, strict=True):
        if vectors.pop(number).astype(VECTOR_DTYPE).tobytes() != vector.tobytes():
            id = writer.passages([number])[number].document_id
            raise InputError(f"{shard}: passage {id!r} has another vector already; each passage has one")
    if vectors:
        passages = [Passage(number, "", "", "", 0) for number in vectors]
        writer.put_vectors(row, passages, np.stack(list(vectors.values())))
    return len(vectors)


def _check(shard: Path, id: str, vector: Vectors, *, dim: int) -> None:
    if len(vector) != dim:
        raise InputError(
            f"{shard}: the vector of passage {id!r} has {len(vector)} numbers, the model's have {dim}; "
            "give the model whose encoders made these vectors"
        )
    largest = float(np.finfo(VECTOR_DTYPE).max)
    if not np.all(np.abs(vector) <= largest):  # false for NaN, too
        raise InputError(
            f"{shard}: the vector of passage {id!r} has a number that is not finite, or larger than {largest:,.0f}; "
            "encode this passage again"
        )
