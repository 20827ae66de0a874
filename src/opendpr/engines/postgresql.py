"""Vectors in PostgreSQL with pgvector: halfvec, searched exactly while they are few, by HNSW once they are many.

    opendpr_pushed              what is noted: one row for each collection and encoder
    opendpr_<32 hex digits>     number, labels, vector: a share of one vector set

A passage is in the share `number % servers`. The client asks all servers at once and merges what they find.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from functools import partial
from typing import Any, TypeVar

import numpy as np

from opendpr.collection.filters import Where
from opendpr.collection.rows import Version
from opendpr.engines.addresses import Address
from opendpr.engines.engine import (
    HNSW_FACTOR,
    INDEXED_VECTORS,
    Candidates,
    Noted,
    Rows,
    UnreachableError,
    VectorSet,
    set_name,
)
from opendpr.engines.postgresql_where import PostgresqlCondition, postgresql_condition
from opendpr.engines.psycopg import Connection, HalfVector, Jsonb, Server, Vector, halves
from opendpr.errors import StateError
from opendpr.types import Numbers, Scores, Vectors

REMOVED_ROWS = 10_000
"""Numbers named in one statement."""
PUSH_LOCK_NUMBER = 0x0DEBA7E
"""Number of the lock of a push in the server's list of advisory locks."""

_PUSHED = """CREATE TABLE IF NOT EXISTS opendpr_pushed(
    collection_id text, fingerprint text, share integer NOT NULL, shares integer NOT NULL, version bigint NOT NULL,
    commit_id text NOT NULL, last_number bigint NOT NULL, recall jsonb, PRIMARY KEY(collection_id, fingerprint))"""

Result = TypeVar("Result")


