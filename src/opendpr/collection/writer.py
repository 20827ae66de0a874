"""Writing a collection: one writer at a time, every change a transaction."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Literal

import apsw

from opendpr.collection.collection import Collection
from opendpr.collection.database import our_errors
from opendpr.collection.rows import VECTOR_DTYPE, EncoderRow, content_sha256, passage_crc, vector_crc
from opendpr.collection.titles import drop_titles, has_titles, put_titles
from opendpr.errors import InputError, OpendprError
from opendpr.text.splitting import Splitter
from opendpr.types import Document, Passage, Vectors

CLOSING_MILLISECONDS = 2_000
"""How long a writer that is done waits for readers, to leave a short write-ahead log."""

_VECTORS = "CREATE TABLE vectors_{}(number INTEGER PRIMARY KEY, vector BLOB NOT NULL, crc INTEGER NOT NULL)"

_DOCUMENT_FORMS = " UNION ALL ".join(
    f"SELECT row, content_sha256, metadata, replaces FROM documents WHERE id = ?1 AND replaces IS {state}"
    for state in ("NULL", "NOT NULL")  # each has its index; without a condition SQLite would read every document
)
"""The document of an id, and the one that is to replace it."""

Change = Literal["added", "replaced", "relabelled", "unchanged"]


class Writer(Collection):
    """The one process that may change a collection.

    Every method is one transaction or none, but for those that are given the version of one they are a part of.
    """

    @property
    def parts(self) -> Sequence[Writer]:
        return (self,)

    def part_of(self, id: str) -> Writer:
        return self

    @contextmanager
    def transaction(self) -> Iterator[int]:
        """A write transaction; yields the number of the version it leaves, if anything changes."""
        with our_errors(self.path):
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                version = self._one_row("SELECT max(version) FROM commits")[0] + 1
                before = self._connection.total_changes()
                yield version
                if self._connection.total_changes() == before:
                    self._connection.execute("ROLLBACK")
                    return
                self._connection.execute("INSERT INTO commits VALUES(?, ?)", (version, secrets.token_bytes(16)))
                self._connection.execute("COMMIT")
            except BaseException:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise
            with suppress(apsw.BusyError):  # the commit is safe, the next one copies it
                self._connection.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_PASSIVE)

    def change(self, statement: str, rows: Sequence[Sequence[object]], *, table: str = "") -> None:
        """Run a statement for each row, in one transaction; `table` makes the table it needs, if that is not there."""
        with self.transaction():
            self._connection.execute(table)
            self._connection.executemany(statement, rows)

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
        self._insert_passages(self._connection.last_insert_rowid(), document)

    def put_documents(self, documents: Sequence[Document]) -> list[Change]:
        """Store documents cut into passages, in one transaction.

        A document whose title and text are known is left as it is (its metadata is brought up to
        date). A changed one waits beside the old one until its passages have vectors; in a collection
        without vectors it takes the old one's place at once.
        """
        with self.transaction() as version:
            changes = [self.put(document, version) for document in documents]
            self.replace_without_vectors(version)
            return changes

    def put(self, document: Document, version: int) -> Change:
        """Store a document, in a transaction that leaves this version."""
        content = content_sha256(document)
        metadata = json.dumps(dict(document.metadata), ensure_ascii=False, sort_keys=True)
        rows = self.select(_DOCUMENT_FORMS, (document.id,))
        current = next((row for row in rows if row[3] is None), None)
        pending = next((row for row in rows if row[3] is not None), None)
        newest = pending or current
        if pending and pending[1] != content:
            self._drop(pending[0], version)
            newest = current
        if newest and newest[1] == content:  # also one changed and changed back before the change was complete
            change: Change = "unchanged" if newest[2] == metadata else "relabelled"
            if change == "relabelled":
                self._connection.execute("UPDATE documents SET metadata = ? WHERE row = ?", (metadata, newest[0]))
            if pending and newest is current and not self._is_cut_as_now(newest[0], document.text):
                self._cut_again(newest[0], None, version)
            return change
        replaces = current[0] if current else None
        self._connection.execute(
            "INSERT INTO documents(id, title, metadata, content_sha256, replaces) VALUES(?, ?, ?, ?, ?)",
            (document.id, document.title, metadata, content, replaces),
        )
        if not self._insert_passages(self._connection.last_insert_rowid(), document):
            raise InputError(f"document {document.id!r} has no text; leave it out, or give it some")
        return "replaced" if current else "added"

    def _is_cut_as_now(self, document: int, text: str) -> bool:
        """False for a document from before the last `resplit`."""
        stored = self.select("SELECT start, text FROM passages WHERE document = ? ORDER BY start", (document,))
        return stored == [(start, text[start:end]) for start, end in self.splitter.split(text)]

    def _insert_passages(self, row: int, document: Document) -> int:
        """Cut the text of the document in a row, and store its passages with their titles; returns how many."""
        last = self.last_number_given()
        spans, rows = self.splitter.split(document.text), []
        for number, (start, end) in enumerate(spans, start=last + 1):
            piece = document.text[start:end]
            rows.append((number, row, start, piece, passage_crc(number, row, start, piece)))
        self._connection.executemany("INSERT INTO passages VALUES(?, ?, ?, ?, ?)", rows)
        put_titles(self._connection, document, spans, last + 1)
        return len(rows)

    def last_number_given(self) -> int:
        """The largest number that a passage ever had; those of removed ones are not given again."""
        query = "SELECT coalesce(max(seq), 0) FROM sqlite_sequence WHERE name = 'passages'"
        return int(self._one_row(query)[0])

    def remove_documents(self, ids: Sequence[str]) -> None:
        """Remove documents with their passages and vectors, in one transaction."""
        with self.transaction() as version:
            self.drop_documents(ids, version)

    def drop_documents(self, ids: Sequence[str], version: int) -> None:
        """Remove documents, in a transaction that leaves this version."""
        for id in ids:
            for row, *_ in self.select(_DOCUMENT_FORMS, (id,)):
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
            with our_errors(self.path), suppress(apsw.BusyError):  # a long read, as a backup, leaves the log longer
                self._connection.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_TRUNCATE)
        finally:
            super().close()
