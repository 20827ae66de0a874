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
    cells = notebook_cells(notebook)
    if cells is None:
        raise NotReadError('no notebook: it has no "cells"; open it in Jupyter and save it again')
    text = "\n\n".join(piece for cell in cells if isinstance(cell, dict) for piece in pieces(cell) if piece.strip())
    return Extract(storable(heading(text)), storable(text))


def notebook_cells(notebook: object) -> list[Any] | None:
    """The cells of a notebook, which those of version 3 have in worksheets; None if it has none."""
    if not isinstance(notebook, dict):
        return None
    sheets = notebook.get("worksheets")
    if isinstance(sheets, list) and sheets and isinstance(sheets[0], dict):
        notebook = sheets[0]  # programs have never written more than one
    cells = notebook.get("cells")
    return cells if isinstance(cells, list) else None


def pieces(cell: Mapping[str, Any]) -> Iterator[str]:
    """The text of a cell and of what it printed; pictures and errors are left out."""
    yield lines(cell.get("source")) or lines(cell.get("input"))
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
