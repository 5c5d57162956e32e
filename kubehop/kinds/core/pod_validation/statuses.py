"""What a pod's status may say, and how it may change. Facts: ValidatePodStatusUpdate."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from kubehop.kinds.core.pod_validation.updates import changed_annotations
from kubehop.kinds.validation import Errors
from kubehop.kinds.validation_addresses import family, ip
from kubehop.kinds.validation_values import NOT_NEGATIVE, obeys, qualified, unchanged
from kubehop.machinery import fields, names
from kubehop.machinery.fields import Path

Object = dict[str, Any]

_STATUS = Path("status")
_SYSTEM_CONDITIONS = ("PodScheduled", "Ready", "Initialized")
_HEALTH = ("Healthy", "Unhealthy", "Unknown")
_GROUPS = (
    ("containerStatuses", "containers"),
    ("initContainerStatuses", "initContainers"),
    ("ephemeralContainerStatuses", ""),
)


def update(new: Object, old: Object) -> Errors:
    """Check a change of a pod's status."""
    after, before = new.get("status") or {}, old.get("status") or {}
    spec = new.get("spec") or {}
    yield from changed_annotations(new, old)
    for index, condition in enumerate(after.get("conditions") or ()):
        kind = condition.get("type") or ""
        if kind not in _SYSTEM_CONDITIONS:
            # the path is kube-apiserver's
            yield from qualified(Path("metadata", "conditions").index(index).child("Type"), kind)
    node = after.get("nominatedNodeName") or ""
    if node and node != before.get("nominatedNodeName"):
        yield from obeys(_STATUS.child("nominatedNodeName"), node, names.dns1123_subdomain)
    if (after.get("observedGeneration") or 0) < 0:
        yield fields.invalid(_STATUS.child("observedGeneration"), after["observedGeneration"], NOT_NEGATIVE)
    # what says nothing of it, keeps it
    kept = before.get("qosClass") or ""
    yield from unchanged(_STATUS.child("qosClass"), after.get("qosClass") or kept, kept)
    yield from _transitions(after, before, old.get("spec") or {})
    yield from _claims(after.get("resourceClaimStatuses") or (), spec.get("resourceClaims") or ())
    yield from _addresses("podIPs", after.get("podIPs") or [], after.get("podIP"), is_host=False)
    yield from _addresses("hostIPs", after.get("hostIPs") or [], after.get("hostIP"), is_host=True)
    for field, _ in _GROUPS:
        yield from _users(field, after.get(field) or (), (spec.get("os") or {}).get("name") or "linux")
    for field, declared in _GROUPS:
        yield from _allocated(field, after.get(field) or (), spec.get(declared) or () if declared else None)


def _transitions(after: Object, before: Object, spec: Object) -> Errors:
    """Refuse that a container that has ended for good runs again."""
    sidecars = {one.get("name") for one in spec.get("initContainers") or () if one.get("restartPolicy") == "Always"}
    for field, _ in _GROUPS:
        policy = "Never" if field == "ephemeralContainerStatuses" else spec.get("restartPolicy")
        if policy == "Always":
            continue
        current = {one.get("name"): one for one in after.get(field) or ()}
        for index, status in enumerate(before.get(field) or ()):
            ended = (status.get("state") or {}).get("terminated")
            if ended is None or (ended.get("exitCode") and policy == "OnFailure"):
                continue
            if field == "initContainerStatuses" and status.get("name") in sidecars:
                continue
            found = current.get(status.get("name"))
            if found is not None and (found.get("state") or {}).get("terminated") is None:
                text = "may not be transitioned to non-terminated state"
                yield fields.forbidden(_STATUS.child(field).index(index).child("state"), text)


