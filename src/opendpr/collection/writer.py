"""Writing a collection: one writer at a time, every change a transaction."""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import suppress
from typing import Any, Literal

import apsw

from opendpr.collection.database import WAITED_FOR, our_errors
from opendpr.collection.lookup import document_forms, existing_ids, is_cut_as_now, last_given_number
from opendpr.collection.rows import VECTOR_DTYPE, EncoderRow, content_sha256, passage_rows, vector_crc
from opendpr.collection.titles import drop_titles, has_titles, has_titles_as_now, put_titles
from opendpr.collection.transactions import TransactedCollection
from opendpr.errors import InputError, OpendprError
from opendpr.text.splitting import Splitter
from opendpr.types import Document, Passage, Vectors

CLOSING_MILLISECONDS = 2_000
"""How long a writer that is done waits for readers, to leave a short write-ahead log."""

_PASSAGES = "INSERT INTO passages VALUES(?, ?, ?, ?, ?)"
_VECTORS = "CREATE TABLE vectors_{}(number INTEGER PRIMARY KEY, vector BLOB NOT NULL, crc INTEGER NOT NULL)"

_METADATA = json.JSONEncoder(ensure_ascii=False, sort_keys=True)

Change = Literal["added", "replaced", "relabelled", "unchanged"]


class Writer(TransactedCollection):
    """The one process that may change a collection.

    Every method is one transaction or none, but for those that are given the version of one they are a part of.
    """

    @property
    def parts(self) -> Sequence[Writer]:
        return (self,)

    def part_of(self, id: str) -> Writer:
        return self

    def use_encoder(self, fingerprint: str, dim: int, *, model: str, runtime: str) -> EncoderRow:
        """Make sure that vectors come from one encoder only.

        Raises:
            StateError: the collection's vectors come from another encoder.
        """
        row = self.encoder()
        if row is None:
            row = self.begin_encoder(fingerprint, dim, model=model, runtime=runtime)
            with self.transaction():
                self._connection.execute("UPDATE encoders SET complete = 1 WHERE encoder = ?", (row.encoder,))
                self._connection.execute("INSERT INTO settings VALUES('encoder', ?)", (str(row.encoder),))
            return row
        self.refuse_other_encoder(fingerprint, model)
        return row

    def begin_encoder(self, fingerprint: str, dim: int, *, model: str, runtime: str) -> EncoderRow:
        """The row of an encoder that the collection is being encoded with, beside the active one."""
        for row in self.encoders():
            if row.fingerprint == fingerprint:
                return self._renamed(row, model)
        with self.transaction():
            number = self._one_row("SELECT coalesce(max(encoder), 0) + 1 FROM encoders")[0]
            self._connection.execute(
                "INSERT INTO encoders VALUES(?, ?, ?, ?, 0, ?, ?)",
                (number, fingerprint, dim, VECTOR_DTYPE.str, model, runtime),
            )
            self._connection.execute(_VECTORS.format(number))
        return EncoderRow(number, fingerprint, dim, model, runtime)

    def _renamed(self, row: EncoderRow, model: str) -> EncoderRow:
        """The row, in which the model is found from now on where it is now."""
        if row.model != model:
            with self.transaction():
                self._connection.execute("UPDATE encoders SET model = ? WHERE encoder = ?", (model, row.encoder))
        return row._replace(model=model)

    def switch_encoder(self, row: EncoderRow, *, keep_old: bool) -> None:
        """Make an encoder the active one, in one transaction.

        Args:
            keep_old: keep the vectors of the others, so that switching back costs only what is new.

        Raises:
            OpendprError: a passage still lacks its vector.
        """
        with self.transaction() as version:
            if next(self.without_vector(row.encoder), None):
                raise OpendprError(f"{self.directory} is not completely encoded by {row.model} yet; encode it first")
            self._connection.execute("UPDATE encoders SET complete = (encoder = ?)", (row.encoder,))
            self._connection.execute("INSERT OR REPLACE INTO settings VALUES('encoder', ?)", (str(row.encoder),))
            if not keep_old:
                for other in self.encoders():
                    if other.encoder != row.encoder:
                        self._connection.execute(f"DROP TABLE vectors_{other.encoder}")
                        self._connection.execute("DELETE FROM encoders WHERE encoder = ?", (other.encoder,))
            self._finish_replacements(row, version)
        self.select("PRAGMA incremental_vacuum")

    def resplit(self, splitter: Splitter) -> None:
        """Cut every document again, in one transaction; old passages are served until the new ones have vectors."""
        with self.transaction() as version:
            self.splitter = splitter
            self._connection.execute(
                "UPDATE settings SET value = ? WHERE key = 'splitter'", (json.dumps(splitter.__dict__),)
            )
            newest = self.select(
                "SELECT d.row, p.row FROM documents d LEFT JOIN documents p ON p.replaces = d.row "
                "WHERE d.replaces IS NULL"
            )
            for row, pending in newest:
                self._cut_again(row, pending, version)
            self.replace_without_vectors(version)

    def _cut_again(self, row: int, pending: int | None, version: int) -> None:
        """Let the newest form of a document, which may wait already, wait beside the old one as cut now."""
        source = row if pending is None else pending
        document = self.document_at(source)[0]
        fields = self.select("SELECT id, title, metadata, content_sha256 FROM documents WHERE row = ?", (source,))[0]
        if pending is not None:
            self._drop(pending, version)
        self._connection.execute(
            "INSERT INTO documents(id, title, metadata, content_sha256, replaces) VALUES(?, ?, ?, ?, ?)",
            (*fields, row),
        )
        inserted, spans = self._connection.last_insert_rowid(), self.splitter.split(document.text)
        first = last_given_number(self) + 1
        self._connection.executemany(_PASSAGES, passage_rows(inserted, document.text, spans, first))
        put_titles(self._connection, document, spans, first)

    def put_documents(self, documents: Sequence[Document]) -> list[Change]:
        """Store documents cut into passages, in one transaction.

        A document whose title and text are known is left as it is (its metadata is brought up to
        date). A changed one waits beside the old one until its passages have vectors; in a collection
        without vectors it takes the old one's place at once.
        """
        with self.transaction() as version:
            there, new = existing_ids(self, [document.id for document in documents]), list[Document]()
            changes: list[Change] = []
            for document in documents:
                if document.id in there:
                    self._insert(new)
                    new = []
                    changes.append(self._put(document, version))
                    continue
                there.add(document.id)
                new.append(document)
                changes.append("added")
            self._insert(new)
            self.replace_without_vectors(version)
            return changes

    def put(self, document: Document, version: int) -> Change:
        """Store a document, in a transaction that leaves this version."""
        if existing_ids(self, [document.id]):
            return self._put(document, version)
        self._insert([document])
        return "added"

    def _put(self, document: Document, version: int) -> Change:
        """Store a document of whose id there is one."""
        content, metadata = content_sha256(document), _METADATA.encode(dict(document.metadata))
        rows = document_forms(self, document.id)
        current = next((row for row in rows if row[3] is None), None)
        pending = next((row for row in rows if row[3] is not None), None)
        newest = pending or current
        if pending and not self._is_as_now(pending, document, content):
            self._drop(pending[0], version)
            newest = current
        if newest and self._is_as_now(newest, document, content):  # also if changed back before a change was complete
            change: Change = "unchanged" if newest[2] == metadata else "relabelled"
            if change == "relabelled":
                self._connection.execute("UPDATE documents SET metadata = ? WHERE row = ?", (metadata, newest[0]))
            if pending and newest is current and not is_cut_as_now(self, newest[0], document.text):
                self._cut_again(newest[0], None, version)
            return change
        self._insert([document], replaces=current[0] if current else None)
        return "replaced" if current else "added"

    def _is_as_now(self, form: Sequence[Any], document: Document, content: bytes) -> bool:
        """Whether a stored form of a document has its content, and passages with the titles they get now."""
        return form[1] == content and has_titles_as_now(self._connection, form[0], document)

    def _insert(self, documents: Sequence[Document], *, replaces: int | None = None) -> None:
        """Store documents and their passages in new rows.

        Args:
            replaces: the row of the document whose place the only one is to take
        """
        if not documents:
            return
        rows, passages = [], []
        last, number = self._one_row("SELECT coalesce(max(row), 0) FROM documents")[0], self.last_number_given()
        for row, document in enumerate(documents, start=last + 1):
            spans = self.splitter.split(document.text)
            if not spans:
                raise InputError(f"document {document.id!r} has no text; leave it out, or give it some")
            metadata = _METADATA.encode(dict(document.metadata))
            rows.append((row, document.id, document.title, metadata, content_sha256(document), replaces))
            passages += passage_rows(row, document.text, spans, number + 1)
            put_titles(self._connection, document, spans, number + 1)
            number += len(spans)
        self._connection.executemany("INSERT INTO documents VALUES(?, ?, ?, ?, ?, ?)", rows)
        self._connection.executemany(_PASSAGES, passages)

    def last_number_given(self) -> int:
        """The largest number that a passage ever had; those of removed ones are not given again."""
        return last_given_number(self)

    def remove_documents(self, ids: Sequence[str]) -> None:
        """Remove documents with their passages and vectors, in one transaction."""
        with self.transaction() as version:
            self.drop_documents(ids, version)

    def drop_documents(self, ids: Sequence[str], version: int) -> None:
        """Remove documents, in a transaction that leaves this version."""
        for id in ids:
            for row, *_ in document_forms(self, id):
                self._drop(row, version)

    def put_vectors(self, encoder: EncoderRow, passages: Sequence[Passage], vectors: Vectors) -> None:
        """Store the vectors (n, d) of passages; what they complete takes its place."""
        if vectors.shape != (len(passages), encoder.dim):
            raise OpendprError(f"expected vectors of shape {(len(passages), encoder.dim)}, got {vectors.shape}")
        rows = []
        for passage, vector in zip(passages, vectors.astype(VECTOR_DTYPE), strict=True):
            content = vector.tobytes()
            rows.append((passage.number, content, vector_crc(passage.number, content)))
        with self.transaction() as version:
            self._connection.executemany(f"INSERT OR REPLACE INTO vectors_{encoder.encoder} VALUES(?, ?, ?)", rows)
            active = self.encoder()
            if active and active.encoder == encoder.encoder:  # of another one they serve nobody yet
                self._finish_replacements(encoder, version)

    def _finish_replacements(self, encoder: EncoderRow, version: int) -> None:
        """Let every pending document whose passages all have vectors take the old one's place."""
        self._replace(
            version,
            "AND NOT EXISTS ("
            f"SELECT 1 FROM passages p LEFT JOIN vectors_{encoder.encoder} v ON v.number = p.number "
            "WHERE p.document = documents.row AND v.number IS NULL)",
        )

    def replace_without_vectors(self, version: int) -> None:
        """Let pending documents take the old ones' places where there is no encoder: no vectors are to come."""
        if self.encoder() is None:
            self._replace(version)

    def _replace(self, version: int, condition: str = "") -> None:
        for row, replaced in self.select(f"SELECT row, replaces FROM documents WHERE replaces IS NOT NULL {condition}"):
            self._drop(replaced, version)
            self._connection.execute("UPDATE documents SET replaces = NULL WHERE row = ?", (row,))

    def _drop(self, document: int, version: int) -> None:
        """Remove a document's row, passages and vectors; their numbers are remembered for the caches."""
        self._connection.execute(
            "INSERT INTO deleted SELECT number, ? FROM passages WHERE document = ?", (version, document)
        )
        for (encoder,) in self.select("SELECT encoder FROM encoders"):
            self._connection.execute(
                f"DELETE FROM vectors_{encoder} WHERE number IN (SELECT number FROM passages WHERE document = ?)",
                (document,),
            )
        if has_titles(self.select):
            drop_titles(self._connection, document)
        self._connection.execute("DELETE FROM passages WHERE document = ?", (document,))
        self._connection.execute("DELETE FROM documents WHERE row = ?", (document,))

    def close(self) -> None:
        if self._is_forked():
            return
        try:
            self._connection.set_busy_timeout(CLOSING_MILLISECONDS)
            with our_errors(self.path), suppress(*WAITED_FOR):  # a long read, as a backup, leaves the log longer
                self._connection.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_TRUNCATE)
        finally:
            super().close()
