"""Which permissions of some rules are covered by others: the arithmetic behind reconciling bootstrap roles.

Source of the behaviour: k8s.io/component-helpers/auth/rbac/validation/policy_comparator.go. A rule is broken down
into single permissions; one that no owner rule covers is reported broken down, so that adding it grants no more.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

Rule = dict[str, Any]


def uncovered(owner: Sequence[Rule], servant: Iterable[Rule]) -> list[Rule]:
    """The permissions of `servant`, one per rule, that no single rule of `owner` grants."""
    return [
        permission
        for rule in servant
        for permission in _broken_down(rule)
        if not any(_covers(owned, permission) for owned in owner)
    ]


def _broken_down(rule: Rule) -> Iterator[Rule]:
    verbs = rule.get("verbs") or ()
    for group in rule.get("apiGroups") or ():
        for resource in rule.get("resources") or ():
            for verb in verbs:
                names = rule.get("resourceNames") or ()
                if not names:
                    yield {"verbs": [verb], "apiGroups": [group], "resources": [resource]}
                for name in names:
                    yield {"verbs": [verb], "apiGroups": [group], "resources": [resource], "resourceNames": [name]}
    for url in rule.get("nonResourceURLs") or ():
        for verb in verbs:
            yield {"verbs": [verb], "nonResourceURLs": [url]}


def _covers(owner: Rule, permission: Rule) -> bool:
    verbs = owner.get("verbs") or ()
    if "*" not in verbs and permission["verbs"][0] not in verbs:
        return False
    urls = permission.get("nonResourceURLs")
    if urls:
        return any(_url_covers(owned, urls[0]) for owned in owner.get("nonResourceURLs") or ())
    groups = owner.get("apiGroups") or ()
    if "*" not in groups and permission["apiGroups"][0] not in groups:
        return False
    if not _resource_covered(owner.get("resources") or (), permission["resources"][0]):
        return False
    owned_names = owner.get("resourceNames") or ()
    if not owned_names:
        return True
    return any(name in owned_names for name in permission.get("resourceNames") or ())


def _resource_covered(owned: Sequence[str], resource: str) -> bool:
    if "*" in owned or resource in owned:
        return True
    _, slash, subresource = resource.partition("/")
    return bool(slash) and f"*/{subresource}" in owned


def _url_covers(owned: str, url: str) -> bool:
    if owned in {"*", url}:
        return True
    return owned.endswith("*") and url.startswith(owned.rstrip("*"))
