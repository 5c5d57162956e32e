"""Defaults of webhooks and of admission policies: mutating and validating ones have most in common."""

from __future__ import annotations

from typing import Any

from kubehop.kinds.admissionregistration import rules
from kubehop.kinds.defaulting import fill, items, part, struct
from kubehop.kinds.strategy import NEW_ALONE, Strategy
from kubehop.kinds.validation import Errors

Object = dict[str, Any]


_TIMEOUT_SECONDS = 10
_HTTPS = 443


def _scopes(node: Object, field: str) -> None:
    for rule in items(node, field):
        fill(rule, scope="*")


def webhook(node: Object) -> None:
    """Fill in a webhook. Changes it."""
    fill(node, failurePolicy="Fail", matchPolicy="Equivalent", timeoutSeconds=_TIMEOUT_SECONDS)
    fill(node, namespaceSelector={}, objectSelector={})
    service = part(node, "clientConfig", "service")
    if service is not None:
        fill(service, port=_HTTPS)
    _scopes(node, "rules")


def match_resources(node: Object) -> None:
    """Fill in which resources a policy or binding is about. Changes it."""
    fill(node, matchPolicy="Equivalent", namespaceSelector={}, objectSelector={})
    _scopes(node, "resourceRules")
    _scopes(node, "excludeResourceRules")


class WebhookStrategy(Strategy):
    """Webhook configurations count every change of their webhooks."""

    counts_generation = True
    standard_finalizers = False
    update_steps = NEW_ALONE
    mutating = False

    def default(self, obj: Object) -> None:
        """Fill in each webhook."""
        for node in items(obj, "webhooks"):
            webhook(node)
            if self.mutating:
                fill(node, reinvocationPolicy="Never")

    def check(self, obj: Object) -> Errors:
        """Check the webhooks."""
        yield from rules.webhooks(obj, mutating=self.mutating)


class MutatingWebhookStrategy(WebhookStrategy):
    """Mutating webhooks may be called again."""

    mutating = True


class PolicyStrategy(Strategy):
    """Policies count the generation of their spec."""

    counts_generation = True
    standard_finalizers = False
    update_steps = NEW_ALONE
    mutating = False

    def default(self, obj: Object) -> None:
        """Fill in what a policy matches, and what its failure means."""
        spec = struct(obj, "spec")
        fill(spec, failurePolicy="Fail")
        if spec.get("matchConstraints") is not None:
            match_resources(spec["matchConstraints"])

    def check(self, obj: Object) -> Errors:
        """Check the policy, but for what its expressions say."""
        yield from rules.policy(obj, mutating=self.mutating)


class MutatingPolicyStrategy(PolicyStrategy):
    """Mutating policies may be evaluated again."""

    mutating = True

    def default(self, obj: Object) -> None:
        """Fill in what a policy matches, what its failure means, and how often it runs."""
        super().default(obj)
        fill(struct(obj, "spec"), reinvocationPolicy="Never")


class BindingStrategy(Strategy):
    """Bindings count the generation of their spec."""

    counts_generation = True
    standard_finalizers = False
    update_steps = NEW_ALONE

    def default(self, obj: Object) -> None:
        """Fill in what a binding narrows its policy to."""
        matched = part(obj, "spec", "matchResources")
        if matched is not None:
            match_resources(matched)

    def check(self, obj: Object) -> Errors:
        """Check the binding."""
        yield from rules.binding(obj, mutating=self.resource.name.startswith("mutating"))
