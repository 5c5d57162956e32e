"""What containers and pods request and may use: amounts, huge pages, vendors' resources, claims of devices."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any

from kubehop.kinds.core.pod_defaults import container_requests
from kubehop.kinds.validation import Errors
from kubehop.kinds.validation_quantities import (
    amount,
    container_resource_name,
    may_be_overcommitted,
    quantity_of,
    resource_name,
)
from kubehop.kinds.validation_values import exactly_what, label, subdomain
from kubehop.machinery import fields, quantity
from kubehop.machinery.fields import ErrorType, FieldError, Path

Object = dict[str, Any]
Names = Callable[[Path, str], Errors]

_COMPUTE = ("cpu", "memory")
_HUGE_PAGES = "hugepages-"
_RESIZE_POLICIES = ("NotRequired", "RestartContainer")


def requirements(path: Path, found: Object, claims: Collection[str], names: Names = container_resource_name) -> Errors:
    """Check amounts that are requested and limited (validateResourceRequirements)."""
    limits, requests = found.get("limits") or {}, found.get("requests") or {}
    for name, value in limits.items():
        yield from _amount(path, "limits", name, value, names)
    for name, value in requests.items():
        # names and amounts that everybody uses are known to be right where limit and request agree
        yield from _amount(path, "requests", name, value, names)
        if name in limits:
            yield from _within(path, name, value, limits[name])
        elif not may_be_overcommitted(name):
            yield fields.required(path.child("limits"), "Limit must be set for non overcommitable resources")
        if name.startswith(_HUGE_PAGES):
            yield from _huge_pages(path.child("requests").key(name), name, value)
    named = (*limits, *requests)
    if any(name.startswith(_HUGE_PAGES) for name in named) and not any(name in _COMPUTE for name in named):
        yield fields.forbidden(path, "HugePages require cpu or memory")
    yield from _claims(path.child("claims"), found.get("claims") or [], claims)


def _amount(path: Path, field: str, name: str, value: Any, names: Names) -> Errors:
    if name in _COMPUTE and str(value)[:1].isdigit():
        return
    at = path.child(field).key(name)
    yield from names(at, name)
    yield from quantity_of(at, name, value)
    if field == "limits" and name.startswith(_HUGE_PAGES):
        yield from _huge_pages(at, name, value)


def _within(path: Path, name: str, value: Any, limit: Any) -> Errors:
    if value == limit:
        return
    requested, limited = amount(value), amount(limit)
    if requested != limited and not may_be_overcommitted(name):
        yield fields.invalid(path.child("requests"), str(value), f"must be equal to {name} limit of {limit}")
    elif requested > limited:
        text = f"must be less than or equal to {name} limit of {limit}"
        yield fields.invalid(path.child("requests"), str(value), text)


def _huge_pages(path: Path, name: str, value: Any) -> Errors:
    try:
        size = quantity.parse(name.removeprefix(_HUGE_PAGES))
    except quantity.QuantityError:
        size = quantity.parse("0")
    if size.sign <= 0 or not size.exact(0) or amount(value).value % size.value:
        yield fields.invalid(path, str(value), f"{value} is not positive integer multiple of {name}")


def _claims(path: Path, found: list[Object], known: Collection[str]) -> Errors:
    """Check which of the pod's claims a container uses (validateResourceClaimNames)."""
    seen: set[str] = set()
    for index, claim in enumerate(found):
        name, request = claim.get("name") or "", claim.get("request") or ""
        at = path.index(index)
        if not name:
            yield fields.required(at)
            continue
        if name in seen:
            yield fields.duplicate(at, name)
        else:
            key = name
            if request:
                yield from label(at.child("request"), request)
                key = f"{name}/{request}"
            if key in seen:
                yield fields.duplicate(at, key)
            elif not request:
                for other in sorted(seen):
                    if other.startswith(f"{name}/"):
                        yield fields.duplicate(at, name)
            seen.add(key)
        if name not in known:
            listed = f": {', '.join(sorted(known))}" if known else " which is empty"
            detail = f"must be one of the names in pod.spec.resourceClaims{listed}"
            yield FieldError(ErrorType.NOT_FOUND, at, name, detail)


def pod_claims(path: Path, found: list[Object]) -> Errors:
    """Check the claims of devices that a pod brings (validatePodResourceClaims)."""
    seen: set[str] = set()
    for index, claim in enumerate(found):
        at, name = path.index(index), claim.get("name") or ""
        if not name:
            yield fields.required(at.child("name"))
        elif name in seen:
            yield fields.duplicate(at.child("name"), name)
        else:
            yield from label(at.child("name"), name)
            seen.add(name)
        sources = [
            field for field in ("resourceClaimName", "resourceClaimTemplateName") if claim.get(field) is not None
        ]
        whole = exactly_what(claim, ("name", "resourceClaimName", "resourceClaimTemplateName"))
        if len(sources) == 2:
            text = "at most one of `resourceClaimName` or `resourceClaimTemplateName` may be specified"
            yield fields.invalid(at, whole, text)
        if not sources:
            text = "must specify one of: `resourceClaimName`, `resourceClaimTemplateName`"
            yield fields.invalid(at, whole, text)
        for field in sources:
            yield from subdomain(at.child(field), claim[field])


def of_pod(path: Path, spec: Object, claims: Collection[str]) -> Errors:
    """Check what the pod as a whole requests, against its containers (validatePodResources)."""
    found = spec.get("resources")
    if found is None:
        return
    if found.get("claims") is not None:
        yield fields.forbidden(path.child("claims"), "claims cannot be set for Resources at pod-level")
    yield from requirements(path, found, claims, _pod_resource_name)
    requests, limits = found.get("requests") or {}, found.get("limits") or {}
    for name, needed in container_requests(spec).items():
        requested = requests.get(name, "0")
        if needed > amount(requested):
            text = f"must be greater than or equal to aggregate container requests of {needed}"
            yield fields.invalid(path.child("requests").key(name), str(requested), text)
    for index, container in enumerate(spec.get("containers") or ()):
        for name, limit in ((container.get("resources") or {}).get("limits") or {}).items():
            if name in limits and amount(limit) > amount(limits[name]):
                at = path.child("containers").index(index).key(name).child("limits")
                yield fields.invalid(at, str(limit), f"must be less than or equal to pod limits of {limits[name]}")


def _pod_resource_name(path: Path, name: str) -> Errors:
    found = list(resource_name(path, name))
    yield from found
    if not found and name not in _COMPUTE and not name.startswith(_HUGE_PAGES):
        yield fields.not_supported(path, name, _COMPUTE)


def resize_policies(path: Path, found: list[Object], restart_policy: str) -> Errors:
    """Check what a change of resources does to a container (validateResizePolicy)."""
    seen: set[str] = set()
    for index, policy in enumerate(found):
        name, restart = policy.get("resourceName") or "", policy.get("restartPolicy") or ""
        if name in seen:
            yield fields.duplicate(path.index(index), name)
        seen.add(name)
        yield from _choice(path, name, _COMPUTE)
        yield from _choice(path, restart, _RESIZE_POLICIES)
        if restart_policy == "Never" and restart != "NotRequired":
            text = "must be 'NotRequired' when `restartPolicy` is 'Never'"
            yield fields.invalid(path, restart, text)


def _choice(path: Path, value: str, supported: tuple[str, ...]) -> Errors:
    if not value:
        yield fields.required(path)
    elif value not in supported:
        yield fields.not_supported(path, value, supported)
