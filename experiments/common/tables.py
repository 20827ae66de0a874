"""Tables and figures in sentences of the documents, generated from the list of figures.

A table is between `<!-- figures: NAME -->` and `<!-- end -->`. A figure in a sentence is between
`<!-- {set/figure} -->` and `<!-- end -->`, in the forms that a cell of a table may have, and so is
the machine that a set was measured on: `{set|machine}`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

from experiments.common.catalogue import Catalogue, CatalogueError, FigureSet, Stored, Table, nearest
from experiments.common.command import ROOT

_REFERENCE = re.compile(r"\{(?P<set>[^/{}]+)/(?P<figure>[^{}|]+)(\|(?P<form>[^{}]+))?\}")
_MACHINE = re.compile(r"\{(?P<set>[^/{}|]+)\|machine\}")
_IN_SENTENCE = re.compile(r"(<!-- (?P<reference>\{[^{}]+\}) -->)[^<]*(<!-- end -->)")
_BLOCK = re.compile(r"(<!-- figures: (?P<name>[\w-]+) -->\n).*?(<!-- end -->)", re.DOTALL)


def write_tables(catalogue: Catalogue, root: Path = ROOT) -> list[str]:
    """Bring the documents up to date; returns the paths of those that changed.

    Raises:
        CatalogueError: a document lacks a table of the list, or has one that the list lacks.
    """
    changed = []
    for path in documents(catalogue):
        text = (root / path).read_text(encoding="utf-8")
        if (new := rendered(text, path, catalogue)) != text:
            (root / path).write_text(new, encoding="utf-8")
            changed.append(path)
    return changed


def stale_documents(catalogue: Catalogue, root: Path = ROOT) -> list[str]:
    """List the documents whose tables are not those of the catalogue."""
    texts = {path: (root / path).read_text(encoding="utf-8") for path in documents(catalogue)}
    return [path for path, text in texts.items() if rendered(text, path, catalogue) != text]


def documents(catalogue: Catalogue) -> list[str]:
    """Paths of the documents that have tables."""
    return sorted({path for table in catalogue.tables.values() for path in table.docs})


def quality_sets_of(path: str, catalogue: Catalogue) -> list[str]:
    """Names of the sets of quality whose figures the tables of a document show, in the order of the list.

    Speed is left out: it is measured by name, on a machine that does nothing else.

    Raises:
        CatalogueError: no table is for that document.
    """
    tables = [table for table in catalogue.tables.values() if path in table.docs]
    if not tables:
        raise CatalogueError(f"{path} has no table; those that have are {', '.join(documents(catalogue))}")
    cells = (cell for table in tables for row in table.rows for cell in row)
    shown = {match["set"] for cell in cells for match in _REFERENCE.finditer(cell)}
    return [name for name, figures in catalogue.sets.items() if name in shown and figures.kind == "quality"]


def rendered(text: str, path: str, catalogue: Catalogue) -> str:
    """The text of a document with its tables and the figures in its sentences as the list has them."""
    present = [match["name"] for match in _BLOCK.finditer(text)]
    for name in present:
        nearest(name, catalogue.tables, f"a table of the list of figures, as {path} has it")
    missing = [name for name, table in catalogue.tables.items() if path in table.docs and name not in present]
    if missing:
        raise CatalogueError(f"{path} lacks the marks '<!-- figures: {missing[0]} -->' and '<!-- end -->'")
    tables = {name: markdown(catalogue.tables[name], catalogue) for name in present}
    text = _BLOCK.sub(lambda match: f"{match[1]}{tables[match['name']]}\n{match[3]}", text)
    return _IN_SENTENCE.sub(lambda match: f"{match[1]}{fill_in(match['reference'], catalogue)}{match[3]}", text)


def markdown(table: Table, catalogue: Catalogue) -> str:
    """A table in Markdown."""
    rule = "---:|" if table.align == "right" else "---|"
    lines = [_line(table.head), "|---|" + rule * (len(table.head) - 1)]
    lines += [_line([fill_in(cell, catalogue) for cell in row]) for row in table.rows]
    return "\n".join(lines)


def _line(cells: Iterator[str] | tuple[str, ...] | list[str]) -> str:
    return f"| {' | '.join(cells)} |".replace("|  |", "| |").replace("|  |", "| |")


def fill_in(cell: str, catalogue: Catalogue) -> str:
    """A cell with its references replaced.

    `{set/figure}` is the value, with its interval if it has one; `|value` leaves the interval out, `|signed` gives both
    their signs, `|range` is the interval alone. `{set/figure@1,5,20}` joins several figures with strokes.
    `{set|machine}` is what the figures of a set were measured on.
    """
    cell = _MACHINE.sub(lambda match: catalogue.machines[_set(match, catalogue).machine], cell)
    return _REFERENCE.sub(lambda match: " / ".join(_written(match, catalogue)), cell)


def _set(match: re.Match[str], catalogue: Catalogue) -> FigureSet:
    return catalogue.sets[nearest(match["set"], catalogue.sets, "a set of figures")]


def _written(match: re.Match[str], catalogue: Catalogue) -> Iterator[str]:
    figures = _set(match, catalogue)
    stem, at, places = match["figure"].rpartition("@")
    for label in [f"{stem}@{place}" for place in places.split(",")] if at else [places]:
        nearest(label, figures.figures, f"a figure of {figures.name}")
        yield _form(figures.figures[label], match["form"] or "")


def _form(figure: Stored, form: str) -> str:
    sign = "+" if form == "signed" else ""
    if form not in ("", "value", "signed", "range"):
        raise CatalogueError(f"{form!r} is no form of a figure; it must be value, signed or range")
    interval = f"{_number(figure.low, sign)} to {_number(figure.high, sign)}" if figure.low is not None else ""
    if form == "range":
        return interval
    value = _number(figure.value, sign)
    return f"{value} ({interval})" if interval and form != "value" else value


def _number(value: Decimal | None, sign: str) -> str:
    return f"{value:{sign},}"
