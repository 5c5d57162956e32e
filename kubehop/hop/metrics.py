"""Counts and durations of hops, and their Prometheus form.

The two sides of the transport record here, on the path of every call, so recording is a few integer additions:
children are resolved once per method, and prometheus-client is imported only by the process that exposes metrics
(`register`). Names start with kubehop_hop_client_ and kubehop_hop_server_.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final, Literal

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry

Side = Literal["client", "server"]

BUCKETS: Final = (
    0.0001,
    0.00025,
    0.0005,
    0.001,
    0.0025,
    0.005,
    0.01,
    0.025,
    0.05,
    0.1,
    0.25,
    0.5,
    1.0,
    2.5,
    5.0,
    10.0,
    30.0,
)
"""Upper bounds of the duration histograms, in seconds."""


class MethodStats:
    """Calls of one method of one stage, seen from one side."""

    __slots__ = ("buckets", "bytes_in", "bytes_out", "codes", "in_flight", "seconds")

    def __init__(self) -> None:
        self.codes: dict[str, int] = {}
        self.buckets = [0] * (len(BUCKETS) + 1)
        self.seconds = 0.0
        self.bytes_in = 0
        self.bytes_out = 0
        self.in_flight = 0

    def record(self, code: str, seconds: float, bytes_in: int, bytes_out: int) -> None:
        """One call ended with the gRPC status `code` after `seconds`."""
        codes = self.codes
        codes[code] = codes.get(code, 0) + 1
        self.buckets[bisect_left(BUCKETS, seconds)] += 1
        self.seconds += seconds
        self.bytes_in += bytes_in
        self.bytes_out += bytes_out


class LaneStats:
    """Exchange lanes to or of one stage, seen from one side."""

    __slots__ = ("breaks", "envelopes_in", "envelopes_out", "frames_in", "frames_out", "lanes", "waiting")

    def __init__(self) -> None:
        self.lanes = 0
        """Lanes that are open now."""
        self.breaks = 0
        """Lanes that ended while they were in use."""
        self.waiting = 0
        """Calls that wait for a place in flight now."""
        self.frames_in = self.frames_out = 0
        self.envelopes_in = self.envelopes_out = 0


_methods: dict[tuple[Side, str, str], MethodStats] = {}
_lanes: dict[tuple[Side, str], LaneStats] = {}


def method_stats(side: Side, stage: str, method: str) -> MethodStats:
    """The counters of `method` (full gRPC path) of `stage`; ask once and keep them."""
    return _methods.setdefault((side, stage, method), MethodStats())


def lane_stats(side: Side, stage: str) -> LaneStats:
    """The counters of the lanes of `stage`; ask once and keep them."""
    return _lanes.setdefault((side, stage), LaneStats())


class _Collector:
    """Gives prometheus-client what has been recorded, at each scrape."""

    def collect(self) -> Iterator[Any]:
        for side in ("client", "server"):
            yield from self._methods(side)
            yield from self._lanes(side)

    def describe(self) -> Iterator[Any]:
        """Nothing to say before the first scrape; keeps the registry from collecting at registration."""
        return iter(())

    @staticmethod
    def _methods(side: str) -> Iterator[Any]:
        from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily

        labels = ["stage", "method"]
        name = f"kubehop_hop_{side}"
        calls = CounterMetricFamily(f"{name}_calls", "Calls that ended, by gRPC status code.", labels=[*labels, "code"])
        seconds = HistogramMetricFamily(f"{name}_duration_seconds", "How long calls took.", labels=labels)
        received = CounterMetricFamily(f"{name}_received_bytes", "Payload bytes received.", labels=labels)
        sent = CounterMetricFamily(f"{name}_sent_bytes", "Payload bytes sent.", labels=labels)
        in_flight = GaugeMetricFamily(f"{name}_in_flight", "Calls in flight now.", labels=labels)
        for (of, stage, method), stats in list(_methods.items()):
            if of != side:
                continue
            key = [stage, method]
            for code, count in stats.codes.items():
                calls.add_metric([*key, code], count)
            total = 0
            buckets = []
            for bound, count in zip((*map(str, BUCKETS), "+Inf"), stats.buckets, strict=True):
                total += count
                buckets.append((bound, total))
            seconds.add_metric(key, buckets, stats.seconds)
            received.add_metric(key, stats.bytes_in)
            sent.add_metric(key, stats.bytes_out)
            in_flight.add_metric(key, stats.in_flight)
        yield from (calls, seconds, received, sent, in_flight)

    @staticmethod
    def _lanes(side: str) -> Iterator[Any]:
        from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily

        name = f"kubehop_hop_{side}"
        lanes = GaugeMetricFamily(f"{name}_lanes", "Exchange lanes open now.", labels=["stage"])
        breaks = CounterMetricFamily(f"{name}_lane_breaks", "Exchange lanes that broke.", labels=["stage"])
        waiting = GaugeMetricFamily(f"{name}_waiting", "Calls waiting for a place in flight.", labels=["stage"])
        labels = ["stage", "direction"]
        frames = CounterMetricFamily(f"{name}_frames", "Frames on exchange lanes.", labels=labels)
        envelopes = CounterMetricFamily(f"{name}_envelopes", "Envelopes on exchange lanes.", labels=labels)
        for (of, stage), stats in list(_lanes.items()):
            if of != side:
                continue
            lanes.add_metric([stage], stats.lanes)
            breaks.add_metric([stage], stats.breaks)
            waiting.add_metric([stage], stats.waiting)
            frames.add_metric([stage, "in"], stats.frames_in)
            frames.add_metric([stage, "out"], stats.frames_out)
            envelopes.add_metric([stage, "in"], stats.envelopes_in)
            envelopes.add_metric([stage, "out"], stats.envelopes_out)
        yield from (lanes, breaks, waiting, frames, envelopes)


def register(registry: CollectorRegistry | None = None) -> None:
    """Expose the metrics of this process's hops in `registry`, prometheus-client's global one unless given."""
    from prometheus_client import REGISTRY

    (REGISTRY if registry is None else registry).register(_Collector())
