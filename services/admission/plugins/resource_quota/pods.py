"""What pods use of a quota: their number, compute resources, and the scopes that they are in.

Source of the behaviour: pkg/quota/v1/evaluator/core/pods.go.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from kubehop.kinds.core.qos import qos_class
from kubehop.machinery import names
from kubehop.machinery.objects import Object, metadata, nested
from kubehop.machinery.quantity import Quantity
from services.admission.attributes import CREATE, UPDATE, Attributes
from services.admission.plugins.resource_quota.evaluators import Requirement, selector_matches
from services.admission.plugins.resource_quota.usage import ONE, plus
from services.admission.pod_resources import Amounts, amounts, total_with_overhead

_COMPUTE: Final = ("cpu", "memory", "ephemeral-storage")
_REQUESTS: Final = "requests."
_HUGE_PAGES: Final = "hugepages-"
_NAMES: Final = frozenset(
    {"count/pods", "pods", *_COMPUTE, *(f"{kind}.{name}" for kind in ("requests", "limits") for name in _COMPUTE)}
)
_EXPLICIT: Final = frozenset({"cpu", "memory", "requests.cpu", "requests.memory", "limits.cpu", "limits.memory"})
"""What every container has to specify where a quota bounds it."""


class Pods:
    """The evaluator of pods."""

    def handles(self, attributes: Attributes) -> bool:
        """Creations, and changes of resources by the subresource resize."""
        if attributes.subresource == "resize":
            return attributes.operation in {CREATE, UPDATE}
        return not attributes.subresource and attributes.operation == CREATE

    def matching(self, resources: Iterable[str]) -> list[str]:
        """Compute resources, huge pages, and extended resources as requests."""
        return [
            name
            for name in resources
            if name in _NAMES
            or name.startswith((_HUGE_PAGES, _REQUESTS + _HUGE_PAGES))
            or (name.startswith(_REQUESTS) and not _is_native(name))
        ]

    def missing(self, required: Iterable[str], obj: Object) -> str:
        """The containers that do not say what a quota bounds."""
        explicit = sorted(_EXPLICIT.intersection(required))
        if not explicit:
            return ""
        spec = obj.get("spec") or {}
        lacking: dict[str, set[str]] = {}
        for container in (*(spec.get("containers") or ()), *(spec.get("initContainers") or ())):
            resources = container.get("resources") or {}
            said = _compute_usage(amounts(resources.get("requests")), amounts(resources.get("limits")))
            for name in explicit:
                if name not in said:
                    lacking.setdefault(name, set()).add(container.get("name", ""))
        if not lacking:
            return ""
        parts = (f"{name} for: {','.join(sorted(lacking[name]))}" for name in sorted(lacking))
        return f"must specify {'; '.join(parts)}"

    def in_scope(self, requirement: Requirement, obj: Object) -> bool:
        """Whether a pod is in a scope."""
        scope: str = requirement.get("scopeName") or ""
        spec = obj.get("spec") or {}
        if scope in {"Terminating", "NotTerminating"}:
            deadline: int | None = spec.get("activeDeadlineSeconds")
            return (deadline is not None and deadline >= 0) == (scope == "Terminating")
        if scope in {"BestEffort", "NotBestEffort"}:
            return (qos_class(obj) == "BestEffort") == (scope == "BestEffort")
        if scope == "PriorityClass":
            name = spec.get("priorityClassName")
            return selector_matches(requirement, [name] if name else [])
        if scope == "CrossNamespacePodAffinity":
            return any(term.get("namespaces") or "namespaceSelector" in term for term in _affinity_terms(spec))
        return False

    def usage(self, obj: Object) -> dict[str, Quantity]:
        """One pod with what it requests and is limited to; one that is over counts as an object only."""
        used = {"count/pods": ONE}
        if _is_over(obj):
            return used
        return plus(used, _compute_usage(total_with_overhead(obj, "requests"), total_with_overhead(obj, "limits")))


def _compute_usage(requests: Amounts, limits: Amounts) -> dict[str, Quantity]:
    used = {"pods": ONE}
    for name in _COMPUTE:
        if name in requests:
            used[name] = used[_REQUESTS + name] = requests[name]
        if name in limits:
            used[f"limits.{name}"] = limits[name]
    for name, amount in requests.items():
        if name.startswith(_HUGE_PAGES):
            used[name] = used[_REQUESTS + name] = amount
        elif _is_extended(name):
            used[_REQUESTS + name] = amount
    return used


def _is_native(name: str) -> bool:
    """Whether a resource is Kubernetes' own (IsNativeResource)."""
    return "/" not in name or "kubernetes.io/" in name


def _is_extended(name: str) -> bool:
    """Whether a resource is one that nodes offer on their own (IsExtendedResourceName)."""
    return not _is_native(name) and not name.startswith(_REQUESTS) and not names.label_key(_REQUESTS + name)


def _is_over(pod: Object) -> bool:
    """Whether a pod has ended, or its time to end is up."""
    if nested(pod, "status", "phase") in {"Failed", "Succeeded"}:
        return True
    meta = metadata(pod)
    since, grace = meta.get("deletionTimestamp"), meta.get("deletionGracePeriodSeconds")
    if since is None or grace is None:
        return False
    return datetime.now(tz=UTC) > datetime.fromisoformat(since) + timedelta(seconds=grace)


def _affinity_terms(spec: Object) -> Iterator[dict[str, Any]]:
    affinity = spec.get("affinity") or {}
    for kind in ("podAffinity", "podAntiAffinity"):
        terms = affinity.get(kind) or {}
        yield from terms.get("requiredDuringSchedulingIgnoredDuringExecution") or ()
        for weighted in terms.get("preferredDuringSchedulingIgnoredDuringExecution") or ():
            yield weighted.get("podAffinityTerm") or {}
