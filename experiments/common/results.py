"""Results of runs, kept so that a killed `make figures` goes on, and compared with the list of figures."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from experiments.common.catalogue import FigureSet, Stored
from experiments.common.command import ROOT

SPEED_UNITS = ("s", "ms", "/s", "times", "MB", "GB", "GB/s", "GFLOP/s")
"""What another machine, or another moment, may change."""


@dataclass(frozen=True)
class Result:
    """What a run of a set gave."""

    seconds: float
    figures: dict[str, dict[str, Any]]
    """Name -> value, unit, low, high."""


class Results:
    """A folder with one file for each set; a result counts as long as code and arguments are the same."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def keep(self, figure_set: FigureSet, digest: str, seconds: float, report: Path) -> Result:
        """Store what a script wrote."""
        content = json.loads(report.read_text(encoding="utf-8"))
        kept = {"digest": digest, "seconds": seconds, **content}
        half_done = self._path(figure_set).with_suffix(".new")
        half_done.write_text(json.dumps(kept, indent=1) + "\n", encoding="utf-8")
        half_done.replace(self._path(figure_set))
        return Result(seconds, content["figures"])

    def find(self, figure_set: FigureSet, digest: str | None = None) -> Result | None:
        """The last result; with a digest only if it is of the same code and arguments."""
        path = self._path(figure_set)
        if not path.exists():
            return None
        content = json.loads(path.read_text(encoding="utf-8"))
        if digest not in (None, content["digest"]):
            return None
        return Result(content["seconds"], content["figures"])

    def _path(self, figure_set: FigureSet) -> Path:
        return self.folder / f"{figure_set.name}.json"


def digest_of(figure_set: FigureSet, root: Path = ROOT) -> str:
    """SHA-256 of everything in the repository that decides a result: arguments, code, the shipped model."""
    digest = hashlib.sha256(json.dumps([figure_set.script, *figure_set.arguments]).encode())
    code = sorted(path for folder in ("src", "experiments") for path in (root / folder).rglob("*.py"))
    for path in (*code, *sorted(root.glob("models/*/src/*/model/config.json"))):
        digest.update(path.read_bytes())
    return digest.hexdigest()


def differences(figure_set: FigureSet, result: Result) -> list[str]:
    """What a result lacks, and for figures of quality, what is not as it is stored."""
    lines = []
    for name, stored in figure_set.figures.items():
        measured = result.figures.get(name)
        if measured is None:
            lines.append(f"{name} is not reported")
        elif figure_set.kind == "quality" and measured["unit"] not in SPEED_UNITS:
            lines += _compared(name, stored, measured, figure_set.tolerance)
    return lines


def _compared(name: str, stored: Stored, measured: dict[str, Any], tolerance: Decimal | None) -> Iterator[str]:
    for part in ("value", "low", "high"):
        expected, value = getattr(stored, part), measured.get(part)
        if expected is None or value is None:
            continue
        exponent = expected.as_tuple().exponent
        allowed = Decimal(5).scaleb(int(exponent) - 1) if tolerance is None else tolerance
        if abs(Decimal(value) - expected) > allowed + Decimal("1e-9"):
            place = name if part == "value" else f"{name} ({part})"
            yield f"{place} is {value:.5g}, stored is {expected}"
