"""Tells caches between here and the client to keep nothing.

Outside authentication, so that a 401 is not kept either. As kube-apiserver: pkg/endpoints/filters/cachecontrol.go.
"""

from __future__ import annotations

from gateway.answers import Answer
from gateway.chain import Handler
from gateway.context import RequestContext

LINE = "Cache-Control: no-cache, private\r\n"


def wrap(handler: Handler) -> Handler:
    """Return the handler whose answers all carry the header."""

    async def with_cache_control(request: RequestContext) -> Answer:
        request.head.append(LINE)
        return await handler(request)

    return with_cache_control
