"""Hop 1: asks the authentication stage who sent the request; 401 when it cannot tell.

Everything below may rely on `request.user`. As kube-apiserver: pkg/endpoints/filters/authentication.go.
"""

from __future__ import annotations

from gateway.answers import Answer
from gateway.backends import Authenticator
from gateway.chain import Handler
from gateway.context import RequestContext
from kubehop.machinery import status
from kubehop.pb.authentication.v1 import DECISION_AUTHENTICATED


def wrap(handler: Handler, authenticator: Authenticator) -> Handler:
    """Return the handler that only known users reach."""

    async def with_authentication(request: RequestContext) -> Answer:
        verdict = await authenticator.authenticate(request)
        for text in verdict.warnings:
            request.add_warning(text)
        if verdict.decision != DECISION_AUTHENTICATED:
            raise status.unauthorized()
        request.user = request.requester = verdict.user
        return await handler(request)

    return with_authentication
