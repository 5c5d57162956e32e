"""Turns a StatusError into its answer, in the form that the client accepts.

Inside the request log and the cache-control header, so that the log knows the code that the client received; outside
everything that refuses requests by raising. kube-apiserver's filters each encode their own errors.
"""

from __future__ import annotations

from gateway.answers import Answer
from gateway.chain import Handler
from gateway.context import RequestContext
from gateway.statuses import status_answer
from kubehop.machinery.status import StatusError


def wrap(handler: Handler) -> Handler:
    """Return the handler that answers what the next ones raise as StatusError."""

    async def with_status_errors(request: RequestContext) -> Answer:
        try:
            return await handler(request)
        except StatusError as error:
            return status_answer(request, error)

    return with_status_errors
