"""Addresses of engines: shares, copies, and no secrets."""

from __future__ import annotations

import pytest

from opendpr.engines.addresses import Host, parse_address
from opendpr.errors import UsageError


def test_shares_and_their_copies_are_told_apart():
    address = parse_address("postgresql://search@db1:5433,copy.example.org+[::1]/wiki?sslmode=verify-full")
    assert (address.kind, address.user, address.database) == ("postgresql", "search", "wiki")
    assert address.shards == ((Host("db1", 5433), Host("copy.example.org", 5432)), (Host("::1", 5432),))
    assert address.options == {"sslmode": "verify-full"}
    assert str(Host("::1", 5432)) == "[::1]:5432"


def test_milvus_has_its_own_port():
    assert parse_address("milvus://localhost").shards == ((Host("localhost", 19530),),)


@pytest.mark.parametrize(
    "address",
    [
        "postgresql://search:hunter2@db/wiki",
        "postgresql://db/wiki?password=hunter2",
        "milvus://root:hunter2@db",
        "milvus://db?token=hunter2",
    ],
)
def test_a_secret_is_refused_and_not_repeated(address):
    with pytest.raises(UsageError, match="holds a password") as refused:
        parse_address(address)
    assert "hunter2" not in str(refused.value)


@pytest.mark.parametrize(
    "address", ["wiki", "http://db/wiki", "postgresql:///wiki", "postgresql://a,,b/wiki", "postgresql://a:x/wiki", "[x"]
)
def test_what_is_no_address_is_refused(address):
    with pytest.raises(UsageError, match="is not the address of an engine"):
        parse_address(address)


def test_a_host_named_twice_is_refused():
    with pytest.raises(UsageError, match="twice"):
        parse_address("postgresql://db+db:5432/wiki")
