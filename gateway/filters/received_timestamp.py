"""Notes when the request arrived; the deadline counts from here.

As kube-apiserver: pkg/endpoints/filters/request_received_time.go.
"""

from __future__ import annotations

from collections.abc import Callable
from time import time

from gateway.answers import Answer
from gateway.chain import Handler
from gateway.context import RequestContext


def wrap(handler: Handler, clock: Callable[[], float] = time) -> Handler:
    """Return the handler that notes the time (unix seconds) first."""

    async def with_received_timestamp(request: RequestContext) -> Answer:
        request.received = clock()
        return await handler(request)

    return with_received_timestamp