def _claims(found: list[Object] | tuple[()], declared: list[Object] | tuple[()]) -> Errors:
    known, seen = {claim.get("name") for claim in declared}, set()
    for index, status in enumerate(found):
        at, name = _STATUS.child("resourceClaimStatuses").index(index).child("name"), status.get("name") or ""
        if name not in known:
            yield fields.invalid(at, name, "must match the name of an entry in `spec.resourceClaims`")
        if name in seen:
            yield fields.duplicate(at, name)
        seen.add(name)
        if status.get("resourceClaimName") is not None:
            yield from obeys(at, status["resourceClaimName"], names.dns1123_subdomain)


def _addresses(field: str, found: list[Object], first: str | None, *, is_host: bool) -> Errors:
    if not found:
        return
    path = _STATUS.child(field)
    texts = [address.get("ip") or "" for address in found]
    if is_host and (first or "") != texts[0]:
        yield fields.invalid(path.index(0).child("ip"), texts[0], "must be equal to `hostIP`")
    for index, text in enumerate(texts):
        yield from ip(path.index(index), text)
    if len(texts) < 2:
        return
    families = [family(text) for text in texts]
    wrong = len(texts) > 2 or "" in families or len(set(families)) < 2
    shown = [{"IP": text} for text in texts]
    too_many = fields.invalid(path, shown, "may specify no more than one IP for each IP family")
    if wrong and not is_host:
        yield too_many
    seen: set[str] = set()
    for index, text in enumerate(texts):
        if text in seen:
            yield fields.duplicate(path.index(index), {"IP": text})
        seen.add(text)
    if wrong and is_host:
        yield too_many


def _users(field: str, found: list[Object] | tuple[()], system: str) -> Errors:
    for index, status in enumerate(found):
        user = (status.get("user") or {}).get("linux")
        if user is None:
            continue
        at = _STATUS.child(field).index(index).child("linux")
        if system == "windows":
            yield fields.forbidden(at, "cannot be set for a windows pod")
            continue
        for name, rule in (("uid", names.user_id), ("gid", names.group_id)):
            for message in rule(user.get(name) or 0):
                yield fields.invalid(at.child(name), user.get(name) or 0, message)
        for position, group in enumerate(user.get("supplementalGroups") or ()):
            for message in names.group_id(group):
                yield fields.invalid(at.child("supplementalGroups").index(position), group, message)


def _allocated(field: str, found: list[Object] | tuple[()], declared: list[Object] | tuple[()] | None) -> Errors:
    """Check the health of devices; `declared` is None where containers have none."""
    for index, status in enumerate(found):
        allocated = status.get("allocatedResourcesStatus") or ()
        path = _STATUS.child(field).index(index).child("allocatedResourcesStatus")
        if declared is None:
            if allocated:
                yield fields.forbidden(path, "must not be specified in container status")
            continue
        container = next((one for one in declared if one.get("name") == status.get("name")), None)
        for position, resource in enumerate(allocated):
            at, name = path.index(position), resource.get("name") or ""
            if container is not None:
                yield from _declared(at.child("name"), name, container.get("resources") or {})
            seen: set[str] = set()
            for number, one in enumerate(resource.get("resources") or ()):
                where, health = at.child("resources").index(number), one.get("health") or ""
                if health not in _HEALTH:
                    yield fields.not_supported(where.child("health"), health, _HEALTH)
                if one.get("resourceID") in seen:
                    yield fields.duplicate(where.child("resourceID"), one.get("resourceID"))
                seen.add(one.get("resourceID") or "")


def _declared(path: Path, name: str, resources: Object) -> Errors:
    if name.startswith("claim:"):
        if name not in _claim_names(resources):
            text = (
                "must match one of the container's resource claims in a format 'claim:<claimName>/<request>' "
                "or 'claim:<claimName>' if request is empty"
            )
            yield fields.invalid(path, name, text)
    elif name not in (resources.get("requests") or {}):
        yield fields.invalid(path, name, "must match one of the container's resource requests")


def _claim_names(resources: Object) -> Iterator[str]:
    for claim in resources.get("claims") or ():
        request = claim.get("request")
        yield f"claim:{claim.get('name')}/{request}" if request else f"claim:{claim.get('name')}"
