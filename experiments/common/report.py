"""The figures of one run of an experiment, written as one JSON object."""

from __future__ import annotations

import argparse
import json
import statistics
from collections.abc import Sequence
from dataclasses import asdict, dataclass

from experiments.common.machine import describe


@dataclass(frozen=True)
class Figure:
    """A value with its unit, and its 95 % interval or range where it has one."""

    value: float
    unit: str = ""
    low: float | None = None
    high: float | None = None


class Report:
    """Collects the figures of a run.

    Args:
        args: the parsed command line
        about: what else decides the figures, or helps to read them
    """

    def __init__(self, args: argparse.Namespace, **about: object) -> None:
        self._file = args.figures
        chosen = ("model", "pool", "half", "precision", "limit")
        settings = {name: str(value) for name in chosen if (value := getattr(args, name, None)) is not None}
        self._about: dict[str, object] = {"machine": describe(), "smoke": args.smoke, **settings, **about}
        self._figures: dict[str, Figure] = {}
        print(json.dumps(self._about), flush=True)

    def add(self, name: str, value: float, unit: str = "") -> None:
        """A figure without an interval."""
        self._put(name, Figure(float(value), unit))

    def add_interval(self, name: str, interval: tuple[float, ...], unit: str = "%", *, scale: float = 100) -> None:
        """A figure with an interval, as (value, low, high, ...); shares become per cent unless `scale` differs."""
        mean, low, high = (scale * float(value) for value in interval[:3])
        self._put(name, Figure(mean, unit, low, high))

    def add_spread(self, name: str, values: Sequence[float], unit: str = "") -> tuple[float, float, float]:
        """The median of measurements with the lowest and the highest, which are returned."""
        spread = statistics.median(values), min(values), max(values)
        self.add_interval(name, spread, unit, scale=1)
        return spread

    def value(self, name: str) -> float:
        """A figure that is reported already."""
        return self._figures[name].value

    def _put(self, name: str, figure: Figure) -> None:
        if name in self._figures:
            raise ValueError(f"the figure {name!r} is reported twice")
        self._figures[name] = figure

    def write(self) -> None:
        """Print the JSON object as the last line, and write it to the file of --figures."""
        figures = {name: asdict(figure) for name, figure in self._figures.items()}
        content = json.dumps({**self._about, "figures": figures})
        print(content, flush=True)
        if self._file:
            self._file.write_text(content + "\n", encoding="utf-8")
