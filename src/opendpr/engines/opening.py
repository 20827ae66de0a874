"""An engine by its address; its client is imported only then."""

from __future__ import annotations

from opendpr.engines.addresses import Address, parse_address
from opendpr.engines.engine import Engine, VectorSet
from opendpr.errors import OpendprError


def open_engine(address: str | Address, vectors: VectorSet, *, writes: bool = False) -> Engine:
    """An engine that holds, or is to hold, a vector set; no server is asked yet.

    Args:
        writes: it is opened to be pushed to

    Raises:
        UsageError: the address is not valid.
        OpendprError: the engine's client is not installed.
    """
    parsed = parse_address(address) if isinstance(address, str) else address
    try:
        if parsed.kind == "milvus":
            from opendpr.engines.milvus import MilvusEngine

            return MilvusEngine(parsed, vectors)
        from opendpr.engines.postgresql import PostgresqlEngine

        return PostgresqlEngine(parsed, vectors, writes=writes)
    except ModuleNotFoundError as error:
        raise OpendprError(f"{error.name} is not installed; pip install 'opendpr[{parsed.kind}]'") from None
