"""What one process of the service counts, by prometheus_client: in a registry of its own, never the global one."""

from __future__ import annotations

from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST

METRICS_TYPE = CONTENT_TYPE_LATEST
SECONDS_BOUNDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
BATCH_BOUNDS = (1, 2, 4, 8, 16, 32)


class Metrics:
    """The counters of a service; the process's memory and CPU time come with them."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        ProcessCollector(registry=self._registry)
        self._requests = Counter(
            "opendpr_requests",
            "Requests answered, by route, method and status.",
            ("route", "method", "status"),
            registry=self._registry,
        )
        self._seconds = Histogram(
            "opendpr_request_seconds",
            "From the request's headers to the end of the answer, by route.",
            ("route",),
            buckets=SECONDS_BOUNDS,
            registry=self._registry,
        )
        self._refused = Counter(
            "opendpr_refused", "Requests refused because of a limit, by reason.", ("reason",), registry=self._registry
        )
        self._batches = Histogram(
            "opendpr_batch_questions",
            "Questions processed at once, by stage.",
            ("stage",),
            buckets=BATCH_BOUNDS,
            registry=self._registry,
        )

    def count_request(self, route: str, method: str, status: int, *, seconds: float) -> None:
        """Count a request that was answered."""
        self._requests.labels(route, method, status).inc()
        self._seconds.labels(route).observe(seconds)

    def count_refusal(self, reason: str) -> None:
        """Count a request that a limit refused."""
        self._refused.labels(reason).inc()

    def count_batch(self, stage: str, questions: int) -> None:
        """Count a batch of questions."""
        self._batches.labels(stage).observe(questions)

    def add_gauge(self, name: str, text: str, read: Callable[[], float]) -> None:
        """Show what `read` returns whenever the metrics are asked for."""
        Gauge(name, text, registry=self._registry).set_function(read)

    def text(self) -> bytes:
        """All metrics in the text format of Prometheus."""
        return generate_latest(self._registry)
