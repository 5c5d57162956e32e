"""Counts requests in flight, so that shutdown can wait for them, and turns new ones away once it has begun.

Long-running requests are not counted: shutdown ends them itself. Health checks are let through to the end.
As kube-apiserver: pkg/server/filters/waitgroup.go.
"""

from __future__ import annotations

from gateway.answers import Answer
from gateway.chain import Handler
from gateway.context import RequestContext
from gateway.lifecycle import Lifecycle
from kubehop.machinery import status

EXEMPT_PATHS = ("/readyz", "/livez", "/healthz")


def wrap(handler: Handler, lifecycle: Lifecycle) -> Handler:
    """Return the handler that is counted by `lifecycle`."""

    async def with_wait_group(request: RequestContext) -> Answer:
        if request.long_running:
            return await handler(request)
        if lifecycle.draining and not request.path.startswith(EXEMPT_PATHS):
            request.head.append("Retry-After: 1\r\nX-Content-Type-Options: nosniff\r\n")
            raise status.service_unavailable(message="apiserver is shutting down")
        lifecycle.enter()
        try:
            return await handler(request)
        finally:
            lifecycle.leave()

    return with_wait_group
