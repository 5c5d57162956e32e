"""Hop 2: asks the authorization stage whether the user may do this; 403 unless it says yes.

Last before the handler, as in kube-apiserver: pkg/endpoints/filters/authorization.go. What is asked is exactly what
RequestInfo found, before any body is read.
"""

from __future__ import annotations

from gateway.answers import Answer
from gateway.authorizing import attributes_of, denied
from gateway.backends import Authorizer
from gateway.chain import Handler
from gateway.context import RequestContext
from kubehop.pb.authorization.v1 import DECISION_ALLOW


def wrap(handler: Handler, authorizer: Authorizer) -> Handler:
    """Return the handler that only permitted requests reach."""

    async def with_authorization(request: RequestContext) -> Answer:
        attributes = attributes_of(request.info)
        verdict = await authorizer.authorize(request, request.user, attributes)
        if verdict.decision != DECISION_ALLOW:
            request.head.append("X-Content-Type-Options: nosniff\r\n")
            raise denied(request.user.username, attributes, verdict.reason)
        return await handler(request)

    return with_authorization
