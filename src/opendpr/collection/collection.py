"""Reading a collection. Readers never wait for the writer and never write."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import apsw
import numpy as np
from numpy.typing import NDArray

from opendpr.collection.database import DATABASE, closed_on_error, our_errors, read_settings
from opendpr.collection.rows import (
    COMPARED_IDS,
    EncoderRow,
    ListedDocument,
    Version,
    other_encoder,
    to_passage,
    to_vectors,
    unknown_document,
)
from opendpr.collection.titles import passage_query
from opendpr.errors import CorruptionError, InputError, StateError
from opendpr.text.splitting import Splitter
from opendpr.text.unicode import NOT_UNICODE
from opendpr.types import Document, Numbers, Passage

Result = TypeVar("Result")

QUERY_ROWS = 1_000
"""Rows fetched at once, so that no read transaction lasts long."""
_ENCODERS = "SELECT encoder, fingerprint, dim, model, runtime FROM encoders"


class Collection:
    """An opened collection, for reading; `lookup.py` and `selection.py` read more of it."""

    def __init__(self, directory: Path, connection: apsw.Connection) -> None:
        self.directory = directory
        self._opened, self._process = connection, os.getpid()
        self.path = directory / DATABASE
        with closed_on_error(connection):
            self.settings = read_settings(connection, self.path)
        self.splitter = Splitter(**json.loads(self.settings["splitter"]))

    @property
    def _connection(self) -> apsw.Connection:
        """The connection; SQLite's files do not survive a fork."""
        self.refuse_fork()
        return self._opened

    def refuse_fork(self) -> None:
        """Raises StateError in the child of the process that opened the collection."""
        if self._is_forked():
            raise StateError(
                f"{self.directory} was opened before this process was forked; open it again here, or start processes "
                "by 'spawn'"
            )

    def _is_forked(self) -> bool:
        """Whether this is the child of the process that opened the collection."""
        return os.getpid() != self._process

    def close(self) -> None:
        if not self._is_forked():
            with our_errors(self.path):
                self._connection.close()

    def __enter__(self) -> Collection:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    @property
    def id(self) -> str:
        return self.settings["collection_id"]

    @property
    def parts(self) -> Sequence[Collection]:
        """The collections that it consists of: itself, or the members of a set."""
        return (self,)

    def part_of(self, id: str) -> Collection:
        """The one of its parts that a document of this id belongs to."""
        return self

    def parts_encoded(self, encoder: int) -> Sequence[tuple[Collection, int]]:
        """Its parts, each with the number that an encoder has there."""
        return ((self, encoder),)

    @property
    def missing(self) -> tuple[str, ...]:
        """Names of the parts that cannot be read; none unless that is allowed."""
        return ()

    def begin(self, run: Callable[..., Result], /, *args: object, **options: object) -> Callable[[], Result]:
        """What a function of the collection returns, once it is called for, as `members.Member` says."""
        return partial(run, self, *args, **options)

    def version(self) -> Version:
        """The newest commit."""
        row = self._one_row("SELECT version, hex(commit_id) FROM commits ORDER BY version DESC LIMIT 1")
        return Version(*row)

    def has_commit(self, version: Version) -> bool:
        """Whether this collection was once in that state."""
        return bool(self.select("SELECT 1 FROM commits WHERE version = ? AND hex(commit_id) = ?", version))

    def encoder(self) -> EncoderRow | None:
        """The encoder that questions must be encoded with; None in a collection without vectors."""
        rows = self.select(
            f"{_ENCODERS} WHERE encoder = (SELECT CAST(value AS INTEGER) FROM settings WHERE key = 'encoder')"
        )
        return EncoderRow(*rows[0]) if rows else None

    def state(self) -> tuple[Version, EncoderRow | None]:
        """The newest commit and the encoder, asked for at once."""
        return self.version(), self.encoder()

    def encoders(self) -> list[EncoderRow]:
        """All encoders that have vectors here: the active one, one on its way, ones that were kept."""
        return [EncoderRow(*row) for row in self.select(_ENCODERS)]

    def require_encoder(self) -> EncoderRow:
        """The encoder that questions must be encoded with.

        Raises:
            StateError: there is none, so that only BM25 finds something.
        """
        row = self.encoder()
        if row is None:
            raise StateError(
                f"{self.directory} holds no vectors, which dense and hybrid search need; make them "
                f"with 'opendpr encode {self.directory}', or search by words with --retriever bm25"
            )
        return row

    def refuse_other_encoder(self, fingerprint: str, model: str) -> None:
        """Raises StateError if the vectors come from an encoder with another fingerprint."""
        row = self.require_encoder()
        if row.fingerprint != fingerprint:
            raise StateError(other_encoder(row, self.directory, fingerprint, model))

    def counts(self) -> dict[str, int]:
        """How many documents, passages, vectors, and passages still without a vector."""
        with self.one_state():
            row = self.encoder()
            vectors = self._one_row(f"SELECT count(*) FROM vectors_{row.encoder}")[0] if row else 0
            passages = self._one_row("SELECT count(*) FROM passages")[0]
            documents = self._one_row("SELECT count(*) FROM documents WHERE replaces IS NULL")[0]
        return {"documents": documents, "passages": passages, "vectors": vectors, "to_encode": passages - vectors}

    def count_passages(self) -> int:
        """How many passages there are, hidden ones too; `counts` also reads every vector's row."""
        return int(self._one_row("SELECT count(*) FROM passages")[0])

    def has_documents(self) -> bool:
        """Whether there are any; `counts` reads every vector's row to say so."""
        return bool(self.select("SELECT 1 FROM documents WHERE replaces IS NULL LIMIT 1"))

    def passages(self, numbers: Sequence[int]) -> dict[int, Passage]:
        """The passages that exist of those asked for, by number."""
        passages = {}
        for first in range(0, len(numbers), QUERY_ROWS):
            wanted = [int(number) for number in numbers[first : first + QUERY_ROWS]]
            marks = ",".join("?" * len(wanted))
            for row in self.select(f"{passage_query(self.select)} WHERE p.number IN ({marks})", wanted):
                passage = to_passage(row)
                passages[passage.number] = passage
        return passages

    def passages_after(self, number: int) -> Iterator[Passage]:
        """All passages whose number is larger, in order."""
        query = f"{passage_query(self.select)} WHERE p.number > ? ORDER BY p.number LIMIT {QUERY_ROWS}"
        while rows := self.select(query, (number,)):
            yield from map(to_passage, rows)
            number = rows[-1][0]

    def passages_of(self, id: str) -> list[Passage]:
        """The passages of a document in order; none if there is no such document."""
        query = f"{passage_query(self.select)} WHERE d.id = ? AND d.replaces IS NULL ORDER BY p.start"
        return [to_passage(row) for row in self.select(query, (id,))]

    def without_vector(self, encoder: int, chunk: int = QUERY_ROWS) -> Iterator[list[Passage]]:
        """Passages that still have no vector, in lists cut by number: `(number - 1) // chunk` is the same in each.

        So whoever goes on after an interruption gets the lists that were left, not others.
        """
        number = 0
        query = (
            f"{passage_query(self.select)} LEFT JOIN vectors_{encoder} v ON v.number = p.number "
            f"WHERE p.number > ? AND v.number IS NULL ORDER BY p.number LIMIT {chunk}"
        )
        while rows := self.select(query, (number,)):
            number = ((rows[0][0] - 1) // chunk + 1) * chunk
            yield [to_passage(row) for row in rows if row[0] <= number]

    def vectors(self, after: int = 0) -> Iterator[tuple[Numbers, NDArray[np.float16]]]:
        """Numbers (n,) and vectors (n, d) of the active encoder, in order of number, in pieces."""
        row = self.require_encoder()
        query = (
            f"SELECT number, vector, crc FROM vectors_{row.encoder} WHERE number > ? ORDER BY number LIMIT {QUERY_ROWS}"
        )
        while rows := self.select(query, (after,)):
            yield to_vectors(rows, row.dim)
            after = rows[-1][0]

    def count_vectors_after(self, number: int) -> int:
        """How many passages with a larger number have a vector of the active encoder."""
        query = f"SELECT count(*) FROM vectors_{self.require_encoder().encoder} WHERE number > ?"
        return int(self.select(query, (number,))[0][0])

    def vectors_of(self, row: EncoderRow, numbers: Numbers) -> tuple[Numbers, NDArray[np.float16]]:
        """Those of the vectors asked for that an encoder has: numbers (n,), rising, and vectors (n, d).

        Raises:
            StateError: its vectors were dropped for those of another model.
        """
        numbers, rows = np.unique(numbers), []
        with self.one_state():
            if row not in self.encoders():
                raise StateError(f"{self.directory} was given another model meanwhile; open it again")
            for first in range(0, len(numbers), QUERY_ROWS):
                wanted = numbers[first : first + QUERY_ROWS].tolist()
                query = (
                    f"SELECT number, vector, crc FROM vectors_{row.encoder} "
                    f"WHERE number IN ({','.join('?' * len(wanted))}) ORDER BY number"
                )
                rows += self.select(query, wanted)
        return to_vectors(rows, row.dim)

    def hidden(self) -> Numbers:
        """Passages of documents that wait for their last vectors before they replace older ones."""
        rows = self.select(
            "SELECT number FROM passages WHERE document IN (SELECT row FROM documents WHERE replaces IS NOT NULL)"
        )
        return np.array([row[0] for row in rows], dtype=np.int64)

    def deleted_since(self, version: int) -> list[int]:
        """Numbers of passages that were removed after that version."""
        return [row[0] for row in self.select("SELECT number FROM deleted WHERE version > ?", (version,))]

    def summaries(self, after: str = "") -> Iterator[ListedDocument]:
        """All documents in order of id, or those whose id follows `after`."""
        last = after
        query = (
            "SELECT d.id, d.title, count(*), max(p.start + length(replace(p.text, char(0), ' '))) FROM documents d "
            "JOIN passages p ON p.document = d.row WHERE d.replaces IS NULL AND d.id > ? "
            f"GROUP BY d.id ORDER BY d.id LIMIT {QUERY_ROWS}"
        )
        while rows := self.select(query, (last,)):
            yield from (ListedDocument(*row) for row in rows)
            last = rows[-1][0]

    def passage_ids(self, passages: Sequence[Passage]) -> dict[int, str]:
        """Ids for the outside world: the document's, with `#start` if it has other passages."""
        ids = sorted({passage.document_id for passage in passages})
        several: set[str] = set()
        for first in range(0, len(ids), QUERY_ROWS):
            wanted = ids[first : first + QUERY_ROWS]
            query = (
                "SELECT d.id FROM documents d JOIN passages p ON p.document = d.row WHERE d.replaces IS NULL "
                f"AND d.id IN ({','.join('?' * len(wanted))}) GROUP BY d.id HAVING count(*) > 1"
            )
            several.update(row[0] for row in self.select(query, wanted))
        return {p.number: f"{p.document_id}#{p.start}" if p.document_id in several else p.document_id for p in passages}

    def has_document(self, id: str) -> bool:
        """Whether there is a document of that id."""
        return bool(self.select("SELECT 1 FROM documents WHERE id = ? AND replaces IS NULL", (id,)))

    def document(self, id: str) -> Document:
        """A document with its whole text, put together from its passages.

        Raises:
            InputError: there is no such document.
        """
        with self.one_state():
            rows = self.select("SELECT row FROM documents WHERE id = ? AND replaces IS NULL", (id,))
            if not rows:
                ids = self.select(f"SELECT id FROM documents WHERE replaces IS NULL LIMIT {COMPARED_IDS}")
                raise unknown_document(id, [row[0] for row in ids])
            return self.document_at(rows[0][0])[0]

    def document_at(self, row: int) -> tuple[Document, int]:
        """The document of a row, pending ones too, and how many passages it has."""
        id, title, metadata = self.select("SELECT id, title, metadata FROM documents WHERE row = ?", (row,))[0]
        passages = self.select(f"{passage_query(self.select)} WHERE p.document = ? ORDER BY p.start", (row,))
        text = ""
        for passage in map(to_passage, passages):
            text += passage.text[len(text) - passage.start :]
        return Document(id, title, text, json.loads(metadata)), len(passages)

    @contextmanager
    def one_state(self) -> Iterator[None]:
        """What is read inside is of one state of the collection, whatever a writer does meanwhile."""
        with our_errors(self.path):
            self._connection.execute("BEGIN")
        try:
            yield
        finally:
            if self._connection.in_transaction:
                self.select("COMMIT")

    def copy_into(self, other: apsw.Connection) -> None:
        """Put the newest state in place of all that another database holds; errors are SQLite's."""
        with other.backup("main", self._connection, "main") as copying:
            copying.step()

    def select(self, query: str, values: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        """All rows of a query, with errors in our words; SQL is written in the modules of `collection` alone.

        Raises:
            InputError: a value of it is not valid Unicode.
        """
        try:
            with our_errors(self.path):
                return self._connection.execute(query, tuple(values)).fetchall()
        except UnicodeEncodeError as error:
            raise InputError(f"{error.object!r:.200} {NOT_UNICODE}; nothing in {self.directory} has it") from None
        except apsw.SQLError as error:  # a damaged write-ahead log can hide columns and tables
            raise CorruptionError(
                f"{self.path} has not the tables it was made with ({error}); open it again, or restore a backup"
            ) from None

    def _one_row(self, query: str) -> tuple[Any, ...]:
        return self.select(query)[0]
