"""What may change in a pod: little by PUT and PATCH, containers to debug and resources by subresources of their own.

Facts: ValidatePodUpdate, ValidatePodEphemeralContainersUpdate, ValidatePodResize.
"""

from __future__ import annotations

from typing import Any

from kubehop.kinds.core.pod_validation import containers, legacy_annotations, scheduling, specs
from kubehop.kinds.core.pod_validation.specs import ANNOTATIONS, SPEC
from kubehop.kinds.core.qos import qos_class
from kubehop.kinds.validation import Errors
from kubehop.machinery import fields, gotext
from kubehop.machinery.fields import Path

Object = dict[str, Any]

_CONTAINERS = ("containers", "initContainers")
_MAX_INT32 = (1 << 31) - 1
_REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"
_FIXED = (
    "pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,"
    "`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),"
    "`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)\n"
)
_RESIZABLE = ("cpu", "memory")
_WHOLE = Path("")


def update(new: Object, old: Object) -> Errors:
    """Check a change of a pod, after the new pod itself."""
    after, before = new.get("spec") or {}, old.get("spec") or {}
    yield from changed_annotations(new, old)
    for field in _CONTAINERS:
        current = after.get(field) or []
        if len(current) != len(before.get(field) or ()):
            yield fields.forbidden(SPEC.child(field), "pod updates may not add or remove containers")
            return
        for index, container in enumerate(current):
            if not container.get("image"):
                yield fields.required(SPEC.child(field).index(index).child("image"))
            yield from containers.image_space(SPEC.child(field).index(index), container)
    errors = list(_deadline(after.get("activeDeadlineSeconds"), before.get("activeDeadlineSeconds")))
    yield from errors
    if errors and after.get("activeDeadlineSeconds") is not None:
        return
    yield from _tolerations(after.get("tolerations") or [], before.get("tolerations") or [])
    yield from _gates(after.get("schedulingGates") or [], before.get("schedulingGates") or [])
    if after == before:
        return
    kept = _with_mutable_fields(after, before)
    if before.get("schedulingGates"):
        yield from _gated(kept, before)
    if kept != before:
        changes = ", ".join(sorted(key for key in kept.keys() | before.keys() if kept.get(key) != before.get(key)))
        yield fields.forbidden(SPEC, f"{_FIXED}changed: {changes}\n")


def changed_annotations(new: Object, old: Object) -> Errors:
    """Check changed annotations that stand for fields."""
    noted = (new.get("metadata") or {}).get("annotations") or {}
    yield from legacy_annotations.changed(ANNOTATIONS, noted, (old.get("metadata") or {}).get("annotations") or {})
    yield from legacy_annotations.of_pod(ANNOTATIONS, noted, new.get("spec") or {})


def _deadline(after: int | None, before: int | None) -> Errors:
    path = SPEC.child("activeDeadlineSeconds")
    if after is None:
        if before is not None:
            yield fields.invalid(path, None, "must not update from a positive integer to nil value")
    elif not 0 <= after <= _MAX_INT32:
        yield fields.invalid(path, after, f"must be between 0 and {_MAX_INT32}, inclusive")
    elif before is not None and before < after:
        yield fields.invalid(path, after, "must be less than or equal to previous value")


def _tolerations(after: list[Object], before: list[Object]) -> Errors:
    """Let tolerations be added, and their time be changed (validateOnlyAddedTolerations)."""
    path = SPEC.child("tolerations")

    def without_time(toleration: Object) -> Object:
        return {key: value for key, value in toleration.items() if key != "tolerationSeconds"}

    kept = [without_time(toleration) for toleration in after]
    if any(without_time(toleration) not in kept for toleration in before):
        yield fields.forbidden(path, "existing toleration can not be modified except its tolerationSeconds")
    else:
        yield from scheduling.tolerations(path, after)


def _gates(after: list[Object], before: list[Object]) -> Errors:
    known = {gate.get("name") for gate in before}
    for index, gate in enumerate(after):
        if gate.get("name") not in known:
            text = f"only deletion is allowed, but found new scheduling gate '{gate.get('name') or ''}'"
            yield fields.forbidden(SPEC.child("schedulingGates").index(index).child("name"), text)


def _with_mutable_fields(after: Object, before: Object) -> Object:
    """Return the new spec with what may change as it was."""
    kept = dict(after)
    for field in ("activeDeadlineSeconds", "tolerations", "schedulingGates"):
        _take(kept, before, field)
    for field in _CONTAINERS:
        if kept.get(field):
            kept[field] = [
                {**container, "image": was.get("image")}
                for container, was in zip(kept[field], before[field], strict=True)
            ]
    if (before.get("terminationGracePeriodSeconds") or 0) < 0 and kept.get("terminationGracePeriodSeconds") == 1:
        _take(kept, before, "terminationGracePeriodSeconds")
    return kept


def _take(kept: Object, before: Object, field: str) -> None:
    if field in before:
        kept[field] = before[field]
    else:
        kept.pop(field, None)


def _gated(kept: Object, before: Object) -> Errors:
    """Let a pod that waits be narrowed to fewer nodes. Changes the spec that is kept."""
    selector, was = kept.get("nodeSelector") or {}, before.get("nodeSelector") or {}
    if selector != was:
        if any(selector.get(key) != value for key, value in was.items()):
            text = "only additions to spec.nodeSelector are allowed (no mutations or deletions)"
            yield fields.invalid(SPEC.child("nodeSelector"), selector or None, text)
        _take(kept, before, "nodeSelector")
    affinity, former = kept.get("affinity") or {}, before.get("affinity") or {}
    if affinity.get("nodeAffinity") != former.get("nodeAffinity"):
        yield from _narrowed(affinity.get("nodeAffinity") or {}, former.get("nodeAffinity") or {})
        merged = dict(affinity)
        _take(merged, former, "nodeAffinity")
        if merged or "affinity" in before:
            kept["affinity"] = merged
        else:
            kept.pop("affinity", None)


