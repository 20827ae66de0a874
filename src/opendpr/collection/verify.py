"""Reading every byte of a collection's store, and naming what is damaged."""

from __future__ import annotations

from collections.abc import Iterator

from opendpr.collection.collection import QUERY_ROWS, Collection
from opendpr.collection.judgements import verify_judgements
from opendpr.collection.rows import content_sha256, to_vectors
from opendpr.errors import OpendprError
from opendpr.iteration import OnProgress


def verify_store(collection: Collection, on_progress: OnProgress = lambda done, total: None) -> list[str]:
    """What is wrong with the store; an empty list if nothing is.

    Every page is read and compared with its checksum, every passage, vector and judgement with its row's, every
    document's title and text with its SHA-256, and rows that refer to others are followed.

    Args:
        on_progress: called with rows read and rows to read.
    """
    problems: list[str] = []
    done, total = 0, 1
    for number, check in enumerate((_pages, _references, verify_judgements, _documents, _vectors)):
        try:
            if number == 1:
                total = collection.counts()["passages"] * (1 + len(collection.encoders()))
            for finding in check(collection):
                if isinstance(finding, str):
                    problems.append(f"{collection.path}: {finding}")
                else:
                    done += finding
                    on_progress(done, total)
        except OpendprError as error:
            problems.append(str(error))
    return problems


Finding = str | int
"""What is wrong, or how many rows were read."""


def _pages(collection: Collection) -> Iterator[Finding]:
    if collection.select("PRAGMA checksum_verification") != [("1",)]:
        yield "page checksums are off; the head of the file is damaged"
    [(page_bytes,)], size = collection.select("PRAGMA page_size"), collection.path.stat().st_size
    if size % page_bytes:
        yield f"it was cut short: {size} bytes are not a whole number of pages"
    yield from (str(line) for (line,) in collection.select("PRAGMA integrity_check(20)") if line != "ok")


def _references(collection: Collection) -> Iterator[Finding]:
    queries = {
        "passages belong to no document": "passages WHERE document NOT IN (SELECT row FROM documents)",
        "documents have no passage": "documents WHERE row NOT IN (SELECT document FROM passages)",
        "removed passages are still there": "deleted WHERE number IN (SELECT number FROM passages)",
    }
    for row in collection.encoders():
        vectors = f"vectors_{row.encoder}"
        queries[f"{vectors} belong to no passage"] = f"{vectors} WHERE number NOT IN (SELECT number FROM passages)"
    for problem, query in queries.items():
        if count := collection.select(f"SELECT count(*) FROM {query}")[0][0]:
            yield f"{count} {problem}"


def _documents(collection: Collection) -> Iterator[Finding]:
    """Each document put together again; its passages are checked on the way."""
    last = 0
    while rows := collection.select(
        f"SELECT row FROM documents WHERE row > ? ORDER BY row LIMIT {QUERY_ROWS}", (last,)
    ):
        for (row,) in rows:
            with collection.one_state():
                findings = list(_document(collection, row))
            yield from findings  # outside the transaction: the caller may take its time, and writers do not wait for it
        last = rows[-1][0]


def _document(collection: Collection, row: int) -> Iterator[Finding]:
    """One document; nothing is wrong if a writer removed it meanwhile."""
    for id, stored in collection.select("SELECT id, content_sha256 FROM documents WHERE row = ?", (row,)):
        try:
            document, passages = collection.document_at(row)
        except OpendprError as error:
            yield f"document {id!r}: {error}"
            continue
        if content_sha256(document) != stored:
            yield f"document {id!r} is not what was added"
        yield passages


def _vectors(collection: Collection) -> Iterator[Finding]:
    for row in collection.encoders():
        last = 0
        query = (
            f"SELECT number, vector, crc FROM vectors_{row.encoder} WHERE number > ? ORDER BY number LIMIT {QUERY_ROWS}"
        )
        while rows := collection.select(query, (last,)):
            last = rows[-1][0]
            for stored in rows:
                try:
                    to_vectors([stored], row.dim)
                except OpendprError as error:
                    yield str(error)
            yield len(rows)
