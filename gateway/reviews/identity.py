"""SelfSubjectReview: who am I? Answered from what hop 1 (and impersonation) found.

As pkg/registry/authentication/selfsubjectreview of Kubernetes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.context import RequestContext
from gateway.reviews.answering import review_verb
from gateway.scopes import Scope
from kubehop.machinery import timestamps
from kubehop.machinery.objects import Object
from kubehop.pb.authentication.v1 import UserInfo

if TYPE_CHECKING:
    from gateway.routing import Verb
    from gateway.verbs.tools import Tools


def self_subject(tools: Tools) -> Verb:
    """Return the verb."""

    async def fill(request: RequestContext, _scope: Scope, review: Object) -> Object:
        return {
            "kind": review["kind"],
            "apiVersion": review["apiVersion"],
            "metadata": {"creationTimestamp": timestamps.now()},
            "status": {"userInfo": user_object(request.user)},
        }

    return review_verb(tools, lambda _scope, _review: None, fill)


def user_object(user: UserInfo) -> Object:
    """Return a user as reviews show one (authentication.k8s.io/v1 UserInfo)."""
    made: Object = {}
    if user.username:
        made["username"] = user.username
    if user.uid:
        made["uid"] = user.uid
    if user.groups:
        made["groups"] = list(user.groups)
    if user.extra:
        made["extra"] = {key: list(user.extra[key].values) for key in sorted(user.extra)}
    return made
