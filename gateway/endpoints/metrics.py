"""/metrics in Prometheus' text format: the gateway's own, the hops' and the process's.

Called by `gateway.routing`; behind authorization as any other path.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gateway.answers import Answer
from gateway.context import RequestContext
from gateway.metrics import Metrics

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry


class MetricsEndpoint:
    """Prints the metrics; the registry is made when it is first asked for."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics
        self._registry: CollectorRegistry | None = None

    async def answer(self, request: RequestContext) -> Answer:
        """Answer /metrics, in OpenMetrics where the client asks for it."""
        from prometheus_client.exposition import choose_encoder

        if self._registry is None:
            self._registry = self._make()
        encode, content_type = choose_encoder(request.headers.get("Accept") or "")
        return Answer(200, encode(self._registry), content_type)

    def _make(self) -> CollectorRegistry:
        from prometheus_client import REGISTRY

        from kubehop.hop import metrics

        collector: Any = self._metrics
        REGISTRY.register(collector)
        metrics.register(REGISTRY)
        return REGISTRY
