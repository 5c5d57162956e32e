"""What an object uses of a quota: the Protocol, counting of objects in general, services.

`evaluator_for` is asked by the plugin for each resource. Pods and claims have modules of their own. Source of the
behaviour: apiserver pkg/quota/v1/generic/evaluator.go, pkg/quota/v1/evaluator/core and pkg/quota/v1/install.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final, Protocol

from kubehop.machinery.objects import Object
from kubehop.machinery.quantity import Quantity
from services.admission.attributes import CREATE, UPDATE, Attributes
from services.admission.plugins.resource_quota.usage import ONE, ZERO

Requirement = Object
"""One entry of a scopeSelector: scopeName, operator, values."""

IGNORED: Final = frozenset(
    {
        ("", "bindings"),
        ("", "componentstatuses"),
        ("", "events"),
        ("events.k8s.io", "events"),
        ("authentication.k8s.io", "tokenreviews"),
        ("authentication.k8s.io", "selfsubjectreviews"),
        ("authorization.k8s.io", "localsubjectaccessreviews"),
        ("authorization.k8s.io", "selfsubjectaccessreviews"),
        ("authorization.k8s.io", "selfsubjectrulesreviews"),
        ("authorization.k8s.io", "subjectaccessreviews"),
    }
)
"""Resources that no quota counts: they are not stored, or never were counted."""

_ALIASES: Final = frozenset({"configmaps", "resourcequotas", "replicationcontrollers", "secrets"})


def count_name(group: str, resource: str) -> str:
    """The name under which a quota counts objects of a resource."""
    return f"count/{resource}.{group}" if group else f"count/{resource}"


class Evaluator(Protocol):
    """Knows what objects of one resource use."""

    def handles(self, attributes: Attributes) -> bool:
        """Whether the request can change what is used."""

    def matching(self, resources: Iterable[str]) -> list[str]:
        """Those names of a quota that such objects use."""

    def missing(self, required: Iterable[str], obj: Object) -> str:
        """What the object fails to specify although a quota bounds it, in words; "" when nothing is missing."""

    def in_scope(self, requirement: Requirement, obj: Object) -> bool:
        """Whether the object meets one requirement of a quota's scopes."""

    def usage(self, obj: Object) -> dict[str, Quantity]:
        """What the object uses."""


class Counting:
    """Objects that are merely counted, on creation."""

    def __init__(self, *counted: str) -> None:
        self._counted = frozenset(counted)

    def handles(self, attributes: Attributes) -> bool:
        """Creations of the resource itself."""
        return not attributes.subresource and attributes.operation == CREATE

    def matching(self, resources: Iterable[str]) -> list[str]:
        """The names that count the resource."""
        return [name for name in resources if name in self._counted]

    def missing(self, required: Iterable[str], obj: Object) -> str:  # noqa: ARG002 - the Protocol's form
        """Nothing has to be specified."""
        return ""

    def in_scope(self, requirement: Requirement, obj: Object) -> bool:  # noqa: ARG002 - the Protocol's form
        """No scope applies: a quota with scopes does not count such objects."""
        return False

    def usage(self, obj: Object) -> dict[str, Quantity]:  # noqa: ARG002 - the Protocol's form
        """One of each."""
        return dict.fromkeys(self._counted, ONE)


class Services(Counting):
    """Services, their node ports and load balancers."""

    def __init__(self) -> None:
        super().__init__("count/services", "services", "services.nodeports", "services.loadbalancers")

    def handles(self, attributes: Attributes) -> bool:
        """Creations and updates, for the type of a service may change."""
        return attributes.operation in {CREATE, UPDATE}

    def usage(self, obj: Object) -> dict[str, Quantity]:
        """The service, the node ports that it will get, and whether it is a load balancer."""
        spec = obj.get("spec") or {}
        ports = spec.get("ports") or []
        used = {"count/services": ONE, "services": ONE, "services.nodeports": ZERO, "services.loadbalancers": ZERO}
        kind = spec.get("type")
        if kind == "LoadBalancer":
            used["services.loadbalancers"] = ONE
            if spec.get("allocateLoadBalancerNodePorts") is False:
                ports = [port for port in ports if port.get("nodePort")]
        if kind in {"NodePort", "LoadBalancer"}:
            used["services.nodeports"] = Quantity(len(ports))
        return used


def counting(group: str, resource: str) -> Counting:
    """The evaluator of a resource that is merely counted."""
    names = [count_name(group, resource)]
    if not group and resource in _ALIASES:
        names.append(resource)
    return Counting(*names)


def selector_matches(requirement: Requirement, values: Iterable[str]) -> bool:
    """Whether a requirement (In, NotIn, Exists, DoesNotExist) accepts one of the values; no value is an absent label.

    pkg/apis/core/v1/helper, ScopedResourceSelectorRequirementsAsSelector.
    """
    wanted = requirement.get("values") or ()
    present = list(values)
    accepts: Mapping[str, bool] = {
        "In": any(value in wanted for value in present),
        "NotIn": not present or any(value not in wanted for value in present),
        "Exists": bool(present),
        "DoesNotExist": not present,
    }
    return accepts.get(requirement.get("operator") or "", False)
