"""What the storage stage counts, in Prometheus' form, and the socket on which it can be read.

Recording is a few additions on the path of each request to etcd; everything else is looked up when somebody scrapes.
Names are kube-apiserver's where it has one (pkg/storage/etcd3/metrics, pkg/storage/cacher/metrics).
"""

from __future__ import annotations

import asyncio
import os
from bisect import bisect_left
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from services.storage.freshness import Freshness
    from services.storage.watch_cache import WatchCache

BUCKETS: Final = (0.005, 0.025, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1.0, 1.25, 1.5, 2, 3, 4, 5, 6, 8, 10, 15, 20, 30, 45, 60)
"""Bounds of kube-apiserver's etcd_request_duration_seconds."""


class _Latency:
    __slots__ = ("buckets", "errors", "seconds")

    def __init__(self) -> None:
        self.buckets = [0] * (len(BUCKETS) + 1)
        self.seconds = 0.0
        self.errors = 0


class Requests:
    """Requests to etcd by operation."""

    def __init__(self) -> None:
        self._by_operation: dict[str, _Latency] = {}

    def observe(self, operation: str, seconds: float, *, failed: bool) -> None:
        """Count one."""
        latency = self._by_operation.get(operation)
        if latency is None:
            latency = self._by_operation[operation] = _Latency()
        latency.buckets[bisect_left(BUCKETS, seconds)] += 1
        latency.seconds += seconds
        latency.errors += failed

    def items(self) -> list[tuple[str, _Latency]]:
        """All operations so far."""
        return list(self._by_operation.items())


@dataclass(frozen=True, slots=True)
class StorageCollector:
    """Collects for prometheus-client."""

    requests: Requests
    cache: WatchCache
    freshness: Freshness
    questions: Callable[[], int]
    """Revision reads sent to etcd so far."""

    def describe(self) -> Iterator[Any]:
        """Nothing before the first scrape."""
        return iter(())

    def collect(self) -> Iterator[Any]:
        """All of it."""
        from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily

        durations = HistogramMetricFamily(
            "etcd_request_duration_seconds", "Etcd request latency in seconds for each operation.", labels=["operation"]
        )
        requests = CounterMetricFamily("etcd_requests", "Etcd request counts for each operation.", labels=["operation"])
        errors = CounterMetricFamily(
            "etcd_request_errors", "Etcd failed request counts for each operation.", labels=["operation"]
        )
        for operation, latency in self.requests.items():
            total, buckets = 0, []
            for bound, count in zip((*map(str, BUCKETS), "+Inf"), latency.buckets, strict=True):
                total += count
                buckets.append((bound, total))
            durations.add_metric([operation], buckets, latency.seconds)
            requests.add_metric([operation], total)
            errors.add_metric([operation], latency.errors)
        yield from (durations, requests, errors)

        objects = GaugeMetricFamily(
            "apiserver_storage_objects", "Number of stored objects, by first part of their key.", labels=["resource"]
        )
        for segment, count in self.cache.table.counts():
            objects.add_metric([segment], count)
        yield objects

        cache, freshness, hub, history = self.cache, self.freshness, self.cache.hub, self.cache.history
        gauges = {
            "ready": ("1 while memory holds the registry.", int(cache.ready.is_set())),
            "cache_revision": ("Revision that memory has reached.", cache.revision),
            "cache_objects": ("Objects in memory.", len(cache.table)),
            "history_events": ("Changes kept for watches that resume.", len(history)),
            "history_bytes": ("Bytes of superseded objects kept.", history.bytes),
            "history_first_revision": ("Watches resume from here on.", history.floor),
            "history_span_seconds": ("Age of the oldest change kept.", history.span(monotonic())),
            "watchers": ("Watches open now.", hub.count),
        }
        for name, (text, value) in gauges.items():
            yield GaugeMetricFamily(f"kubehop_storage_{name}", text, value=value)
        counters = {
            "events_sent": ("Events given to watchers.", hub.delivered),
            "watchers_cut_off": ("Watches ended because their reader was too slow.", hub.cut_off),
            "consistent_reads": ("Reads that asked for the latest state.", freshness.shared),
            "consistent_read_questions": ("Revision reads sent to etcd for them.", self.questions()),
            "consistent_read_waits": ("Reads that waited for memory to reach the revision.", freshness.waited),
            "consistent_read_fallbacks": ("Reads for which memory was too late; served by etcd.", freshness.fallbacks),
            "cache_fills": ("Times that memory was filled from etcd.", cache.fills),
        }
        for name, (text, value) in counters.items():
            yield CounterMetricFamily(f"kubehop_storage_{name}", text, value=value)


class MetricsSocket:
    """GET /metrics over HTTP/1.1 on a unix socket that only this user may open: `curl --unix-socket PATH http://x/metrics`."""

    def __init__(self, path: Path, collector: StorageCollector) -> None:
        self._path = path
        self._collector = collector
        self._server: asyncio.Server | None = None
        self._registry: Any = None

    async def start(self) -> None:
        """Listen. Raises OSError."""
        self._path.unlink(missing_ok=True)
        before = os.umask(0o177)
        try:
            self._server = await asyncio.start_unix_server(self._serve, str(self._path))
        finally:
            os.umask(before)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with asyncio.timeout(10):
                request = await reader.readuntil(b"\r\n\r\n")
                known = request.startswith((b"GET /metrics ", b"GET /metrics?"))
                body = self._exposition() if known else b"404 page not found\n"
                status = b"200 OK" if known else b"404 Not Found"
                kind = b"text/plain; version=0.0.4; charset=utf-8"
                head = b"HTTP/1.1 %b\r\nContent-Type: %b\r\nContent-Length: %d\r\nConnection: close\r\n\r\n"
                writer.write(head % (status, kind, len(body)) + body)
                await writer.drain()
        except (TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, ConnectionError):
            return
        finally:
            writer.close()

    def _exposition(self) -> bytes:
        from prometheus_client import CollectorRegistry, generate_latest

        from kubehop.hop import metrics

        if self._registry is None:
            self._registry = CollectorRegistry()
            self._registry.register(self._collector)
            metrics.register(self._registry)
        return generate_latest(self._registry)

    async def close(self) -> None:
        """Stop listening."""
        if self._server is not None:
            self._server.close()
            self._path.unlink(missing_ok=True)
