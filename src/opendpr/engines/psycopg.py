"""Connections to PostgreSQL servers with pgvector: made when needed, again when they broke, errors in our words."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TypeAlias, TypeVar

import numpy as np
import psycopg
from numpy.typing import NDArray
from pgvector import HalfVector, Vector
from pgvector.psycopg import register_vector
from psycopg import errors
from psycopg.types.json import Jsonb

from opendpr.engines.addresses import Address, Host
from opendpr.engines.engine import UnreachableError
from opendpr.errors import BusyError, ResourceError, StateError

CONNECT_SECONDS = 5
"""How long a host may take to answer before the next one is tried."""
PUSH_LOCK_SECONDS = 30
"""How long a push waits for one before it that is ending."""
CONNECTION_SETTINGS = (
    "SET hnsw.ef_search = 800",
    "SET hnsw.iterative_scan = strict_order",
    "SET hnsw.max_scan_tuples = 2000000000",
)
"""A search by HNSW goes on until it has as many passages as were asked for, however few meet a filter."""

REFUSAL_WORDS = ("password", "pg_hba.conf", "role ", 'database "')
"""Words of a server that answers but does not let this user in; before a connection, errors have no code."""

Connection: TypeAlias = "psycopg.Connection[tuple[Any, ...]]"
Result = TypeVar("Result")

__all__ = ["Connection", "HalfVector", "Jsonb", "Server", "Vector", "errors"]


class Server:
    """One share of the vectors: a connection to the first of its hosts that answers.

    Args:
        writes: only a host that can be written will do, and a connection that broke is not replaced, because locks
            went with it
    """

    def __init__(self, address: Address, hosts: Sequence[Host], *, writes: bool) -> None:
        self.name, self._writes = ",".join(map(str, hosts)), writes
        self._parameters: dict[str, Any] = {
            "connect_timeout": CONNECT_SECONDS,
            "application_name": "opendpr",
            **address.options,
            "host": ",".join(host.name for host in hosts),
            "port": ",".join(str(host.port) for host in hosts),
            "dbname": address.database or "opendpr",
            "target_session_attrs": "read-write" if writes else "any",
        }
        if address.user:
            self._parameters["user"] = address.user
        self._opened: Connection | None = None

    def run(self, work: Callable[[Connection], Result]) -> Result:
        """Do something in one transaction; a reader does it again if the connection was found broken.

        Raises:
            UnreachableError: no host answers.
            StateError: the server cannot hold or find vectors, or this user may not.
        """
        try:
            return self._attempt(work)
        except UnreachableError:
            if self._writes:
                raise
            return self._attempt(work)  # over a new connection, perhaps to another host

    def _attempt(self, work: Callable[[Connection], Result]) -> Result:
        with self._our_errors():
            if self._opened is None or self._opened.closed:
                self._opened = self._connect()
            with self._opened.transaction():
                return work(self._opened)

    def _connect(self) -> Connection:
        connection = psycopg.connect(
            **self._parameters,
            autocommit=True,
            prepare_threshold=None,  # a plan for any limit and any filter would pass over the index
        )
        for statement in CONNECTION_SETTINGS:
            connection.execute(statement)
        connection.execute(f"SET lock_timeout = '{PUSH_LOCK_SECONDS}s'")
        self.know_vectors(connection)
        return connection

    @staticmethod
    def know_vectors(connection: Connection) -> None:
        """Let vectors be sent and read; before the first push, the server does not have their type."""
        if connection.execute("SELECT 1 FROM pg_type WHERE typname = 'halfvec'").fetchone():
            register_vector(connection)

    @contextmanager
    def _our_errors(self) -> Iterator[None]:
        try:
            yield
        except errors.ReadOnlySqlTransaction:
            raise BusyError(f"{self.name} cannot be written: it is a standby; promote it, or try again then") from None
        except errors.LockNotAvailable:
            raise BusyError(f"another process is pushing to {self.name}; wait for it") from None
        except (errors.DiskFull, errors.OutOfMemory) as error:
            raise ResourceError(f"{self.name} has no room left ({_reason(error)}); free some on it") from None
        except (psycopg.OperationalError, psycopg.InterfaceError) as error:
            if self._opened is not None:
                self._opened.close()
            if any(refusal in str(error) for refusal in REFUSAL_WORDS):
                raise StateError(
                    f"{self.name} refuses the connection ({_reason(error)}); check user, password and database"
                ) from None
            raise UnreachableError(f"{self.name} does not answer ({_reason(error)}); try again") from None
        except psycopg.Error as error:
            raise StateError(
                f"{self.name} cannot do this ({_reason(error)}); docs/cluster.md says what the server needs"
            ) from None

    def close(self) -> None:
        if self._opened is not None:
            self._opened.close()
            self._opened = None


def halves(vectors: Sequence[HalfVector], dim: int) -> NDArray[np.float16]:
    """Vectors (n, dim) as they were stored."""
    rows = [np.frombuffer(vector.to_binary(), dtype=">f2", offset=4) for vector in vectors]
    return np.array(rows, dtype=np.float16).reshape(len(rows), dim)


def _reason(error: psycopg.Error) -> str:
    """The first line of a server's message; the rest repeats it, or gives a position in a statement."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
