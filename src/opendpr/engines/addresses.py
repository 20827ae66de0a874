"""Where an engine is: `postgresql://USER@HOST,STANDBY+HOST/DATABASE`, `milvus://HOST:PORT/DATABASE`.

`+` parts servers that hold a share of the vectors each; `,` parts hosts that hold the same share, of which the first
that answers is asked. A secret in an address would be seen in lists of processes and in logs: it is refused.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple
from urllib.parse import parse_qsl, unquote

from opendpr.errors import UsageError

DEFAULT_PORTS = {"postgresql": 5432, "milvus": 19530}
"""Kinds of engines, and the ports that they listen on."""
SECRET_OPTIONS = {"password", "sslpassword", "token"}
SECRET_PLACES = {
    "postgresql": "put it into the file that PGPASSFILE names (by default ~/.pgpass)",
    "milvus": "put it into a file that OPENDPR_MILVUS_TOKEN_FILE names",
}

_ADDRESS = re.compile(
    r"(?P<kind>[a-z]+)://(?P<places>[^/?#]*)(?P<path>/[^?#]*)?(?:\?(?P<options>[^#]*))?"
)  # urlsplit takes one host
_HOST = re.compile(r"(?P<name>\[[0-9a-fA-F:.]+\]|[\w.-]+)(?::(?P<port>\d{1,5}))?", re.ASCII)


class Host(NamedTuple):
    """A machine and a port."""

    name: str
    port: int

    def __str__(self) -> str:
        return f"[{self.name}]:{self.port}" if ":" in self.name else f"{self.name}:{self.port}"


@dataclass(frozen=True)
class Address:
    """An engine's address, taken apart."""

    kind: str
    shards: tuple[tuple[Host, ...], ...]
    """The hosts that hold each share of the vectors, in the order in which they are tried."""
    user: str | None
    database: str
    options: Mapping[str, str]
    text: str
    """The address as the user wrote it; it holds no secret."""


def parse_address(text: str) -> Address:
    """Take an engine's address apart.

    Raises:
        UsageError: it is not of the form above, or holds a secret.
    """
    parts = _ADDRESS.fullmatch(text)
    if not parts or parts["kind"] not in DEFAULT_PORTS:
        raise _wrong(text)
    try:
        options = dict(parse_qsl(parts["options"], strict_parsing=True) if parts["options"] else [])
    except ValueError:
        raise _wrong(text) from None
    kind, (user, at, places) = parts["kind"], parts["places"].rpartition("@")
    if ":" in user or SECRET_OPTIONS & set(options):
        raise UsageError(
            f"the address of {places} holds a password, which others can see there; leave it out, and "
            f"{SECRET_PLACES[kind]}"
        )
    shards = tuple(
        tuple(_host(host, DEFAULT_PORTS[kind], text) for host in share.split(",")) for share in places.split("+")
    )
    if len(set(host for share in shards for host in share)) < sum(map(len, shards)):
        raise UsageError(f"{text!r} names a host twice; each holds a share of its own, or is a copy of one")
    database = unquote((parts["path"] or "").strip("/"))
    return Address(kind, shards, unquote(user) if at else None, database, options, text)


def _host(text: str, port: int, address: str) -> Host:
    match = _HOST.fullmatch(text)
    if not match:
        raise _wrong(address)
    return Host(match["name"].strip("[]"), int(match["port"] or port))


def _wrong(text: str) -> UsageError:
    return UsageError(
        f"{text!r} is not the address of an engine; give one such as postgresql://search@db1.example.org/opendpr or "
        "milvus://milvus.example.org"
    )
