"""Reads files with one state of opendpr, in a process of its own: `PYTHONPATH=CODE/src python read_files.py`.

Standard input has a JSON list of paths; the answer has the text of each, null where no reader is for it, and the
processor time of reading them all once more, in this same process. It runs with the code of earlier commits too, so it
imports nothing of experiments/.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from pathlib import Path

from opendpr.corpus import child, kinds
from opendpr.corpus.sandbox import Sandbox
from opendpr.corpus.source import Source
from opendpr.types import Document


def find_kind(path: Path) -> object:
    """What reads a file: a function, or the name of a parser; menus of HTML are read where they can be left out."""
    if path.suffix == ".html" and "html with menus" in getattr(child, "PARSER_MODULES", {}):
        return "html with menus"
    by_content: Callable[[Path], object] | None = getattr(kinds, "find_by_content", None)
    return kinds.find_reader(path) or (by_content and by_content(path))


def read(sandbox: Sandbox, path: Path) -> str | None:
    """The text of a file; empty where it cannot be read, None where no reader is for it."""
    source, kind = Source(path.name, path.name, "", {}), find_kind(path)
    if kind is None:
        return None
    if isinstance(kind, str):
        readings = list(sandbox.read(kind, path, source))
    else:
        assert callable(kind)
        with path.open("rb") as file:
            readings = list(kind(file, source))
    documents = [reading for _, reading in readings if isinstance(reading, Document)]
    is_table = path.suffix in (".csv", ".jsonl")
    return "\n".join(text for document in documents for text in all_texts(document, is_table=is_table))


def all_texts(document: Document, *, is_table: bool) -> Iterator[str]:
    """Title and text of a document; for a row of a table or a record, its id and its other columns too."""
    yield from (document.title, document.text)
    if is_table:
        yield from (document.id, *document.metadata, *map(str, document.metadata.values()))


def read_here(path: Path) -> None:
    """Read a file in this process, whatever parses it."""
    kind = find_kind(path)
    if isinstance(kind, str):
        child.parse(kind, path)
        return
    assert callable(kind)
    with path.open("rb") as file:
        for _ in kind(file, Source(path.name, path.name, "", {})):
            pass


def processor_seconds(paths: Sequence[Path]) -> float:
    """Processor time of reading files, once to warm up and then once measured."""
    for path in paths:
        read_here(path)
    started = time.process_time()
    for path in paths:
        read_here(path)
    return time.process_time() - started


def main() -> None:
    paths = list(map(Path, json.load(sys.stdin)))
    with closing(Sandbox()) as sandbox:
        texts = [read(sandbox, path) for path in paths]
    readable = [path for path, text in zip(paths, texts, strict=True) if text]
    print(json.dumps({"texts": texts, "seconds": processor_seconds(readable)}))


if __name__ == "__main__":
    main()
