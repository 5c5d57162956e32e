"""Hands finished requests to the audit sinks; none is configured by default, and then it costs nothing.

After authentication, because an event says who; before impersonation, because it also says who really.
As kube-apiserver: pkg/endpoints/filters/audit.go.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from gateway.answers import Answer
from gateway.chain import Handler
from gateway.context import RequestContext

Sink = Callable[[RequestContext, int], None]
"""Receives a request when it has ended, with the status code of its answer; must not wait."""


def wrap(handler: Handler, sinks: Sequence[Sink] = ()) -> Handler:
    """Return the handler whose requests every sink hears of."""
    if not sinks:
        return handler

    async def with_audit(request: RequestContext) -> Answer:
        code = 500
        try:
            answer = await handler(request)
            code = answer.status
            return answer
        finally:
            for sink in sinks:
                sink(request, code)

    return with_audit
