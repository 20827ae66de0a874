"""The kinds of file: which suffix is read by what."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from opendpr.corpus.jsonlines import read_json_lines
from opendpr.corpus.markdown import read_markdown
from opendpr.corpus.source import Reader
from opendpr.corpus.table import read_csv, read_tsv
from opendpr.corpus.text import read_text
from opendpr.storage.compression import uncompressed_name

READERS: Mapping[str, Reader | str] = {
    ".txt": read_text,
    ".text": read_text,
    ".rst": read_text,
    ".md": read_markdown,
    ".markdown": read_markdown,
    ".jsonl": read_json_lines,
    ".ndjson": read_json_lines,
    ".csv": read_csv,
    ".tsv": read_tsv,
    ".html": "html",
    ".htm": "html",
    ".xhtml": "html",
    ".pdf": "pdf",
    ".docx": "docx",
    ".epub": "epub",
}
"""By suffix, a function or the name of a parser of the child process (`child.PARSERS`). Each kind may be compressed
too (`formats.COMPRESSED`)."""

WIKIEXTRACTOR = re.compile(r"wiki_\d+")
"""What WikiExtractor calls its files."""

PSGS = re.compile(r"psgs.*\.tsv", re.IGNORECASE)
"""What the released tables of Wikipedia's passages are called: `psgs_w100.tsv` and parts of it."""


def is_psgs(path: Path) -> bool:
    """Whether a file, by its name, is a table whose records are passages already."""
    return PSGS.fullmatch(uncompressed_name(path).name) is not None


def find_reader(path: Path) -> Reader | str | None:
    """What reads a file of this name, if any."""
    if WIKIEXTRACTOR.fullmatch(uncompressed_name(path).name):
        return read_json_lines
    return READERS.get(suffixes(path)[0])


def suffixes(path: Path) -> tuple[str, str]:
    """Lower-case suffixes of the kind and of the compression: `a.b.TXT.gz` -> `.txt`, `.gz`."""
    bare = uncompressed_name(path)
    return bare.suffix.lower(), path.name[len(bare.name) :].lower()
