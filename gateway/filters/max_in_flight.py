"""Limits how many requests are served at once, reading and mutating ones apart; 429 beyond.

After authentication, because system:masters always gets an answer; before authorization, which costs a hop.
Long-running requests are exempt. As kube-apiserver: pkg/server/filters/maxinflight.go.
"""

from __future__ import annotations

from gateway.answers import Answer, text
from gateway.chain import Handler
from gateway.context import RequestContext
from gateway.metrics import Metrics

READING_VERBS = frozenset({"get", "list", "watch"})
PRIVILEGED_GROUP = "system:masters"


def wrap(handler: Handler, max_reading: int, max_mutating: int, metrics: Metrics) -> Handler:
    """Return the handler that serves at most so many requests at once; 0 means no limit."""
    in_flight = metrics.in_flight

    async def with_max_in_flight(request: RequestContext) -> Answer:
        if request.long_running:
            return await handler(request)
        kind, limit = ("readOnly", max_reading) if request.info.verb in READING_VERBS else ("mutating", max_mutating)
        if limit and in_flight[kind] >= limit and PRIVILEGED_GROUP not in request.user.groups:
            return _refuse(request, metrics, kind)
        in_flight[kind] += 1
        try:
            return await handler(request)
        finally:
            in_flight[kind] -= 1

    return with_max_in_flight


def _refuse(request: RequestContext, metrics: Metrics, kind: str) -> Answer:
    metrics.dropped(kind)
    request.head.append("Retry-After: 1\r\n")
    return text(429, "Too many requests, please try again later.\n")
