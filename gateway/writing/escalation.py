"""Nobody grants more than they have: asked before a role or a binding is written.

A rule of the write path for the four kinds of RBAC; `guard` is given to the verbs by `gateway.verbs`. It decides
nothing: hop 2 is asked whether the user has the verb escalate (on a role) or bind (on the role of a binding), and if
not, whether they hold all that would be granted. As pkg/registry/rbac/{role,clusterrole,rolebinding,
clusterrolebinding}/policybased of Kubernetes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson

from gateway.backends import Authorizer
from gateway.writing.writes import Guard, Write
from kubehop.machinery import status
from kubehop.machinery.gotext import quote
from kubehop.machinery.objects import Object, metadata, name
from kubehop.machinery.status import StatusError
from kubehop.pb.authorization.v1 import DECISION_ALLOW, Attributes
from kubehop.pb.storage.v1 import Key

if TYPE_CHECKING:
    from gateway.backends import Backends

GROUP = "rbac.authorization.k8s.io"
ROLES = frozenset({"roles", "clusterroles"})
BINDINGS = frozenset({"rolebindings", "clusterrolebindings"})

_RESOURCES = {"Role": "roles", "ClusterRole": "clusterroles"}
_EVERYTHING: list[Any] = [
    {"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]},
    {"nonResourceURLs": ["*"], "verbs": ["*"]},
]
_AGGREGATION = "must have cluster-admin privileges to use the aggregationRule"
_COLLECTED = ("ownerReferences", "finalizers", "managedFields", "selfLink")
"""Metadata that garbage collection writes: who changes nothing else grants nothing."""


def guard(backends: Backends) -> Guard:
    """Return what refuses a role or binding that grants more than its writer has."""
    authorizer = backends.authorization

    async def check(write: Write, new: Object, old: Object | None) -> None:
        if old is not None and _same_but_collected(new, old):
            return
        if write.scope.resource.name in ROLES:
            await _check_role(write, authorizer, new, old)
        else:
            await _check_binding(write, authorizer, new)

    return check


async def _check_role(write: Write, authorizer: Authorizer, new: Object, old: Object | None) -> None:
    info = write.request.info
    attributes = Attributes(
        verb="escalate", resource_request=True, api_group=info.api_group, api_version="*", resource=info.resource,
        namespace=info.namespace, name=info.name)  # fmt: skip
    if await _allowed(write, authorizer, attributes):
        return
    if reason := await _lacking(write, authorizer, new.get("rules") or []):
        raise _forbidden(write, new, reason)
    aggregates = [obj for obj in (new, old) if obj is not None and obj.get("aggregationRule") is not None]
    # whoever aggregates comes to grant whatever others label
    if aggregates and await _lacking(write, authorizer, _EVERYTHING):
        raise _forbidden(write, new, _AGGREGATION)


async def _check_binding(write: Write, authorizer: Authorizer, new: Object) -> None:
    reference = new.get("roleRef") or {}
    kind, role = reference.get("kind") or "", reference.get("name") or ""
    resource = _RESOURCES.get(kind)
    if resource is not None and reference.get("apiGroup") == GROUP:
        attributes = Attributes(
            verb="bind", resource_request=True, api_group=GROUP, resource=resource, namespace=write.scope.namespace,
            name=role)  # fmt: skip
        if await _allowed(write, authorizer, attributes):
            return
    # what cannot be bound is refused by validation later, to those who might bind anything
    rules = _EVERYTHING if resource is None else await _rules_of(write, resource, role)
    if reason := await _lacking(write, authorizer, rules):
        if resource is None:
            raise status.unknown(f"unsupported role reference kind: {quote(kind)}")
        raise _forbidden(write, new, reason)


async def _rules_of(write: Write, resource: str, role: str) -> list[Any]:
    """Return the rules of the role that is bound. Raises 404 in the name of the binding's resource, as the original."""
    namespace = write.scope.namespace if resource == "roles" else ""
    if not role or (resource == "roles" and not namespace):
        return _EVERYTHING  # no such role can be: validation is going to say so to whoever holds everything
    key = Key(group=GROUP, resource=resource, namespace=namespace, name=role)
    try:
        found = await write.storage.get(write.request, key)
    except StatusError as error:
        if error.reason == "NotFound":
            raise status.not_found(GROUP, write.scope.resource.name, role) from None
        raise
    return orjson.loads(found.object).get("rules") or []


async def _allowed(write: Write, authorizer: Authorizer, attributes: Attributes) -> bool:
    verdict = await authorizer.authorize(write.request, write.request.user, attributes)
    return verdict.decision == DECISION_ALLOW


async def _lacking(write: Write, authorizer: Authorizer, rules: list[Any]) -> str:
    """Return why the user may not grant the rules; empty where they may."""
    verdict = await authorizer.check_escalation(
        write.request, write.request.user, write.scope.namespace, [orjson.dumps(rule).decode() for rule in rules]
    )
    return "" if verdict.held else verdict.reason or "the permissions are not held"


def _forbidden(write: Write, obj: Object, reason: str) -> StatusError:
    return status.forbidden(GROUP, write.scope.resource.name, name(obj), reason)


def _same_but_collected(new: Object, old: Object) -> bool:
    return _without_collected(new) == _without_collected(old)


def _without_collected(obj: Object) -> Object:
    kept = {key: value for key, value in metadata(obj).items() if key not in _COLLECTED}
    return {**obj, "metadata": kept}
