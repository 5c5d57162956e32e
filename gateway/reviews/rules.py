"""SelfSubjectRulesReview: what may I do in this namespace? Answered by hop 2's Rules.

As pkg/registry/authorization/selfsubjectrulesreview of Kubernetes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.context import RequestContext
from gateway.reviews.answering import review_verb
from gateway.scopes import Scope
from kubehop.machinery import status
from kubehop.machinery.objects import Object
from kubehop.pb.authorization.v1 import NonResourceRule, ResourceRule

if TYPE_CHECKING:
    from gateway.routing import Verb
    from gateway.verbs.tools import Tools


def self_subject(tools: Tools) -> Verb:
    """Return the verb."""
    authorizer = tools.backends.authorization

    async def fill(request: RequestContext, _scope: Scope, review: Object) -> Object:
        found = await authorizer.rules(request, request.user, review["spec"]["namespace"])
        outcome: Object = {
            "resourceRules": [_resource_rule(rule) for rule in found.resource_rules],
            "nonResourceRules": [_path_rule(rule) for rule in found.non_resource_rules],
            "incomplete": found.incomplete,
        }
        if found.evaluation_error:
            outcome["evaluationError"] = found.evaluation_error
        head = {"kind": review["kind"], "apiVersion": review["apiVersion"]}
        return {**head, "metadata": {}, "spec": {}, "status": outcome}

    return review_verb(tools, _check, fill)


def _check(_scope: Scope, review: Object) -> None:
    if not (review.get("spec") or {}).get("namespace"):
        raise status.bad_request("no namespace on request")


def _resource_rule(rule: ResourceRule) -> Object:
    made: Object = {"verbs": list(rule.verbs)}
    parts = (("apiGroups", rule.api_groups), ("resources", rule.resources), ("resourceNames", rule.resource_names))
    made.update((key, list(values)) for key, values in parts if values)
    return made


def _path_rule(rule: NonResourceRule) -> Object:
    made: Object = {"verbs": list(rule.verbs)}
    if rule.non_resource_urls:
        made["nonResourceURLs"] = list(rule.non_resource_urls)
    return made
