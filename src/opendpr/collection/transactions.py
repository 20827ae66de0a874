"""Transactions of a collection: each leaves a version of its own, or nothing."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress

import apsw

from opendpr.collection.collection import Collection
from opendpr.collection.database import WAITED_FOR, our_errors


class TransactedCollection(Collection):
    """A collection that statements may change."""

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
            with suppress(*WAITED_FOR):  # the commit is safe, the next one copies it
                self._connection.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_PASSIVE)

    def change(self, statement: str, rows: Sequence[Sequence[object]], *, table: str = "") -> None:
        """Run a statement for each row, in one transaction; `table` makes the table it needs, if that is not there."""
        with self.transaction():
            self._connection.execute(table)
            self._connection.executemany(statement, rows)

    def note(self, statement: str, rows: Sequence[Sequence[object]], *, table: str = "") -> None:
        """Like `change`, of what no search depends on: the version stays, and with it caches and runs."""
        with our_errors(self.path):
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                self._connection.execute(table)
                self._connection.executemany(statement, rows)
                self._connection.execute("COMMIT")
            finally:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
