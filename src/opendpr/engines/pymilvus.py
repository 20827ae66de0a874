"""Connections to a Milvus server, with errors in our words."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import grpc
from pymilvus import CollectionSchema, DataType, MilvusClient, MilvusException

from opendpr.engines.addresses import Address
from opendpr.engines.engine import UnreachableError
from opendpr.errors import StateError, UsageError

TOKEN_FILE = "OPENDPR_MILVUS_TOKEN_FILE"
"""Environment variable: a file that holds USER:PASSWORD, or a token."""
CONNECT_SECONDS = 10
REQUEST_SECONDS = 60

__all__ = ["REQUEST_SECONDS", "CollectionSchema", "DataType", "MilvusClient", "connect", "our_errors"]


def connect(address: Address) -> MilvusClient:
    """Connect to the server of an address.

    Raises:
        UnreachableError: it does not answer.
        UsageError: the address names several servers, or options that there are not.
    """
    if len(address.shards) > 1 or len(address.shards[0]) > 1:
        raise UsageError(f"{address.text} names several hosts; Milvus divides vectors itself: name one of its proxies")
    if unknown := set(address.options) - {"secure"}:
        raise UsageError(
            f"{address.text}: an address of Milvus has the option 'secure' alone, leave out {min(unknown)!r}"
        )
    scheme = "https" if address.options.get("secure") == "true" else "http"
    path = os.environ.get(TOKEN_FILE)
    with our_errors(address.text):
        return MilvusClient(
            uri=f"{scheme}://{address.shards[0][0]}",
            token=Path(path).read_text(encoding="utf-8").strip() if path else "",
            db_name=address.database,
            timeout=CONNECT_SECONDS,
        )


@contextmanager
def our_errors(name: str) -> Iterator[None]:
    """Turn what Milvus reports into what a user can act on."""
    try:
        yield
    except grpc.RpcError as error:
        raise UnreachableError(f"{name} does not answer ({_reason(str(error))}); try again") from None
    except MilvusException as error:
        reason = _reason(error.message)
        if isinstance(error.__cause__, grpc.RpcError) or "connect" in reason.lower() or "unavailable" in reason.lower():
            raise UnreachableError(f"{name} does not answer ({reason}); try again") from None
        raise StateError(f"{name} cannot do this ({reason}); docs/cluster.md says what the server needs") from None


def _reason(message: str) -> str:
    return (message.strip().splitlines() or ["no reason given"])[0][:200]