def _narrowed(after: Object, before: Object) -> Errors:
    """Let terms get further requirements only (validateNodeAffinityMutation)."""
    former = (before.get(_REQUIRED) or {}).get("nodeSelectorTerms") or []
    current = (after.get(_REQUIRED) or {}).get("nodeSelectorTerms") or []
    path = SPEC.child("affinity", "nodeAffinity", _REQUIRED, "nodeSelectorTerms")
    if not former:
        return
    if len(former) != len(current):
        text = "no additions/deletions to non-empty NodeSelectorTerms list are allowed"
        yield fields.invalid(path, current or None, text)
        return
    for index, (new, old) in enumerate(zip(current, former, strict=True)):
        if not _only_added(new, old):
            yield fields.invalid(path.index(index), new, "only additions are allowed (no mutations or deletions)")


def _only_added(new: Object, old: Object) -> bool:
    names = ("matchExpressions", "matchFields")
    if not any(old.get(name) for name in names):
        return not any(new.get(name) for name in names)
    return all((new.get(name) or [])[: len(old.get(name) or ())] == (old.get(name) or []) for name in names)


def debugging(new: Object, old: Object) -> Errors:
    """Check that containers to debug are added only (ValidatePodEphemeralContainersUpdate)."""
    if legacy_annotations.MIRROR in ((old.get("metadata") or {}).get("annotations") or {}):
        yield fields.forbidden(_WHOLE, "static pods do not support ephemeral containers")
        return
    yield from specs.pod(new)
    yield from changed_annotations(new, old)
    current = {one.get("name"): one for one in (new.get("spec") or {}).get("ephemeralContainers") or ()}
    path = SPEC.child("ephemeralContainers")
    for container in (old.get("spec") or {}).get("ephemeralContainers") or ():
        name = gotext.quote(container.get("name") or "")
        found = current.get(container.get("name"))
        if found is None:
            yield fields.forbidden(path, f"existing ephemeral containers {name} may not be removed\n")
        elif found != container:
            changes = ", ".join(
                sorted(key for key in found.keys() | container.keys() if found.get(key) != container.get(key))
            )
            text = f"existing ephemeral containers {name} may not be changed\nchanged: {changes}\n"
            yield fields.forbidden(path, text)


def resize(new: Object, old: Object) -> Errors:
    """Check that resources change as a running pod can bear (ValidatePodResize)."""
    after, before = new.get("spec") or {}, old.get("spec") or {}
    if legacy_annotations.MIRROR in ((old.get("metadata") or {}).get("annotations") or {}):
        yield fields.forbidden(_WHOLE, "static pods cannot be resized")
        return
    if (before.get("os") or {}).get("name") == "windows":
        yield fields.forbidden(_WHOLE, "windows pods cannot be resized")
        return
    errors = list(specs.pod(new))
    service = (old.get("status") or {}).get("qosClass") or qos_class(old)
    if service != qos_class(new):
        shown = (new.get("status") or {}).get("qosClass") or ""
        errors.append(fields.invalid(SPEC, shown, "Pod QOS Class may not change as a result of resizing"))
    if not _resizable(old):
        errors.append(fields.forbidden(SPEC, "Pod running on node without support for resize"))
    for field in reversed(_CONTAINERS):
        for index, (container, was) in enumerate(zip(after.get(field) or (), before.get(field) or (), strict=False)):
            if field == "containers" or was.get("restartPolicy") == "Always":
                at = SPEC.child(field).index(index).child("resources")
                errors.extend(_removed(at, container.get("resources") or {}, was.get("resources") or {}))
    for field in _CONTAINERS:
        for container, was in zip(after.get(field) or (), before.get(field) or (), strict=False):
            errors.extend(_changed(field, container, was))
    yield from errors


def _resizable(pod: Object) -> bool:
    for status in (pod.get("status") or {}).get("containerStatuses") or ():
        if (status.get("state") or {}).get("running") is not None:
            return status.get("resources") is not None
    return True


def _removed(path: Path, after: Object, before: Object) -> Errors:
    for field in ("requests", "limits"):
        if (before.get(field) or {}).keys() - (after.get(field) or {}).keys():
            yield fields.forbidden(path.child(field), f"resource {field} cannot be removed")


def _changed(field: str, container: Object, was: Object) -> Errors:
    if field == "containers":
        text = "only cpu and memory resources are mutable"
    elif container.get("restartPolicy") == "Always":
        text = "only cpu and memory resources for sidecar containers are mutable"
    else:
        if container != was:
            yield fields.forbidden(SPEC, "resources for non-sidecar init containers are immutable")
        return
    if _without_compute(container) != _without_compute(was):
        yield fields.forbidden(SPEC, text)


def _without_compute(container: Object) -> Object:
    """Return a container without what may be resized."""
    found = container.get("resources") or {}
    kept = {
        field: {name: value for name, value in (found.get(field) or {}).items() if name not in _RESIZABLE}
        for field in ("limits", "requests")
    }
    rest = {key: value for key, value in container.items() if key not in ("resources", "resizePolicy")}
    return {**rest, **kept, "claims": found.get("claims")}
