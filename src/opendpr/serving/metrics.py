"""Counters, gauges and histograms in the text format of Prometheus."""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Sequence

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
SIZES = (1, 2, 4, 8, 16, 32)

Labels = tuple[tuple[str, str], ...]


class Counter:
    """A number that only grows, for each combination of labels."""

    kind = "counter"

    def __init__(self) -> None:
        self._values: dict[Labels, float] = defaultdict(float)

    def add(self, **labels: str) -> None:
        """One more."""
        self._values[tuple(sorted(labels.items()))] += 1

    def lines(self, name: str) -> list[str]:
        return [f"{name}{_written(labels)} {value:g}" for labels, value in sorted(self._values.items())]


class Gauge:
    """A number that is asked for when it is told."""

    kind = "gauge"

    def __init__(self, read: Callable[[], float]) -> None:
        self._read = read

    def lines(self, name: str) -> list[str]:
        return [f"{name} {self._read():.10g}"]


class Histogram:
    """How many values lie at or below each of some bounds, for each combination of labels."""

    kind = "histogram"

    def __init__(self, bounds: Sequence[float]) -> None:
        self._bounds = bounds
        self._counts: dict[Labels, list[int]] = defaultdict(lambda: [0] * (len(bounds) + 1))
        self._sums: dict[Labels, float] = defaultdict(float)

    def observe(self, value: float, **labels: str) -> None:
        """Count a value."""
        key = tuple(sorted(labels.items()))
        self._counts[key][bisect_left(self._bounds, value)] += 1
        self._sums[key] += value

    def lines(self, name: str) -> list[str]:
        found = []
        for labels, counts in sorted(self._counts.items()):
            total = 0
            for bound, count in zip([*(f"{bound:g}" for bound in self._bounds), "+Inf"], counts, strict=True):
                total += count
                found.append(f"{name}_bucket{_written((*labels, ('le', bound)))} {total}")
            found.append(f"{name}_sum{_written(labels)} {self._sums[labels]:.10g}")
            found.append(f"{name}_count{_written(labels)} {total}")
        return found


class Metrics:
    """What one process of the service counts."""

    def __init__(self) -> None:
        self.requests = Counter()
        self.seconds = Histogram(SECONDS)
        self.refused = Counter()
        self.batches = Histogram(SIZES)
        self.gauges: dict[str, tuple[str, Gauge]] = {}

    def gauge(self, name: str, text: str, read: Callable[[], float]) -> None:
        """Tell what `read` returns under a name."""
        self.gauges[name] = (text, Gauge(read))

    def text(self) -> str:
        """All of it."""
        told: list[tuple[str, str, Counter | Gauge | Histogram]] = [
            ("opendpr_requests_total", "Requests answered, by route, method and status.", self.requests),
            ("opendpr_request_seconds", "From the request's headers to the answer's end, by route.", self.seconds),
            ("opendpr_refused_total", "Requests refused because of a limit, by reason.", self.refused),
            ("opendpr_batch_questions", "Questions worked on at once, by stage.", self.batches),
            *((name, text, gauge) for name, (text, gauge) in self.gauges.items()),
        ]
        lines = []
        for name, text, metric in told:
            lines += [f"# HELP {name} {text}", f"# TYPE {name} {metric.kind}", *metric.lines(name)]
        return "\n".join(lines) + "\n"


def _written(labels: Labels) -> str:
    if not labels:
        return ""
    return "{" + ",".join(f'{key}="{_escaped(value)}"' for key, value in labels) + "}"


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def resident_bytes() -> float:
    """Memory that this process holds; 0 where the system does not tell as Linux does."""
    try:
        with open("/proc/self/status", encoding="ascii") as status:
            for line in status:
                if line.startswith("VmRSS:"):
                    return float(line.split()[1]) * 1024
    except OSError:
        return 0.0
    return 0.0
