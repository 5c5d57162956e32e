"""Sets until when the request may take; every hop carries that time and fails when it has passed.

kube-apiserver splits this in two (request_deadline.go and timeout.go: a race of the handler against a timer). Here the
whole of a handler's waiting is body reading and hops, which all honour the deadline, so no timer is needed.
Not for long-running requests: a watch has its own timeoutSeconds.
"""

from __future__ import annotations

from gateway.answers import Answer
from gateway.chain import Handler
from gateway.context import RequestContext
from gateway.durations import parse_duration
from kubehop.machinery import status


def wrap(handler: Handler, request_timeout: float) -> Handler:
    """Return the handler that has at most `request_timeout` seconds, less where the client asks for less."""

    async def with_deadline(request: RequestContext) -> Answer:
        if request.long_running:
            return await handler(request)
        seconds = request_timeout
        if request.query_string and (asked := request.query.get("timeout")):
            try:
                wanted = parse_duration(asked)
            except ValueError as error:
                raise status.bad_request(f"invalid timeout specified in the request URL - {error}") from None
            if 0 < wanted < request_timeout:
                seconds = wanted
        request.deadline = request.received + seconds
        return await handler(request)

    return with_deadline
