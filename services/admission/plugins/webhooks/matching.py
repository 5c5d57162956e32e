"""Which webhooks a request concerns, and as which kind they see its object.

Used by both plugins; apiserver: pkg/admission/plugin/webhook/generic/webhook.go and predicates/.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from kubehop.kinds import catalogue
from kubehop.machinery import status
from kubehop.machinery.objects import GroupVersionKind, Object, labels
from kubehop.machinery.selectors.labels import Selector
from kubehop.pb.admission.v1 import Operation
from services.admission.attributes import CREATE, UPDATE, Attributes
from services.admission.lookup import Lookup
from services.admission.plugins.webhooks.hooks import GROUP, Hook

_EXEMPT: Final = frozenset(
    {
        "ValidatingWebhookConfiguration",
        "MutatingWebhookConfiguration",
        "ValidatingAdmissionPolicy",
        "ValidatingAdmissionPolicyBinding",
        "MutatingAdmissionPolicy",
        "MutatingAdmissionPolicyBinding",
    }
)
"""Kinds that no webhook sees, or nobody could take a broken webhook away."""
_PREFIX: Final = len("OPERATION_")


@dataclass(frozen=True, slots=True)
class Place:
    """A resource in a version."""

    group: str
    version: str
    resource: str


@dataclass(frozen=True, slots=True)
class Invocation:
    """A webhook that is to be called, and what it sees the object as."""

    hook: Hook
    place: Place
    kind: GroupVersionKind


class Matcher:
    """Decides for each hook."""

    def __init__(self, namespaces: Lookup) -> None:
        self._namespaces = namespaces

    async def match(self, hook: Hook, attributes: Attributes) -> Invocation | None:
        """The invocation, or None where the hook is not concerned. StatusError where that cannot be told."""
        problem: status.StatusError | None = None
        try:
            if not await self._in_namespace(hook, attributes):
                return None
            if not _selects_object(hook.selector("objectSelector"), attributes):
                return None
        except ValueError as error:
            problem = status.internal_error(str(error))
        except status.StatusError as error:
            problem = error
        invocation = _by_rules(hook, attributes)
        if invocation is None:
            return None
        if problem is not None:
            raise problem
        if hook.conditions:
            return _by_conditions(hook, attributes, invocation)
        return invocation

    async def _in_namespace(self, hook: Hook, attributes: Attributes) -> bool:
        is_namespace = attributes.resource == "namespaces"
        if not attributes.namespace and not is_namespace:
            return True
        selector = hook.selector("namespaceSelector")
        if not selector.requirements:
            return True
        if is_namespace and not attributes.subresource and attributes.operation in {CREATE, UPDATE}:
            return selector.matches(labels(attributes.object))
        namespace = await self._namespaces.get(attributes.namespace)
        if namespace is None:
            raise status.not_found("", "namespaces", attributes.namespace)
        return selector.matches(labels(namespace))


def is_exempt(attributes: Attributes) -> bool:
    """Whether no webhook may see the request."""
    return attributes.kind_group == GROUP and attributes.kind in _EXEMPT


def operation_name(operation: Operation) -> str:
    """`CREATE`, as rules and reviews name operations."""
    return Operation.Name(operation)[_PREFIX:]


def _selects_object(selector: Selector, attributes: Attributes) -> bool:
    if not selector.requirements:
        return True
    found: list[Object] = [attributes.object] if attributes.raw else []
    if attributes.has_old_object:
        found.append(attributes.old_object)
    return any(selector.matches(labels(obj)) for obj in found)


def _by_rules(hook: Hook, attributes: Attributes) -> Invocation | None:
    asked = Place(attributes.group, attributes.version, attributes.resource)
    if any(_matches(rule, attributes, asked) for rule in hook.rules):
        return Invocation(hook, asked, attributes.request_kind)
    if not hook.sees_equivalents:
        return None
    equivalents = _equivalents(asked)
    for rule in hook.rules:
        for place, kind in equivalents:
            if _matches(rule, attributes, place):
                # what a subresource takes is the same in every version of the resource
                seen = kind if not attributes.subresource else attributes.request_kind
                return Invocation(hook, place, seen)
    return None


def _matches(rule: Object, attributes: Attributes, place: Place) -> bool:
    scope = rule.get("scope") or "*"
    if scope != "*":
        cluster_wide = not attributes.namespace or place == Place("", "v1", "namespaces")
        if cluster_wide != (scope == "Cluster"):
            return False
    return (
        _lists(rule.get("operations"), operation_name(attributes.operation))
        and _lists(rule.get("apiGroups"), place.group)
        and _lists(rule.get("apiVersions"), place.version)
        and any(_names(name, place.resource, attributes.subresource) for name in rule.get("resources") or ())
    )


def _lists(items: list[str] | None, wanted: str) -> bool:
    return items is not None and ("*" in items or wanted in items)


def _names(name: str, resource: str, subresource: str) -> bool:
    named, _, sub = name.partition("/")
    return named in {"*", resource} and sub in {"*", subresource}


def _equivalents(asked: Place) -> list[tuple[Place, GroupVersionKind]]:
    """The same resource in its other versions."""
    row = catalogue.lookup(asked.group, asked.version, asked.resource)
    if row is None:
        return []
    return [
        (Place(other.group, other.version, other.name), GroupVersionKind(other.group, other.version, other.kind))
        for other in catalogue.RESOURCES
        if other is not row and other.name == row.name and other.storage_group == row.storage_group
    ]


def _by_conditions(hook: Hook, attributes: Attributes, _invocation: Invocation) -> Invocation | None:
    """Match conditions cannot be evaluated here yet: the failure policy decides, as it does about their errors."""
    if hook.fails_open:
        return None
    names = ", ".join(condition.get("name") or "" for condition in hook.conditions)
    message = (
        f'matchConditions of webhook "{hook.name}" cannot be evaluated: CEL is not built into kubehop yet: {names}'
    )
    raise status.forbidden(attributes.group, attributes.resource, attributes.name, message, [])
