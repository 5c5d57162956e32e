"""The gateway's metrics, under kube-apiserver's names where one exists.

Filters and verbs count here, `gateway.endpoints.metrics` prints. Counting is a few additions on the path of every
request; prometheus-client is imported only when somebody asks for the metrics.
Names, labels and buckets: apiserver pkg/endpoints/metrics/metrics.go.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from typing import Any

from kubehop.machinery.request_info import RequestInfo

_TARGET = ("verb", "group", "version", "resource", "subresource", "scope", "component")
LATENCY_SECONDS = (
    0.005,
    0.025,
    0.05,
    0.1,
    0.2,
    0.4,
    0.6,
    0.8,
    1.0,
    1.25,
    1.5,
    2.0,
    3.0,
    4.0,
    5.0,
    6.0,
    8.0,
    10.0,
    15.0,
    20.0,
    30.0,
    45.0,
    60.0,
)
RESPONSE_BYTES = (1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9)
EVENT_BYTES = tuple(float(1024 << power) for power in range(8))
_MOST_TARGETS = 5_000

_VERBS = {
    "get": "GET",
    "list": "LIST",
    "watch": "WATCH",
    "create": "POST",
    "update": "PUT",
    "patch": "PATCH",
    "delete": "DELETE",
    "deletecollection": "DELETECOLLECTION",
    "post": "POST",
    "put": "PUT",
}

TargetKey = tuple[str, str, str, str, str, str, str]
"""verb, group, version, resource, subresource, scope, dry_run."""


class Distribution:
    """How many values fell into each bucket, and their sum."""

    __slots__ = ("bounds", "counts", "total")

    def __init__(self, bounds: Sequence[float]) -> None:
        self.bounds = bounds
        self.counts = [0] * (len(bounds) + 1)
        self.total = 0.0

    def observe(self, value: float) -> None:
        """Count one value."""
        self.counts[bisect_left(self.bounds, value)] += 1
        self.total += value

    def buckets(self) -> list[tuple[str, float]]:
        """Return the cumulative buckets as Prometheus has them."""
        running, made = 0, []
        for bound, count in zip((*map(str, self.bounds), "+Inf"), self.counts, strict=True):
            running += count
            made.append((bound, float(running)))
        return made


class _Target:
    """Requests that are counted together."""

    __slots__ = ("codes", "latency", "sizes")

    def __init__(self) -> None:
        self.codes: dict[int, int] = {}
        self.latency = Distribution(LATENCY_SECONDS)
        self.sizes = Distribution(RESPONSE_BYTES)


class Events:
    """Events sent to the watchers of one resource."""

    __slots__ = ("sizes",)

    def __init__(self) -> None:
        self.sizes = Distribution(EVENT_BYTES)


class Metrics:
    """All metrics of one gateway process."""

    def __init__(self) -> None:
        self.in_flight = {"readOnly": 0, "mutating": 0}
        self._dropped: dict[str, int] = {}
        self._targets: dict[TargetKey, _Target] = {}
        self._long_running: dict[TargetKey, int] = {}
        self._events: dict[tuple[str, str, str], Events] = {}

    def request(self, info: RequestInfo, code: int, seconds: float, size: int, *, known: bool, dry_run: str) -> None:
        """Count a finished request. `known` is false for resources that nobody serves, which share one label."""
        key = target_of(info, dry_run) if known else (_VERBS.get(info.verb, "other"), "", "", "", "", "", dry_run)
        target = self._targets.get(key)
        if target is None:
            if len(self._targets) >= _MOST_TARGETS:
                self._targets.clear()  # only a flood of made-up subresources gets here
            target = self._targets[key] = _Target()
        target.codes[code] = target.codes.get(code, 0) + 1
        target.latency.observe(seconds)
        target.sizes.observe(size)

    def long_running(self, info: RequestInfo, change: int) -> None:
        """Count a long-running request in (1) or out (-1)."""
        key = target_of(info, "")
        self._long_running[key] = self._long_running.get(key, 0) + change

    def events(self, group: str, version: str, resource: str) -> Events:
        """Return where events of a resource are counted."""
        return self._events.setdefault((group, version, resource), Events())

    def dropped(self, kind: str) -> None:
        """Count a request that was turned away; kind is "readOnly" or "mutating"."""
        self._dropped[kind] = self._dropped.get(kind, 0) + 1

    def collect(self) -> Iterator[Any]:
        """Yield the metric families, for prometheus-client."""
        from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily

        requests = CounterMetricFamily(
            "apiserver_request",
            "Counter of apiserver requests broken out for each verb, dry run value, group, version, resource, scope, "
            "component, and HTTP response code.",
            labels=[*_TARGET, "dry_run", "code"],
        )
        latency = HistogramMetricFamily(
            "apiserver_request_duration_seconds",
            "Response latency distribution in seconds for each verb, dry run value, group, version, resource, "
            "subresource, scope and component.",
            labels=[*_TARGET, "dry_run"],
        )
        sizes = HistogramMetricFamily(
            "apiserver_response_sizes",
            "Response size distribution in bytes for each group, version, verb, resource, subresource, scope and "
            "component.",
            labels=_TARGET,
        )
        for (*labels, dry_run), target in list(self._targets.items()):
            named = [*labels, "apiserver"]
            for code, count in target.codes.items():
                requests.add_metric([*named, dry_run, str(code)], count)
            latency.add_metric([*named, dry_run], target.latency.buckets(), target.latency.total)
            if not dry_run:
                sizes.add_metric(named, target.sizes.buckets(), target.sizes.total)
        yield from (requests, latency, sizes)
        running = GaugeMetricFamily(
            "apiserver_longrunning_requests",
            "Gauge of all active long-running apiserver requests broken out by verb, group, version, resource, scope "
            "and component. Not all requests are tracked this way.",
            labels=_TARGET,
        )
        for key, count in list(self._long_running.items()):
            running.add_metric([*key[:6], "apiserver"], count)
        in_flight = GaugeMetricFamily(
            "apiserver_current_inflight_requests",
            "Requests being served now, per request kind.",
            labels=["request_kind"],
        )
        for kind, count in self.in_flight.items():
            in_flight.add_metric([kind], count)
        dropped = CounterMetricFamily(
            "apiserver_dropped_requests",
            "Requests turned away because too many were being served.",
            labels=["request_kind"],
        )
        for kind, count in self._dropped.items():
            dropped.add_metric([kind], count)
        yield from (running, in_flight, dropped, *self._event_families())

    def _event_families(self) -> Iterator[Any]:
        from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily

        labels = ["group", "version", "resource"]
        total = CounterMetricFamily("apiserver_watch_events", "Number of events sent in watch clients", labels=labels)
        sizes = HistogramMetricFamily(
            "apiserver_watch_events_sizes", "Watch event size distribution in bytes", labels=labels
        )
        for key, events in list(self._events.items()):
            total.add_metric(key, sum(events.sizes.counts))
            sizes.add_metric(key, events.sizes.buckets(), events.sizes.total)
        yield from (total, sizes)


def target_of(info: RequestInfo, dry_run: str) -> TargetKey:
    """Return the labels under which a request is counted."""
    verb = _VERBS.get(info.verb, "other")
    return (verb, info.api_group, info.api_version, info.resource, info.subresource, scope_of(info), dry_run)


def scope_of(info: RequestInfo) -> str:
    """Return how much a request is about: one object ("resource"), a namespace or the cluster."""
    if info.name:
        return "resource"
    return "namespace" if info.namespace else "cluster"
