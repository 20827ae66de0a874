"""Jupyter notebooks, .ipynb: JSON with cells of Markdown, code and what the code printed."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import IO, Any

from opendpr.corpus.extract import Extract, NotReadError, storable
from opendpr.corpus.markdown import heading
from opendpr.corpus.source import TEXT_BYTES, TOO_LONG


def parse_notebook(file: IO[bytes]) -> Extract:
    """Every cell, then the text that it printed; the title is the first heading."""
    data = file.read(TEXT_BYTES + 1)
    if len(data) > TEXT_BYTES:
        raise NotReadError(TOO_LONG)
    try:
        notebook = json.loads(data)
    except ValueError as error:
        raise NotReadError(f"not valid JSON: {error}") from None
    if not isinstance(notebook, dict) or not isinstance(cells := notebook.get("cells"), list):
        raise NotReadError('no notebook of version 4: it has no "cells"; open it in Jupyter and save it again')
    text = "\n\n".join(piece for cell in cells if isinstance(cell, dict) for piece in pieces(cell) if piece.strip())
    return Extract(storable(heading(text)), storable(text))


def pieces(cell: Mapping[str, Any]) -> Iterator[str]:
    """The text of a cell and of what it printed; pictures and errors are left out."""
    yield lines(cell.get("source"))
    outputs = cell.get("outputs")
    for output in outputs if isinstance(outputs, list) else ():
        if isinstance(output, dict):
            data = output.get("data")
            yield lines(output.get("text")) or lines(data.get("text/plain") if isinstance(data, dict) else None)


def lines(value: object) -> str:
    """A text, which a notebook may write as a list of its lines."""
    if isinstance(value, list):
        return "".join(filter(lambda line: isinstance(line, str), value))
    return value if isinstance(value, str) else ""
