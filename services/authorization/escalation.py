"""Whether somebody already has what a role would grant: nobody may hand on more than that.

The servicer asks before a role or binding is written by somebody without the verbs escalate or bind on it. As
ConfirmNoEscalation in pkg/registry/rbac/validation of Kubernetes, over Covers of
k8s.io/component-helpers/auth/rbac/validation: every rule that is granted is broken down into single permissions, and
each must be covered by one rule that is held.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from kubehop.machinery.gotext import quote
from services.authorization.attributes import aggregate
from services.authorization.authorizers.privileged import SYSTEM_MASTERS
from services.authorization.policy_rules import PolicyRule

MAX_PERMISSIONS = 10_000
"""Bound on the work of one question: rules that multiply out to more single permissions are not looked through."""
TOO_MANY = "the rules multiply out to too many permissions to be checked"


class Holder(NamedTuple):
    """Who hands on, with the rules that apply to them."""

    username: str
    groups: Sequence[str]
    rules: Sequence[PolicyRule]
    errors: Sequence[str] = ()
    """What kept rules from being found: bindings whose role is not there."""


class Verdict(NamedTuple):
    """Whether all is held."""

    missing: Sequence[str] = ()
    """What is not held, each in one line."""
    reason: str = ""
    """In kube-apiserver's words; empty where all is held."""


def check(holder: Holder, granted: Sequence[PolicyRule]) -> Verdict:
    """Say whether the holder has everything that the rules grant."""
    if SYSTEM_MASTERS in holder.groups:
        return Verdict()
    if sum(map(_size, granted)) > MAX_PERMISSIONS:
        return Verdict((TOO_MANY,), TOO_MANY)
    lacking = [
        permission
        for rule in granted
        for permission in _permissions(rule)
        if not any(_covers(held, permission) for held in holder.rules)
    ]
    if not lacking:
        return Verdict()
    missing = sorted({compact_text(rule) for rule in _compact(lacking)})
    reason = (
        f"user {quote(holder.username)} (groups={_quoted(holder.groups)}) is attempting to grant RBAC permissions not "
        "currently held:\n" + "\n".join(missing)
    )
    if holder.errors:
        reason += f"; resolution errors: [{aggregate(holder.errors)}]"
    return Verdict(missing, reason)


def compact_text(rule: PolicyRule) -> str:
    """Return a rule in one line, as rbac/v1 CompactString writes it."""
    parts = (
        ("APIGroups", rule.api_groups),
        ("Resources", rule.resources),
        ("NonResourceURLs", rule.non_resource_urls),
        ("ResourceNames", rule.resource_names),
        ("Verbs", rule.verbs),
    )
    return "{" + ", ".join(f"{name}:{_quoted(values)}" for name, values in parts if values) + "}"


def _quoted(values: Sequence[str]) -> str:
    return "[" + " ".join(map(quote, values)) + "]"


def _size(rule: PolicyRule) -> int:
    resources = len(rule.api_groups) * len(rule.resources) * (len(rule.resource_names) or 1)
    return len(rule.verbs) * (resources + len(rule.non_resource_urls))


def _permissions(rule: PolicyRule) -> Iterator[PolicyRule]:
    """Yield the single permissions of a rule."""
    for group in rule.api_groups:
        for resource in rule.resources:
            for verb in rule.verbs:
                for name in rule.resource_names or ("",):
                    yield PolicyRule((verb,), (group,), (resource,), (name,) if rule.resource_names else ())
    for url in rule.non_resource_urls:
        for verb in rule.verbs:
            yield PolicyRule((verb,), non_resource_urls=(url,))


def _covers(held: PolicyRule, permission: PolicyRule) -> bool:
    if not held.has_verb(permission.verbs[0]):
        return False
    if permission.non_resource_urls:
        return held.has_path(permission.non_resource_urls[0])
    resource = permission.resources[0]
    _, _, subresource = resource.partition("/")
    if not held.has_group(permission.api_groups[0]) or not held.has_resource(resource, subresource):
        return False
    # a rule for every name covers those of some names, and never the other way round
    return not held.resource_names or (
        bool(permission.resource_names) and permission.resource_names[0] in held.resource_names
    )


def _compact(rules: Sequence[PolicyRule]) -> Iterator[PolicyRule]:
    """Join what differs by verb only (CompactRules)."""
    verbs: dict[tuple[str, str], list[str]] = {}
    for rule in rules:
        if rule.resource_names or rule.non_resource_urls:
            yield rule
        else:
            verbs.setdefault((rule.api_groups[0], rule.resources[0]), []).append(rule.verbs[0])
    for (group, resource), joined in verbs.items():
        yield PolicyRule(tuple(joined), (group,), (resource,))
