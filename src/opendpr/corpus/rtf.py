"""Rich text, .rtf, by striprtf."""

from __future__ import annotations

import re
from typing import IO

from opendpr.corpus.extract import Extract, NotReadError, storable
from opendpr.corpus.source import TEXT_BYTES, TOO_LONG

TITLE = re.compile(r"\{\\info\b.{0,2000}?\{\\title ([^{}\\]{1,500})\}", re.S)
HIDDEN_TEXT = re.compile(r"\{\\v\b(?!0)[^{}]{0,100000}\}")
SCRIPT = re.compile(r"\{\\(super|sub)\b\s?([^{}\\]{1,60})\}")
"""A superscript or a subscript in a group of its own, as most programs write it."""


def parse_rtf(file: IO[bytes]) -> Extract:
    """The text, a paragraph a line, cells of tables between tabs."""
    from striprtf.striprtf import rtf_to_text

    data = file.read(TEXT_BYTES + 1)
    if len(data) > TEXT_BYTES:
        raise NotReadError(TOO_LONG)
    if not data.lstrip().startswith(b"{\\rtf"):
        raise NotReadError("no rich text: it does not begin with {\\rtf")
    source = HIDDEN_TEXT.sub("", data.decode("latin-1"))
    source = SCRIPT.sub(lambda script: ("^" if script[1] == "super" else "") + script[2], source)
    text = rtf_to_text(source, errors="replace").replace("\r\n", "\n")
    lines = [line.rstrip("|").replace("|", "\t") if line.endswith("|") else line for line in text.split("\n")]
    title = TITLE.search(source)
    return Extract(storable(title[1].strip()) if title else "", storable("\n".join(lines).strip()))
