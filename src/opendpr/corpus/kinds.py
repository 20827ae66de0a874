"""The kinds of file: which suffix is read by what."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from opendpr.corpus.json_object import RECORD_BYTES, is_record, read_json_object
from opendpr.corpus.jsonlines import JSON_ARRAY, SPREAD_OBJECTS, read_json_array, read_json_lines, read_json_values
from opendpr.corpus.man import looks_like_man
from opendpr.corpus.markdown import read_markdown
from opendpr.corpus.rst import read_rst
from opendpr.corpus.source import Reader
from opendpr.corpus.table import read_csv, read_tsv
from opendpr.corpus.text import begins_as_text, read_text
from opendpr.corpus.unicode_forms import RECOGNISED_BYTES, as_utf8
from opendpr.storage.compression import open_binary, uncompressed_name

READERS: Mapping[str, Reader | str] = {
    ".txt": read_text,
    ".text": read_text,
    ".rst": read_rst,
    ".md": read_markdown,
    ".markdown": read_markdown,
    ".mdown": read_markdown,
    ".mkd": read_markdown,
    ".mdx": read_markdown,
    ".qmd": read_markdown,
    ".rmd": read_markdown,
    ".jsonl": read_json_lines,
    ".ndjson": read_json_lines,
    ".csv": read_csv,
    ".tsv": read_tsv,
    ".html": "html",
    ".htm": "html",
    ".xhtml": "html",
    ".pdf": "pdf",
    ".docx": "docx",
    ".docm": "docx",
    ".epub": "epub",
    ".eml": "mail",
    ".mbox": "mailbox",
    ".rtf": "rtf",
    ".ipynb": "notebook",
    ".odt": "opendocument",
    ".odp": "opendocument",
    ".ods": "opendocument",
    ".pptx": "pptx",
    ".xlsx": "xlsx",
    ".xlsm": "xlsx",
    ".srt": "subtitles",
    ".vtt": "subtitles",
    ".xml": "xml",
}
"""By suffix, a function or the name of a parser of the child process (`child.PARSER_MODULES`).

Each kind may be compressed too (`storage.compression`).
"""

WIKIEXTRACTOR = re.compile(r"wiki_\d+")
"""What WikiExtractor calls its files."""

PSGS = re.compile(r"psgs.*\.tsv", re.IGNORECASE)
"""What the released tables of Wikipedia's passages are called: `psgs_w100.tsv` and parts of it."""


MANUAL = re.compile(r"\.[1-9][a-z]{0,4}")
"""The suffixes of manual pages, and of many other files."""
JSON = ".json"
"""The suffix of records, and of many other files: settings, lists of packages."""
JSON_LINES = re.compile(rb"(?:\xef\xbb\xbf)?\s*\{[^\r\n]*\}[ \t]*\r?\n\s*\{")

REFUSED: Mapping[str, str] = {
    ".doc": "Word's old format; save it as .docx",
    ".xls": "Excel's old format; save it as .xlsx or .csv",
    ".ppt": "PowerPoint's old format; save it as .pptx",
    ".msg": "Outlook's format; save it as .eml",
    ".pst": "Outlook's format; export it as .mbox",
    ".pages": "a format of Apple's own; export it as .docx",
    ".key": "a format of Apple's own; export it as .pptx",
    ".numbers": "a format of Apple's own; export it as .xlsx",
    ".mobi": "a format of Kindle's own; convert it to .epub",
    ".azw3": "a format of Kindle's own; convert it to .epub",
    ".djvu": "pictures of pages; OCR software makes a .pdf with text of it",
    ".ps": "PostScript; convert it to .pdf",
    **dict.fromkeys((".zip", ".7z", ".rar", ".tar", ".tgz"), "an archive; unpack it, and give the folder"),
}
"""Documents of kinds that are not read, and archives, with what to do; taken as plain text they would be rubbish."""


def is_psgs(path: Path) -> bool:
    """Whether a file, by its name, is a table whose records are passages already."""
    return PSGS.fullmatch(uncompressed_name(path).name) is not None


def find_reader(path: Path) -> Reader | str | None:
    """What reads a file of this name, if any."""
    if WIKIEXTRACTOR.fullmatch(uncompressed_name(path).name):
        return read_json_lines
    return READERS.get(suffixes(path)[0])


def find_by_content(path: Path) -> Reader | str | None:
    """What reads a file whose name does not say so: a manual page, JSON with records, or text without a suffix.

    Raises:
        OSError: the file cannot be read; so may what else `READ_ERRORS` names.
    """
    suffix = suffixes(path)[0]
    if suffix and suffix != JSON and not MANUAL.fullmatch(suffix):
        return None
    with open_binary(path) as file:
        head = file.read(RECOGNISED_BYTES)
        if suffix == JSON:
            return _find_json(path, head + file.read(RECORD_BYTES + 1 - len(head)))
    if suffix:
        return "man" if looks_like_man(head) else None
    return read_text if begins_as_text(head) else None


def _find_json(path: Path, start: bytes) -> Reader | None:
    """What reads a file of JSON that begins so."""
    text = as_utf8(start)
    if JSON_LINES.match(text):
        return read_json_lines
    if JSON_ARRAY.match(text):
        return read_json_array
    if SPREAD_OBJECTS.match(text):
        return read_json_values
    return read_json_object if is_record(uncompressed_name(path).name, start) else None


def suffixes(path: Path) -> tuple[str, str]:
    """Lower-case suffixes of the kind and of the compression: `a.b.TXT.gz` -> `.txt`, `.gz`."""
    bare = uncompressed_name(path)
    return bare.suffix.lower(), path.name[len(bare.name) :].lower()
