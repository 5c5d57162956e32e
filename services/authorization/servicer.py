"""The contract kubehop.authorization.v1, spoken over the union of authorizers.

`kubehop.hop.server` calls it for each request of the gateway, and for each impersonated attribute and access review.
Answers at once wherever the authorizers can. When the objects that decisions rest on are older than they may be, it
decides nothing: a revoked right must not live on because storage is away.
"""

from __future__ import annotations

from collections.abc import Awaitable, Sequence
from typing import Protocol

import grpc
import orjson

from kubehop.hop.calls import Call
from kubehop.hop.errors import HopError
from kubehop.pb.authorization.v1 import (
    DECISION_ALLOW,
    DECISION_DENY,
    AuthorizeRequest,
    AuthorizeResponse,
    CheckEscalationRequest,
    CheckEscalationResponse,
    NonResourceRule,
    ResourceRule,
    RulesRequest,
    RulesResponse,
)
from kubehop.pb.authorization.v1 import Attributes as AttributesMessage
from kubehop.pb.authorization.v1 import Evidence as EvidenceMessage
from kubehop.pb.authorization.v1 import NearMiss as NearMissMessage
from kubehop.pb.authorization.v1 import Requirement as RequirementMessage
from services.authorization import escalation
from services.authorization.attributes import Attributes, Evidence, Requirement, aggregate
from services.authorization.authorizers.rbac import RBACAuthorizer
from services.authorization.authorizers.union import Outcome, Union
from services.authorization.escalation import Holder
from services.authorization.policy_rules import PolicyRule

STALE = "ERROR_REASON_STALE"
"""Reason of the failure when the stage refuses to decide on old rules."""


class Freshness(Protocol):
    """Tells whether the objects that decisions rest on are young enough."""

    def fresh_for(self, seconds: float) -> bool:
        """Tell whether storage was heard within these seconds."""
        ...


class AuthorizationServicer:
    """Speaks Authorize, Rules and CheckEscalation."""

    def __init__(self, union: Union, rbac: RBACAuthorizer | None, freshness: Freshness, max_staleness: float) -> None:
        """Ask this union, as long as storage was heard within max_staleness seconds; rbac knows who holds what."""
        self._union = union
        self._rbac = rbac
        self._freshness = freshness
        self._max_staleness = max_staleness

    def authorize(self, request: AuthorizeRequest, call: Call) -> AuthorizeResponse | Awaitable[AuthorizeResponse]:
        """Decide one action. Raises HopError UNAVAILABLE rather than decide on stale rules."""
        self._check_freshness()
        outcome = self._union.authorize(_attributes(request))
        if isinstance(outcome, Outcome):
            return _response(outcome, request, call)
        return _later(outcome, request, call)

    def rules(self, request: RulesRequest, call: Call) -> RulesResponse:
        """List what a user may do. Raises HopError UNAVAILABLE rather than list stale rules."""
        self._check_freshness()
        call.log(user=request.user.username, namespace=request.namespace)
        rules = self._union.rules(request.user.username, tuple(request.user.groups), request.namespace)
        return RulesResponse(
            resource_rules=[
                ResourceRule(
                    verbs=rule.verbs,
                    api_groups=rule.api_groups,
                    resources=rule.resources,
                    resource_names=rule.resource_names,
                )
                for rule in rules.resource_rules
            ],
            non_resource_rules=[
                NonResourceRule(verbs=rule.verbs, non_resource_urls=rule.non_resource_urls)
                for rule in rules.non_resource_rules
            ],
            incomplete=rules.incomplete,
            evaluation_error=aggregate(rules.errors),
        )

    def check_escalation(self, request: CheckEscalationRequest, call: Call) -> CheckEscalationResponse:
        """Tell whether the user has what the rules grant. Raises HopError UNAVAILABLE rather than ask stale rules."""
        self._check_freshness()
        try:
            granted = [PolicyRule.parse(orjson.loads(rule)) for rule in request.rules]
        except (ValueError, AttributeError, TypeError) as error:
            raise HopError(grpc.StatusCode.INVALID_ARGUMENT, f"a rule is no PolicyRule: {error}") from error
        name, groups = request.user.username, tuple(request.user.groups)
        rules, errors = self._rbac.held(name, groups, request.namespace) if self._rbac else ([], [])
        verdict = escalation.check(Holder(name, groups, rules, errors), granted)
        call.log(verdict="lacking" if verdict.reason else "held", user=name, namespace=request.namespace)
        return CheckEscalationResponse(held=not verdict.reason, reason=verdict.reason, missing=verdict.missing)

    def _check_freshness(self) -> None:
        if not self._freshness.fresh_for(self._max_staleness):
            raise HopError(
                grpc.StatusCode.UNAVAILABLE,
                f"storage has not been heard for more than {self._max_staleness:g} s; not deciding on old rules",
                reason=STALE,
            )


def _attributes(request: AuthorizeRequest) -> Attributes:
    sent: AttributesMessage = request.attributes
    user = request.user
    return Attributes(
        user.username,
        tuple(user.groups),
        sent.verb,
        sent.resource_request,
        sent.api_group,
        sent.resource,
        sent.subresource,
        sent.namespace,
        sent.name,
        sent.path,
        _requirements(sent.field_selector),
        _requirements(sent.label_selector),
    )


def _requirements(sent: Sequence[RequirementMessage]) -> tuple[Requirement, ...]:
    if not sent:
        return ()
    return tuple(Requirement(each.key, each.operator, tuple(each.values)) for each in sent)


async def _later(outcome: Awaitable[Outcome], request: AuthorizeRequest, call: Call) -> AuthorizeResponse:
    return _response(await outcome, request, call)


def _response(outcome: Outcome, request: AuthorizeRequest, call: Call) -> AuthorizeResponse:
    verdict = outcome.verdict
    allowed = verdict.decision == DECISION_ALLOW
    words = "allow" if allowed else "deny" if verdict.decision == DECISION_DENY else "no-opinion"
    call.log(verdict=words, user=request.user.username, action=_action(request.attributes), because=verdict.reason)
    return AuthorizeResponse(
        decision=verdict.decision,
        reason=verdict.reason,
        authorizer=outcome.authorizer,
        evidence=[_evidence(evidence) for evidence in outcome.evidence],
    )


def _evidence(evidence: Evidence) -> EvidenceMessage:
    name, verdict, duration = evidence
    if not verdict.reason and not verdict.near_misses and not verdict.binding:
        return EvidenceMessage(authorizer=name, decision=verdict.decision, duration_us=duration)
    return EvidenceMessage(
        authorizer=name,
        decision=verdict.decision,
        reason=verdict.reason,
        binding=verdict.binding,
        role=verdict.role,
        rule=verdict.rule,
        near_misses=[
            NearMissMessage(binding=miss.binding, role=miss.role, lacking=miss.lacking, detail=miss.detail)
            for miss in verdict.near_misses
        ],
        duration_us=duration,
    )


def _action(attributes: AttributesMessage) -> str:
    """The action in the log line: "get pods/web in default", "get /healthz"."""
    if not attributes.resource_request:
        return f"{attributes.verb} {attributes.path}"
    resource = attributes.resource
    if attributes.api_group:
        resource += f".{attributes.api_group}"
    if attributes.name:
        resource += f"/{attributes.name}"
    if attributes.subresource:
        resource += f"/{attributes.subresource}"
    return (
        f"{attributes.verb} {resource} in {attributes.namespace}"
        if attributes.namespace
        else f"{attributes.verb} {resource}"
    )
