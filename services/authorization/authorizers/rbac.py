"""Role-based access control over the roles and bindings in storage.

As kube-apiserver's plugin/pkg/auth/authorizer/rbac: the cluster's bindings first, then those of the request's
namespace; whatever allows it is the reason; without any, errors of bindings without their role are the reason. On a
denial it also finds the near misses: what the user has that lacks just one thing.
"""

from __future__ import annotations

from collections.abc import Iterator

from kubehop.pb.authorization.v1 import DECISION_ALLOW, DECISION_NO_OPINION
from services.authorization.attributes import (
    Attributes,
    NearMiss,
    NonResourceRule,
    ResourceRule,
    Rules,
    Verdict,
    aggregate,
)
from services.authorization.policy import Entry, Policy, Scope
from services.authorization.policy_rules import PolicyRule

MAX_NEAR_MISSES = 8
MAX_RULES_EXAMINED = 128
"""Bound on the work that a denial costs, in rules looked at for near misses."""


class RBACAuthorizer:
    """Allows what a role of one of the user's bindings allows."""

    name = "RBAC"

    def __init__(self, policy: Policy) -> None:
        """Decide by this policy, as current as its reflectors."""
        self._policy = policy

    def authorize(self, attributes: Attributes) -> Verdict:
        """Allow, or leave it to the next authorizer."""
        for scope in self._scopes(attributes.username, attributes.groups, attributes.namespace):
            found = scope.find(attributes)
            if found is not None:
                entry, grant = found
                rule = grant.role.rule_json(grant.position)
                return Verdict(DECISION_ALLOW, entry.reason, entry.binding.label, grant.role.label, rule)
        return self._denial(attributes)

    def rules(self, username: str, groups: tuple[str, ...], namespace: str) -> Rules:
        """List every rule that applies, in the order in which they are asked."""
        resource_rules: list[ResourceRule] = []
        non_resource_rules: list[NonResourceRule] = []
        errors: list[str] = []
        for scope in self._scopes(username, groups, namespace):
            errors += scope.errors
            for entry in scope.entries:
                for rule in entry.role.rules if entry.role else ():
                    resources, paths = rule.listed()
                    if resources:
                        resource_rules.append(resources)
                    if paths:
                        non_resource_rules.append(paths)
        return Rules(resource_rules, non_resource_rules, incomplete=False, errors=errors)

    def held(self, username: str, groups: tuple[str, ...], namespace: str) -> tuple[list[PolicyRule], list[str]]:
        """Return the rules that apply as they stand in their roles, and what is wrong with bindings."""
        scopes = list(self._scopes(username, groups, namespace))
        entries = [entry for scope in scopes for entry in scope.entries]
        rules = [rule for entry in entries if entry.role is not None for rule in entry.role.rules]
        return rules, [error for scope in scopes for error in scope.errors]

    def _scopes(self, username: str, groups: tuple[str, ...], namespace: str) -> Iterator[Scope]:
        yield self._policy.scope(username, groups, "")
        if namespace:
            yield self._policy.scope(username, groups, namespace)

    def _denial(self, attributes: Attributes) -> Verdict:
        errors = [
            error
            for scope in self._scopes(attributes.username, attributes.groups, attributes.namespace)
            for error in scope.errors
        ]
        reason = f"RBAC: {aggregate(errors)}" if errors else ""
        return Verdict(DECISION_NO_OPINION, reason, near_misses=self._near_misses(attributes))

    def _near_misses(self, attributes: Attributes) -> list[NearMiss]:
        found: list[NearMiss] = []
        examined = 0
        for elsewhere, entry in self._everything(attributes):
            if entry.role is None:
                if not elsewhere:
                    label, problem = entry.binding.role_label, entry.binding.missing_role
                    found.append(NearMiss(entry.binding.label, label, "role", problem))
                continue
            for rule in entry.role.rules:
                examined += 1
                miss = lacking(rule, attributes, elsewhere)
                if miss is not None:
                    found.append(NearMiss(entry.binding.label, entry.role.label, *miss))
                    break
            if len(found) >= MAX_NEAR_MISSES or examined >= MAX_RULES_EXAMINED:
                break
        return found

    def _everything(self, attributes: Attributes) -> Iterator[tuple[str, Entry]]:
        """Yield all that the user has: what applies here, then what applies in other namespaces, with their names."""
        for scope in self._scopes(attributes.username, attributes.groups, attributes.namespace):
            for entry in scope.entries:
                yield "", entry
        if attributes.resource_request:
            yield from self._policy.other_scopes(attributes.username, attributes.groups, attributes.namespace)


def lacking(rule: PolicyRule, attributes: Attributes, elsewhere: str) -> tuple[str, str] | None:
    """Return the only thing that keeps a rule from allowing an action, with detail; None if there are more.

    With a namespace in elsewhere the rule applies there, so that the namespace is what is lacking.
    """
    lacks: list[tuple[str, str]] = []
    if elsewhere:
        lacks.append(("namespace", f"allowed in namespace {elsewhere}"))
    if not rule.has_verb(attributes.verb):
        lacks.append(("verb", f"allows {', '.join(rule.verbs)}, not {attributes.verb}"))
    if not attributes.resource_request:
        if not rule.non_resource_urls:
            return None
        if not rule.has_path(attributes.path):
            lacks.append(("path", f"allows {', '.join(rule.non_resource_urls)}"))
        return lacks[0] if len(lacks) == 1 else None
    if not rule.resources:
        return None
    if not rule.has_group(attributes.api_group):
        groups = ", ".join(group or '""' for group in rule.api_groups)
        lacks.append(("apiGroup", f"allows API group {groups}"))
    if not rule.has_resource(attributes.combined_resource, attributes.subresource):
        lacks.append(("resource", f"allows {', '.join(rule.resources)}, not {attributes.combined_resource}"))
    if not rule.has_name(attributes.name):
        lacks.append(("name", f"allows only {', '.join(rule.resource_names)}"))
    return lacks[0] if len(lacks) == 1 else None
