"""`figures.toml`: the one list of figures, what gives them, and the tables that show them."""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal

CATALOGUE = Path(__file__).resolve().parents[1] / "figures.toml"


class CatalogueError(Exception):
    """The list of figures contradicts itself; the message says where and what to do."""


@dataclass(frozen=True)
class Stored:
    """A figure as it was measured, with the digits that are shown."""

    value: Decimal
    low: Decimal | None = None
    high: Decimal | None = None


@dataclass(frozen=True)
class FigureSet:
    """The figures of one run of a script."""

    name: str
    script: str
    """Module below `experiments`, as `paper.reader`."""
    kind: Literal["quality", "speed"]
    """Quality must come out the same everywhere; speed is kept with its machine and not compared."""
    machine: str
    """Key of a machine of the catalogue."""
    date: date
    figures: Mapping[str, Stored]
    arguments: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()
    """Files, relative to the folder of the data, or to the repository if they begin with a dot."""
    seed: int | None = None
    tolerance: Decimal | None = None
    """Largest difference that counts as the same; half a unit of the last digit stored without."""
    minutes: Decimal | None = None
    """How long it takes; None if nobody measured it."""
    beside: str = ""
    """What else ran on the machine, or other conditions a reader should know."""


@dataclass(frozen=True)
class Table:
    """A table of the documents. A cell is text in which `{set/figure}` is replaced by a stored figure."""

    name: str
    docs: tuple[str, ...]
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    align: Literal["left", "right"] = "left"


@dataclass(frozen=True)
class Catalogue:
    """All of `figures.toml`."""

    machines: Mapping[str, str]
    sets: Mapping[str, FigureSet]
    tables: Mapping[str, Table]


def read_catalogue(path: Path = CATALOGUE) -> Catalogue:
    """The list of figures.

    Raises:
        CatalogueError: a key is unknown or missing, or a set names a machine that is not listed.
    """
    with path.open("rb") as file:
        content = tomllib.load(file, parse_float=Decimal)
    _refuse_unknown(content, ("machines", "sets", "tables"), str(path))
    machines = content.get("machines", {})
    sets = {name: _figure_set(name, values, machines) for name, values in content.get("sets", {}).items()}
    tables = {name: _table(name, values) for name, values in content.get("tables", {}).items()}
    return Catalogue(machines, sets, tables)


def _figure_set(name: str, values: Mapping[str, Any], machines: Mapping[str, str]) -> FigureSet:
    place = f"sets.{name}"
    _refuse_unknown(values, (field.name for field in fields(FigureSet) if field.name != "name"), place)
    _require(values, ("script", "kind", "machine", "date", "figures"), place)
    nearest(values["machine"], machines, f"the machine of {place}")
    if values["kind"] not in ("quality", "speed"):
        raise CatalogueError(f"the kind of {place} is {values['kind']!r}; it must be 'quality' or 'speed'")
    figures = {label: _stored(value, f"{place}.figures.{label}") for label, value in values["figures"].items()}
    more = {key: tuple(values[key]) for key in ("arguments", "needs") if key in values}
    return FigureSet(**{**values, **more, "name": name, "figures": figures})


def _stored(value: object, place: str) -> Stored:
    numbers = value if isinstance(value, list) else [value]
    if len(numbers) not in (1, 3) or not all(isinstance(number, (int, Decimal)) for number in numbers):
        raise CatalogueError(f"{place} is {value}; give a number, or [value, low, high]")
    return Stored(*(Decimal(str(number)) for number in numbers))


def _table(name: str, values: Mapping[str, Any]) -> Table:
    place = f"tables.{name}"
    _refuse_unknown(values, (field.name for field in fields(Table) if field.name != "name"), place)
    _require(values, ("docs", "head", "rows"), place)
    rows = tuple(map(tuple, values["rows"]))
    for row in rows:
        if len(row) != len(values["head"]):
            raise CatalogueError(f"{place} has a row of {len(row)} cells, its head has {len(values['head'])}: {row}")
    return Table(name, tuple(values["docs"]), tuple(values["head"]), rows, values.get("align", "left"))


def _refuse_unknown(values: Mapping[str, Any], keys: Iterable[str], place: str) -> None:
    allowed = list(keys)
    for key in values:
        nearest(key, allowed, f"a key of {place}")


def _require(values: Mapping[str, Any], keys: Iterable[str], place: str) -> None:
    if missing := [key for key in keys if key not in values]:
        raise CatalogueError(f"{place} lacks {', '.join(missing)}")


def nearest(name: str, names: Iterable[str], what: str) -> str:
    """Return the name itself, if it is one of the names.

    Raises:
        CatalogueError: it is not; the message has the nearest one.
    """
    allowed = list(names)
    if name in allowed:
        return name
    close = difflib.get_close_matches(name, allowed, 1)
    hint = f"; did you mean {close[0]!r}?" if close else f"; known are {', '.join(sorted(allowed))}"
    raise CatalogueError(f"{name!r} is not {what}{hint}")
