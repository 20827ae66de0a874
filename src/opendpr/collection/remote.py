"""A member of a set that lies on another machine, read as any collection is."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any, TypeVar, cast

from opendpr.collection.collection import Collection
from opendpr.collection.database import DATABASE
from opendpr.collection.members import Request, Send, There
from opendpr.text.splitting import Splitter

Result = TypeVar("Result")
Reads = TypeVar("Reads", bound=Callable[..., Any])


def _sent(read: Reads) -> Reads:
    """A method that runs where the member is."""

    @wraps(read)
    def send(self: RemoteMember, *args: object) -> object:
        return self.begin(read, *args)()

    return cast(Reads, send)


def described(collection: Collection) -> tuple[dict[str, str], Splitter]:
    """The settings of a collection, and how it cuts documents."""
    return collection.settings, collection.splitter


class RemoteMember(Collection):
    """A member elsewhere; what is not sent there by name ends in `select`, one query at a time.

    Args:
        directory: of the member, where it lies

    Raises:
        BusyError: nobody answers for it.
    """

    def __init__(self, directory: Path, send: Send) -> None:
        self.directory, self.path, self._process = directory, directory / DATABASE, os.getpid()
        self._send = send
        self.settings, self.splitter = self.begin(described)()

    def begin(self, run: Callable[..., Result], /, *args: object, **options: object) -> Callable[[], Result]:
        return self._send(Request("collection", None, run, args, options))

    def searched(self, subject: str) -> There[Any]:
        """The words or vectors of the state that it is in now."""
        return There(self._send, subject, self.version())

    def close(self) -> None:
        """Nothing: who opened it where it lies closes it."""

    version = _sent(Collection.version)
    encoder = _sent(Collection.encoder)
    state = _sent(Collection.state)
    encoders = _sent(Collection.encoders)
    counts = _sent(Collection.counts)
    count_passages = _sent(Collection.count_passages)
    has_documents = _sent(Collection.has_documents)
    passages = _sent(Collection.passages)
    passages_of = _sent(Collection.passages_of)
    hidden = _sent(Collection.hidden)
    passage_ids = _sent(Collection.passage_ids)
    has_document = _sent(Collection.has_document)
    document = _sent(Collection.document)
    select = _sent(Collection.select)