class PostgresqlEngine:
    """An `Engine`. It connects when it is first asked."""

    def __init__(
        self, address: Address, vectors: VectorSet, *, writes: bool, indexed_vectors: int = INDEXED_VECTORS
    ) -> None:
        self.name, self._vectors, self._indexed_vectors = address.text, vectors, indexed_vectors
        self._table = set_name(vectors.collection_id, vectors.fingerprint)
        self._writes = writes
        self._servers = [Server(address, hosts, writes=writes) for hosts in address.shards]
        self._pool = ThreadPoolExecutor(len(self._servers))
        self._closing = weakref.finalize(self, _close, self._pool, self._servers)

    def noted(self) -> Noted | None:
        return _common(self._on_all(self._read_note))

    def candidates(self, vectors: Vectors, k: int, where: Where | None, *, allow_partial: bool) -> Candidates:
        condition = PostgresqlCondition("true", ()) if where is None else postgresql_condition(where)
        search = partial(self._search, vectors=vectors, k=k, condition=condition)
        futures = self._submit(search)
        results, missing = [], []
        for server, future in zip(self._servers, futures, strict=True):
            try:
                results.append(future.result())
            except UnreachableError:
                if not allow_partial:
                    raise
                missing.append(server.name)
        if not results:
            raise UnreachableError(f"none of the servers of {self.name} answers; try again")
        noted = _common([note for _, _, note in results])
        numbers, scores = np.hstack([part[0] for part in results]), np.hstack([part[1] for part in results])
        most = max(part[0].shape[1] for part in results)  # beyond the most of one server some may lack
        order = np.lexsort((numbers, -scores), axis=1)[:, :most]
        return Candidates(np.take_along_axis(numbers, order, 1), noted, tuple(missing))

    def _search(
        self, share: int, connection: Connection, *, vectors: Vectors, k: int, condition: PostgresqlCondition
    ) -> tuple[Numbers, Scores, Noted | None]:
        """What one server finds, with its scores, and what it has noted then."""
        before = self._read_note(share, connection)
        if before is None:
            return np.full((len(vectors), 0), -1, np.int64), np.empty((len(vectors), 0), np.float32), None
        wanted = HNSW_FACTOR * k if before.indexed else k
        numbers = np.full((len(vectors), wanted), -1, np.int64)
        scores = np.full((len(vectors), wanted), -np.inf, np.float32)
        for place, vector in enumerate(vectors):
            rows = self._nearest(connection, vector, wanted, condition, indexed=True) if before.indexed else []
            if len(rows) < wanted:  # HNSW gives up where few passages meet the filter
                rows = self._nearest(connection, vector, wanted, condition, indexed=False)
            numbers[place, : len(rows)] = [number for number, _ in rows]
            scores[place, : len(rows)] = [-distance for _, distance in rows]
        return numbers, scores, self._read_note(share, connection)

    def _nearest(
        self, connection: Connection, vector: Vectors, k: int, condition: PostgresqlCondition, *, indexed: bool
    ) -> list[tuple[Any, ...]]:
        distance = "vector <#> %s" if indexed else "vector::vector <#> %s"
        question = HalfVector(vector) if indexed else Vector(vector)
        return connection.execute(
            f"SELECT number, {distance} AS distance FROM {self._table} WHERE {condition.sql} "
            "ORDER BY distance, number LIMIT %s",
            (question, *condition.values, k),
        ).fetchall()

    def _read_note(self, share: int, connection: Connection) -> Noted | None:
        if connection.execute("SELECT to_regclass('opendpr_pushed')").fetchone() == (None,):
            return None
        row = connection.execute(
            "SELECT share, shares, version, commit_id, last_number, recall, to_regclass(%s) IS NOT NULL "
            "FROM opendpr_pushed WHERE collection_id = %s AND fingerprint = %s",
            (f"{self._table}_hnsw", self._vectors.collection_id, self._vectors.fingerprint),
        ).fetchone()
        if row is None:
            return None
        if row[:2] != (share, len(self._servers)):
            if self._writes:
                return None  # all is pushed again to the servers as they are named now
            raise StateError(
                f"{self._servers[share].name} holds share {row[0] + 1} of {row[1]}, and is named as {share + 1} of "
                f"{len(self._servers)}; name the servers as they were named to 'opendpr push', or push to these"
            )
        return Noted(Version(row[2], row[3]), row[4], row[5], row[6])

    def prepare(self) -> None:
        self._on_all(self._make_tables)

    def _make_tables(self, share: int, connection: Connection) -> None:
        connection.execute("SELECT pg_advisory_lock(%s)", (PUSH_LOCK_NUMBER,))
        connection.execute("CREATE EXTENSION IF NOT EXISTS vector")
        self._servers[share].know_vectors(connection)
        connection.execute(_PUSHED)
        connection.execute(
            f"CREATE TABLE IF NOT EXISTS {self._table}(number bigint PRIMARY KEY, labels jsonb NOT NULL, "
            f"vector halfvec({self._vectors.dim}) STORAGE PLAIN NOT NULL)"
        )

    def forget(self) -> None:
        self._on_all(self._forget)

    def _forget(self, share: int, connection: Connection) -> None:
        connection.execute(
            "DELETE FROM opendpr_pushed WHERE collection_id = %s AND fingerprint = %s",
            (self._vectors.collection_id, self._vectors.fingerprint),
        )
        connection.execute(f"TRUNCATE {self._table}")
        connection.execute(f"DROP INDEX IF EXISTS {self._table}_hnsw")

    def remove(self, numbers: Numbers) -> None:
        for first in range(0, len(numbers), REMOVED_ROWS):
            part = numbers[first : first + REMOVED_ROWS]
            self._on_all(partial(self._remove, numbers=part))

    def _remove(self, share: int, connection: Connection, numbers: Numbers) -> None:
        own = numbers[numbers % len(self._servers) == share].tolist()
        connection.execute(f"DELETE FROM {self._table} WHERE number = ANY(%s)", (own,))

    def put(self, rows: Rows) -> None:
        self._on_all(partial(self._put, rows=rows))

    def _put(self, share: int, connection: Connection, rows: Rows) -> None:
        self._remove(share, connection, rows.numbers)
        with connection.cursor().copy(f"COPY {self._table} FROM STDIN WITH (FORMAT BINARY)") as copy:
            copy.set_types(["int8", "jsonb", "halfvec"])
            for number, vector, labels in zip(rows.numbers.tolist(), rows.vectors, rows.labels, strict=True):
                if number % len(self._servers) == share:
                    copy.write_row((number, Jsonb(labels), HalfVector(vector)))

    def note(self, noted: Noted) -> None:
        self._on_all(partial(self._note, noted=noted))

    def _note(self, share: int, connection: Connection, noted: Noted) -> None:
        connection.execute(
            "INSERT INTO opendpr_pushed VALUES(%s, %s, %s, %s, %s, %s, %s, %s) ON CONFLICT(collection_id, fingerprint) "
            "DO UPDATE SET version = excluded.version, commit_id = excluded.commit_id, "
            "last_number = excluded.last_number, recall = excluded.recall",
            (
                *(self._vectors.collection_id, self._vectors.fingerprint, share, len(self._servers)),
                *(*noted.version, noted.last_number, None if noted.recall is None else Jsonb(dict(noted.recall))),
            ),
        )

    def finish(self) -> None:
        self._on_all(self._finish)

    def _finish(self, share: int, connection: Connection) -> None:
        del share
        many = f"SELECT count(*) >= %s FROM (SELECT 1 FROM {self._table} LIMIT %s) AS present"
        if connection.execute(many, (self._indexed_vectors, self._indexed_vectors)).fetchone() == (True,):
            connection.execute(
                f"CREATE INDEX IF NOT EXISTS {self._table}_hnsw ON {self._table} USING hnsw (vector halfvec_ip_ops)"
            )
        connection.execute(f"ANALYZE {self._table}")
        others = connection.execute(
            "DELETE FROM opendpr_pushed WHERE collection_id = %s AND fingerprint <> %s RETURNING fingerprint",
            (self._vectors.collection_id, self._vectors.fingerprint),
        ).fetchall()
        for (fingerprint,) in others:
            connection.execute(f"DROP TABLE IF EXISTS {set_name(self._vectors.collection_id, fingerprint)}")

    def rows(self, after: int, until: int) -> Rows:
        query = f"SELECT number, vector, labels FROM {self._table} WHERE number > %s AND number <= %s"
        shares = self._on_all(lambda share, connection: connection.execute(query, (after, until)).fetchall())
        rows = sorted((row for share in shares for row in share), key=lambda row: int(row[0]))
        return Rows(
            np.array([number for number, _, _ in rows], dtype=np.int64),
            halves([vector for _, vector, _ in rows], self._vectors.dim),
            [labels for _, _, labels in rows],
        )

    def close(self) -> None:
        self._closing()

    def _submit(self, work: Callable[[int, Connection], Result]) -> list[Future[Result]]:
        """Begin something on every server at once; it is given the number of the share."""
        return [self._pool.submit(server.run, partial(work, share)) for share, server in enumerate(self._servers)]

    def _on_all(self, work: Callable[[int, Connection], Result]) -> list[Result]:
        futures = self._submit(work)
        wait(futures)
        return [future.result() for future in futures]


def _close(pool: ThreadPoolExecutor, servers: Sequence[Server]) -> None:
    pool.shutdown()
    for server in servers:
        server.close()


def _common(notes: Sequence[Noted | None]) -> Noted | None:
    """What all servers have noted: the oldest, as a push that was stopped between them leaves them."""
    present = [note for note in notes if note is not None]
    return min(present, key=lambda note: (note.version, note.last_number)) if len(present) == len(notes) else None
