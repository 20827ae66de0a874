"""Pools as collections, made once and kept in the folder of the work."""

from __future__ import annotations

import argparse
import shutil
from collections.abc import Iterable
from pathlib import Path

from opendpr.collection import Collection, open_collection, open_writer
from opendpr.iteration import batched
from opendpr.maintenance.add import add_documents
from opendpr.model.encoder import BertEncoder
from opendpr.search.bm25 import update_bm25
from opendpr.text.splitting import Splitter
from opendpr.types import Document

STORED_DOCUMENTS = 1_000
"""Documents of one transaction."""


def fill_pool(args: argparse.Namespace, encoder: BertEncoder) -> Path:
    """The directory of the pool with vectors, made or completed if need be."""
    directory: Path = args.work / f"{args.pool}-{encoder.model.fingerprint[:8]}-{args.precision}"
    with open_writer(directory) as writer:
        report = add_documents(writer, args.data.pool(args.pool), encoder)
    if report.encoded:
        print(f"encoded {report.encoded} passages in {report.seconds:.0f} s", flush=True)
    return directory


def open_pool(args: argparse.Namespace, encoder: BertEncoder) -> Collection:
    """The pool with vectors, open for reading."""
    return open_collection(fill_pool(args, encoder))


def build_words(directory: Path, documents: Iterable[Document], splitter: Splitter | None = None) -> Path:
    """A collection with BM25 and without vectors, complete or not there at all; made once."""
    if directory.exists():
        return directory
    half_done = directory.with_name(directory.name + ".new")
    shutil.rmtree(half_done, ignore_errors=True)
    with open_writer(half_done, splitter) as writer:
        for batch in batched(documents, STORED_DOCUMENTS):
            writer.put_documents(batch)
        update_bm25(writer)
    return half_done.rename(directory)


def build_pool_words(args: argparse.Namespace) -> Path:
    """The pool with BM25 and without vectors."""
    return build_words(args.work / f"words-{args.pool}", args.data.pool(args.pool))
