"""Files written, and a corpus of them read as a whole."""

import bz2
import gzip
import lzma
import sys
from collections.abc import Callable
from pathlib import Path

from opendpr.corpus import Corpus
from opendpr.corpus.events import Events, event_batches
from opendpr.storage.compression import zstd
from opendpr.types import Document


def read_corpus(corpus: Corpus) -> Events:
    """All that is found in a corpus of which nothing is remembered, by kind."""
    (events,) = event_batches(corpus.events(), sys.maxsize)
    return events


COMPRESSORS: dict[str, Callable[[bytes], bytes]] = {
    "": bytes,
    ".gz": gzip.compress,
    ".xz": lzma.compress,
    ".zst": lambda data: zstd.compress(data, options={zstd.CompressionParameter.checksum_flag: 1}),
    ".bz2": bz2.compress,
}


def write(path: Path, content: str | bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def read(*paths: Path | str) -> tuple[list[Document], Events]:
    """The documents of these paths, and all that was found."""
    events = read_corpus(Corpus(paths))
    return events.documents, events


def ids(*paths: Path | str) -> list[str]:
    """The ids of the documents of these paths, in order."""
    return [document.id for document in Corpus(paths)]


def skipped_reason(path: Path) -> str:
    """Why a file is skipped, which gives no document."""
    documents, events = read(path)
    assert documents == []
    assert [entry.place for entry in events.skipped] == [str(path)]
    return events.skipped[0].reason
