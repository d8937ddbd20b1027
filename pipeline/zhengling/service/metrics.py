"""Counts and times of the service, in Prometheus' form."""

from __future__ import annotations

from dataclasses import dataclass, field

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    PlatformCollector,
    ProcessCollector,
    generate_latest,
)

_SECONDS = (0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30, 100)


@dataclass(slots=True)
class Metrics:
    """Metrics of one service, in a registry of their own."""

    registry: CollectorRegistry = field(default_factory=CollectorRegistry)
    requests: Counter = field(init=False)
    seconds: Histogram = field(init=False)
    characters: Counter = field(init=False)
    bulletins: Counter = field(init=False)
    taken: Gauge = field(init=False)

    def __post_init__(self) -> None:
        """Register the metrics."""
        own = self.registry
        ProcessCollector(registry=own)
        PlatformCollector(registry=own)
        names = ("method", "path", "status")
        self.requests = Counter("zhengling_requests", "Requests answered.", names, registry=own)
        self.seconds = Histogram(
            "zhengling_request_seconds", "From request to answer.", ("path",), registry=own, buckets=_SECONDS
        )
        self.characters = Counter("zhengling_characters", "Characters analysed.", registry=own)
        self.bulletins = Counter("zhengling_bulletins", "Bulletins analysed.", registry=own)
        self.taken = Gauge("zhengling_places_taken", "Requests at work or waiting.", registry=own)

    def text(self) -> bytes:
        """All metrics in the text format."""
        return generate_latest(self.registry)
