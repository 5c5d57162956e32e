"""LimitRanger: the LimitRanges of a namespace give containers their defaults and bound what pods and claims ask for.

Source of the behaviour: plugin/pkg/admission/limitranger/admission.go.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from kubehop.machinery.objects import Object, ensure_metadata, metadata
from kubehop.machinery.quantity import Quantity
from services.admission.attributes import CREATE, UPDATE, Attributes
from services.admission.cluster import Cluster
from services.admission.plugin import Change, Scoped, aggregate, forbidden
from services.admission.pod_resources import Amounts, amounts, total
from services.admission.pods import PODS, spec_of

ANNOTATION: Final = "kubernetes.io/limit-ranger"

_RESIZE: Final = ("", "pods", "resize")
_CLAIMS: Final = ("", "persistentvolumeclaims", "")
_KINDS_OF_CONTAINERS: Final = (("containers", "container"), ("initContainers", "init container"))


class LimitRanger(Scoped):
    """See the module."""

    name: Final = "LimitRanger"
    operations = frozenset({CREATE, UPDATE})
    places = frozenset({PODS, _RESIZE, _CLAIMS})

    def __init__(self, cluster: Cluster) -> None:
        self._ranges = cluster.replica("", "limitranges")

    async def admit(self, attributes: Attributes) -> Change | None:
        """Give the containers of a pod the defaults of every LimitRange, and say so in an annotation."""
        if attributes.resource != PODS[1]:
            return None
        said = []
        for limits in self._limits(attributes):
            said += _set_defaults(attributes.object, limits)
        return Change("; ".join(said)) if said else None

    async def validate(self, attributes: Attributes) -> None:
        """Refuse what a LimitRange does not allow; the first LimitRange that minds is the one that is heard."""
        for limits in self._limits(attributes):
            if attributes.resource == PODS[1]:
                problems = list(_pod_problems(spec_of(attributes.object), limits))
            else:
                problems = list(_claim_problems(attributes.object.get("spec") or {}, limits))
            if problems:
                raise forbidden(attributes, aggregate(problems))

    def _limits(self, attributes: Attributes) -> list[list[Object]]:
        """The limits of the LimitRanges that apply, none where the request is not theirs to judge."""
        if attributes.operation == UPDATE and attributes.resource == PODS[1] and attributes.subresource != _RESIZE[2]:
            # the resources of a pod change by its subresource resize alone
            return []
        namespace = attributes.namespace
        found = [item for place, item in self._ranges.items.items() if place[0] == namespace]
        if not found or (attributes.has_old_object and metadata(attributes.old_object).get("deletionTimestamp")):
            return []
        found.sort(key=lambda item: metadata(item)["name"])
        return [(item.get("spec") or {}).get("limits") or [] for item in found]


def _set_defaults(pod: Object, limits: list[Object]) -> list[str]:
    requests: dict[str, str] = {}
    caps: dict[str, str] = {}
    for limit in limits:
        if limit.get("type") == "Container":
            requests.update(limit.get("defaultRequest") or {})
            caps.update(limit.get("default") or {})
    said: list[str] = []
    spec = spec_of(pod)
    for kind, words in _KINDS_OF_CONTAINERS:
        for container in spec.get(kind) or ():
            resources = container.get("resources") or {}
            for member, defaults in (("requests", requests), ("limits", caps)):
                present = resources.get(member) or {}
                added = {name: amount for name, amount in defaults.items() if name not in present}
                if added:
                    resources[member] = {**present, **added}
                    said.append(f"{', '.join(sorted(added))} {member[:-1]} for {words} {container.get('name', '')}")
            if resources:
                container["resources"] = resources
    if said:
        meta = ensure_metadata(pod)
        meta["annotations"] = {
            **(meta.get("annotations") or {}),
            ANNOTATION: f"LimitRanger plugin set: {'; '.join(said)}",
        }
    return said


def _pod_problems(spec: Object, limits: list[Object]) -> Iterator[str]:
    for limit in limits:
        kind = limit.get("type", "")
        if kind == "Container":
            for members, _ in _KINDS_OF_CONTAINERS:
                for container in spec.get(members) or ():
                    resources = container.get("resources") or {}
                    yield from _bounds(
                        limit, kind, amounts(resources.get("requests")), amounts(resources.get("limits"))
                    )
        elif kind == "Pod":
            yield from _bounds(limit, kind, total(spec, "requests"), total(spec, "limits"))


def _claim_problems(spec: Object, limits: list[Object]) -> Iterator[str]:
    requests = amounts((spec.get("resources") or {}).get("requests"))
    for limit in limits:
        kind = limit.get("type", "")
        if kind == "PersistentVolumeClaim":
            for name, bound in amounts(limit.get("min")).items():
                yield from _below(kind, name, bound, requests, {})
            for name, bound in amounts(limit.get("max")).items():
                yield from _request_above(kind, name, bound, requests)


def _bounds(limit: Object, kind: str, requests: Amounts, limits: Amounts) -> Iterator[str]:
    for name, bound in amounts(limit.get("min")).items():
        yield from _below(kind, name, bound, requests, limits)
    for name, bound in amounts(limit.get("max")).items():
        yield from _above(kind, name, bound, requests, limits)
    for name, bound in amounts(limit.get("maxLimitRequestRatio")).items():
        yield from _ratio_above(kind, name, bound, requests, limits)


def _below(kind: str, name: str, bound: Quantity, requests: Amounts, limits: Amounts) -> Iterator[str]:
    start = f"minimum {name} usage per {kind} is {bound}"
    request, limit = requests.get(name), limits.get(name)
    if request is None:
        yield f"{start}.  No request is specified"
    elif request < bound:
        yield f"{start}, but request is {request}"
    elif limit is not None and limit < bound:
        yield f"{start}, but limit is {limit}"


def _above(kind: str, name: str, bound: Quantity, requests: Amounts, limits: Amounts) -> Iterator[str]:
    start = f"maximum {name} usage per {kind} is {bound}"
    request, limit = requests.get(name), limits.get(name)
    if limit is None:
        yield f"{start}.  No limit is specified"
    elif limit > bound:
        yield f"{start}, but limit is {limit}"
    elif request is not None and request > bound:
        yield f"{start}, but request is {request}"


def _request_above(kind: str, name: str, bound: Quantity, requests: Amounts) -> Iterator[str]:
    start = f"maximum {name} usage per {kind} is {bound}"
    request = requests.get(name)
    if request is None:
        yield f"{start}.  No request is specified"
    elif request > bound:
        yield f"{start}, but request is {request}"


def _ratio_above(kind: str, name: str, bound: Quantity, requests: Amounts, limits: Amounts) -> Iterator[str]:
    start = f"{name} max limit to request ratio per {kind} is {bound}"
    request, limit = requests.get(name), limits.get(name)
    if not request:
        yield f"{start}, but no request is specified or request is 0"
    elif not limit:
        yield f"{start}, but no limit is specified or limit is 0"
    else:
        ratio = limit.milli_value / request.milli_value
        if ratio * 1000 > bound.milli_value:
            yield f"{start}, but provided ratio is {ratio:.6f}"
