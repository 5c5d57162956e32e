"""What authorizers read and what they answer: attributes of an action, verdicts, evidence.

The servicer makes `Attributes` from a request, each authorizer turns them into a `Verdict`, and the union's result
goes back with the evidence of each.
"""

from __future__ import annotations

from collections.abc import Awaitable, Sequence
from typing import NamedTuple, Protocol

from kubehop.pb.authorization.v1 import DECISION_ALLOW, DECISION_DENY, DECISION_NO_OPINION, Decision, SelectorOperator

SERVICE_ACCOUNT_PREFIX = "system:serviceaccount:"


class Requirement(NamedTuple):
    """One requirement of a field or label selector."""

    key: str
    operator: SelectorOperator
    values: tuple[str, ...]


class Attributes(NamedTuple):
    """Who wants to do what, as kube-apiserver's authorizer.Attributes."""

    username: str
    groups: tuple[str, ...]
    verb: str
    resource_request: bool = True
    api_group: str = ""
    resource: str = ""
    subresource: str = ""
    namespace: str = ""
    name: str = ""
    path: str = ""
    field_selector: tuple[Requirement, ...] = ()
    label_selector: tuple[Requirement, ...] = ()

    @property
    def combined_resource(self) -> str:
        """The resource as rules name it: "pods", "pods/log"."""
        return f"{self.resource}/{self.subresource}" if self.subresource else self.resource


class NearMiss(NamedTuple):
    """A binding of this user that would have allowed the action but for one thing."""

    binding: str
    role: str
    lacking: str
    """One of "verb", "apiGroup", "resource", "name", "namespace", "path", "role"."""
    detail: str


class Verdict(NamedTuple):
    """The answer of one authorizer, with what led to it."""

    decision: Decision
    reason: str = ""
    """As kube-apiserver words it: it becomes part of the 403 message and of access reviews."""
    binding: str = ""
    role: str = ""
    rule: str = ""
    """The rule that allowed it, as JSON."""
    near_misses: Sequence[NearMiss] = ()


ALLOW = Verdict(DECISION_ALLOW)
NO_OPINION = Verdict(DECISION_NO_OPINION)


def no_opinion(reason: str) -> Verdict:
    """Leave it to the next authorizer, with a reason for the denial that it becomes if nobody allows it."""
    return Verdict(DECISION_NO_OPINION, reason)


class Evidence(NamedTuple):
    """One authorizer's part in a decision."""

    authorizer: str
    verdict: Verdict
    duration_us: int


class ResourceRule(NamedTuple):
    """A rule about resources, as access reviews list it."""

    verbs: Sequence[str]
    api_groups: Sequence[str]
    resources: Sequence[str]
    resource_names: Sequence[str]


class NonResourceRule(NamedTuple):
    """A rule about paths, as access reviews list it."""

    verbs: Sequence[str]
    non_resource_urls: Sequence[str]


class Rules(NamedTuple):
    """What a user may do in a namespace."""

    resource_rules: Sequence[ResourceRule] = ()
    non_resource_rules: Sequence[NonResourceRule] = ()
    incomplete: bool = False
    errors: Sequence[str] = ()


Answer = Verdict | Awaitable[Verdict]
"""What an authorizer returns: a verdict if it can tell at once, else something to wait for.

Most can, and an answer at once costs no task on the way through the hop.
"""


class Authorizer(Protocol):
    """Decides about actions. A firm answer is allow or deny; anything else leaves it to the next one."""

    @property
    def name(self) -> str:
        """The mode, as evidence shows it: "Node", "RBAC"."""
        ...

    def authorize(self, attributes: Attributes) -> Answer:
        """Decide about one action; never raises for an action that it does not know."""
        ...

    def rules(self, username: str, groups: tuple[str, ...], namespace: str) -> Rules:
        """List what the user may do, as far as it can be listed."""
        ...


FIRM = frozenset({DECISION_ALLOW, DECISION_DENY})
"""Decisions at which a union stops."""


def aggregate(errors: Sequence[str]) -> str:
    """Join errors as apimachinery's errors.Aggregate prints them: one as it is, several in brackets, none twice."""
    unique = tuple(dict.fromkeys(errors))
    return unique[0] if len(unique) == 1 else "[" + ", ".join(unique) + "]" if unique else ""
