"""TokenReview: whose token is this? Answered by hop 1.

As pkg/registry/authentication/tokenreview of Kubernetes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.context import RequestContext
from gateway.reviews.answering import review_verb
from gateway.reviews.identity import user_object
from gateway.scopes import Scope
from kubehop.machinery import status
from kubehop.machinery.objects import Object
from kubehop.pb.authentication.v1 import DECISION_AUTHENTICATED, DECISION_REJECTED

if TYPE_CHECKING:
    from gateway.routing import Verb
    from gateway.verbs.tools import Tools

INVALID_TOKEN = "invalid bearer token"  # noqa: S105 - a message


def review(tools: Tools) -> Verb:
    """Return the verb."""
    authenticator = tools.backends.authentication

    async def fill(request: RequestContext, _scope: Scope, asked: Object) -> Object:
        spec = asked["spec"]
        verdict = await authenticator.review_token(request, spec["token"], list(spec.get("audiences") or ()))
        outcome: Object = {"user": {}}
        if verdict.decision == DECISION_AUTHENTICATED:
            outcome = {"authenticated": True, "user": user_object(verdict.user)}
            if verdict.audiences:
                outcome["audiences"] = list(verdict.audiences)
        elif verdict.decision == DECISION_REJECTED:
            outcome["error"] = verdict.reason or INVALID_TOKEN
        return {**asked, "status": outcome}

    return review_verb(tools, _check, fill)


def _check(_scope: Scope, asked: Object) -> None:
    if not (asked.get("spec") or {}).get("token"):
        raise status.bad_request("token is required for TokenReview in authentication")
