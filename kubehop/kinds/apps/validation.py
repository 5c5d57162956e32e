"""What may be written to the kinds of the group apps. Facts: pkg/apis/apps/validation/validation.go."""

from __future__ import annotations

from typing import Any

from kubehop.kinds.core.pod_validation import specs
from kubehop.kinds.validation import Errors
from kubehop.kinds.validation_values import exactly_what, label, label_selector
from kubehop.kinds.validation_values import not_negative as zero_or_more
from kubehop.kinds.workload_rules import (
    SPEC,
    STATUS,
    as_number,
    at_most_all,
    collisions,
    counts,
    for_ever,
    not_negative,
    number_or_percent,
    readable,
    selected,
    selector,
    template,
)
from kubehop.machinery import fields
from kubehop.machinery.fields import Path

Object = dict[str, Any]

_TEMPLATE = SPEC.child("template")
_READY = "cannot be greater than readyReplicas"
_RETENTION = ("Retain", "Delete")


def deployment(obj: Object) -> Errors:
    """Check a deployment (ValidateDeploymentSpec)."""
    spec = obj.get("spec") or {}
    yield from not_negative(SPEC, spec, "replicas")
    yield from selector(spec, "deployment")
    yield from _selected_template(spec, "ReplicaSet", "invalid label selector")
    yield from _deployment_strategy(SPEC.child("strategy"), spec.get("strategy") or {})
    yield from not_negative(SPEC, spec, "minReadySeconds", "revisionHistoryLimit")
    deadline = spec.get("progressDeadlineSeconds")
    if deadline is not None:
        yield from not_negative(SPEC, spec, "progressDeadlineSeconds")
        if deadline <= (spec.get("minReadySeconds") or 0):
            text = "must be greater than minReadySeconds"
            yield fields.invalid(SPEC.child("progressDeadlineSeconds"), deadline, text)


def _selected_template(spec: Object, owner: str, unreadable: str) -> Errors:
    if not readable(spec.get("selector")):
        yield fields.invalid(SPEC.child("selector"), spec.get("selector"), unreadable)
        return
    found = spec.get("selector")
    if found is None or found.get("matchLabels") or found.get("matchExpressions"):
        yield from selected(spec)
    yield from template(_TEMPLATE, spec.get("template"), owner)


def _strategy_as_go(strategy: Object) -> Object:
    whole = exactly_what(strategy, ("type", "rollingUpdate"))
    if whole["RollingUpdate"] is not None:
        whole["RollingUpdate"] = exactly_what(whole["RollingUpdate"], ("maxUnavailable", "maxSurge"))
    return whole


def _deployment_strategy(path: Path, strategy: Object) -> Errors:
    kind, rolling = strategy.get("type") or "", strategy.get("rollingUpdate")
    at = path.child("rollingUpdate")
    if kind == "Recreate":
        if rolling is not None:
            yield fields.forbidden(at, "may not be specified when strategy `type` is 'Recreate'")
    elif kind != "RollingUpdate":
        yield fields.not_supported(path, _strategy_as_go(strategy), ("Recreate", "RollingUpdate"))
    elif rolling is None:
        yield fields.required(at, "this should be defaulted and never be nil")
    else:
        missing, extra = rolling.get("maxUnavailable"), rolling.get("maxSurge")
        yield from number_or_percent(at.child("maxUnavailable"), missing)
        yield from number_or_percent(at.child("maxSurge"), extra)
        if as_number(missing) == 0 and as_number(extra) == 0:
            text = "may not be 0 when `maxSurge` is 0"
            yield fields.invalid(at.child("maxUnavailable"), missing or 0, text)
        yield from at_most_all(at.child("maxUnavailable"), missing)


def deployment_status(new: Object, old: Object) -> Errors:
    """Check a deployment's status (ValidateDeploymentStatusUpdate)."""
    wanted = (
        "observedGeneration", "replicas", "updatedReplicas", "readyReplicas", "availableReplicas",
        "unavailableReplicas", "collisionCount",
    )  # fmt: skip
    within = ("updatedReplicas", "readyReplicas", "availableReplicas")
    yield from counts(new.get("status") or {}, wanted, within, _READY)
    yield from collisions(new, old)


def replica_set(obj: Object) -> Errors:
    """Check a replica set (ValidateReplicaSetSpec)."""
    spec = obj.get("spec") or {}
    yield from not_negative(SPEC, spec, "replicas", "minReadySeconds")
    yield from selector(spec, "deployment")
    yield from _selected_template(spec, "ReplicaSet", "invalid label selector")


def replica_status(new: Object) -> Errors:
    """Check the status of a replica set or replication controller (ValidateReplicaSetStatus)."""
    wanted = ("replicas", "fullyLabeledReplicas", "readyReplicas", "availableReplicas", "observedGeneration")
    yield from counts(new.get("status") or {}, wanted, wanted[1:4], _READY)


def daemon_set(obj: Object) -> Errors:
    """Check a daemon set (ValidateDaemonSetSpec)."""
    spec = obj.get("spec") or {}
    found = spec.get("selector")
    yield from label_selector(SPEC.child("selector"), found)
    if readable(found):
        yield from selected(spec)
    if found is not None and not found.get("matchLabels") and not found.get("matchExpressions"):
        yield fields.invalid(SPEC.child("selector"), found, "empty selector is invalid for daemonset")
    yield from template(_TEMPLATE, spec.get("template"), "DaemonSet")
    yield from not_negative(SPEC, spec, "minReadySeconds")
    yield from _daemon_set_strategy(SPEC.child("updateStrategy"), spec.get("updateStrategy") or {})
    yield from not_negative(SPEC, spec, "revisionHistoryLimit")


def _daemon_set_strategy(path: Path, strategy: Object) -> Errors:
    kind, rolling = strategy.get("type") or "", strategy.get("rollingUpdate")
    if kind == "OnDelete":
        return
    if kind != "RollingUpdate":
        yield fields.not_supported(path, _strategy_as_go(strategy), ("RollingUpdate", "OnDelete"))
        return
    at = path.child("rollingUpdate")
    if rolling is None:
        yield fields.required(at)
        return
    missing, extra = rolling.get("maxUnavailable"), rolling.get("maxSurge")
    for check in (number_or_percent, at_most_all):
        yield from check(at.child("maxUnavailable"), missing)
        yield from check(at.child("maxSurge"), extra)
    if as_number(missing) and as_number(extra):
        yield fields.invalid(at.child("maxSurge"), extra, "may not be set when maxUnavailable is non-zero")
    elif not as_number(missing) and not as_number(extra):
        yield fields.required(at.child("maxUnavailable"), "cannot be 0 when maxSurge is 0")


def daemon_set_status(new: Object, old: Object) -> Errors:
    """Check a daemon set's status (ValidateDaemonSetStatusUpdate)."""
    wanted = (
        "currentNumberScheduled", "numberMisscheduled", "desiredNumberScheduled", "numberReady", "observedGeneration",
        "updatedNumberScheduled", "numberAvailable", "numberUnavailable", "collisionCount",
    )  # fmt: skip
    yield from not_negative(STATUS, new.get("status") or {}, *wanted)
    yield from collisions(new, old)


def stateful_set(obj: Object) -> Errors:
    """Check a stateful set (ValidateStatefulSetSpec)."""
    spec = obj.get("spec") or {}
    policy = spec.get("podManagementPolicy") or ""
    if not policy:
        yield fields.required(SPEC.child("podManagementPolicy"))
    elif policy not in ("OrderedReady", "Parallel"):
        text = "must be 'OrderedReady' or 'Parallel'"
        yield fields.invalid(SPEC.child("podManagementPolicy"), policy, text)
    yield from _stateful_set_strategy(SPEC.child("updateStrategy"), spec.get("updateStrategy") or {})
    retention = spec.get("persistentVolumeClaimRetentionPolicy")
    if retention is not None:
        for name in ("whenDeleted", "whenScaled"):
            if (retention.get(name) or "") not in _RETENTION:
                at = SPEC.child("persistentVolumeClaimRetentionPolicy", name)
                yield fields.not_supported(at, retention.get(name) or "", _RETENTION)
    yield from not_negative(SPEC, spec, "replicas", "minReadySeconds")
    yield from not_negative(SPEC.child("ordinals"), spec.get("ordinals") or {}, "start")
    if spec.get("serviceName"):
        yield from label(SPEC.child("serviceName"), spec["serviceName"])
    yield from selector(spec, "statefulset")
    if not readable(spec.get("selector")):
        yield fields.invalid(SPEC.child("selector"), spec.get("selector"), "")
    else:
        found = spec.get("selector")
        if found is None or found.get("matchLabels") or found.get("matchExpressions"):
            yield from selected(spec)
        yield from specs.template(_TEMPLATE, _with_claims(spec))
    yield from for_ever(_TEMPLATE, spec.get("template"), "StatefulSet")


def _with_claims(spec: Object) -> Object:
    """Return the template with a volume for every claim, as its pods will have."""
    found: Object = spec.get("template") or {}
    claims = [claim["metadata"]["name"] for claim in spec.get("volumeClaimTemplates") or () if _name(claim)]
    if not claims:
        return found
    pod = found.get("spec") or {}
    kept = [volume for volume in pod.get("volumes") or () if volume.get("name") not in claims]
    made = [{"name": name, "persistentVolumeClaim": {"claimName": name}} for name in dict.fromkeys(claims)]
    return {**found, "spec": {**pod, "volumes": [*kept, *made]}}


def _name(claim: Object) -> str:
    return (claim.get("metadata") or {}).get("name") or ""


def _stateful_set_strategy(path: Path, strategy: Object) -> Errors:
    kind, rolling = strategy.get("type") or "", strategy.get("rollingUpdate")
    at = path.child("rollingUpdate")
    shown = None
    if rolling is not None:
        shown = {"Partition": rolling.get("partition") or 0, "MaxUnavailable": rolling.get("maxUnavailable")}
    if not kind:
        yield fields.required(path)
    elif kind == "OnDelete":
        if rolling is not None:
            yield fields.invalid(at, shown, "only allowed for updateStrategy 'RollingUpdate'")
    elif kind != "RollingUpdate":
        whole = {"Type": kind, "RollingUpdate": shown}
        yield fields.invalid(path, whole, "must be 'RollingUpdate' or 'OnDelete'")
    elif rolling is not None:
        yield from not_negative(at, rolling, "partition")
        missing = rolling.get("maxUnavailable")
        if missing is not None:
            yield from number_or_percent(at.child("maxUnavailable"), missing)
            if as_number(missing) == 0:
                yield fields.invalid(at.child("maxUnavailable"), missing, "cannot be 0")
            yield from at_most_all(at.child("maxUnavailable"), missing)


def stateful_set_status(new: Object, old: Object) -> Errors:
    """Check a stateful set's status (ValidateStatefulSetStatusUpdate)."""
    wanted = (
        "replicas", "readyReplicas", "currentReplicas", "updatedReplicas", "availableReplicas", "observedGeneration",
        "collisionCount",
    )  # fmt: skip
    yield from counts(new.get("status") or {}, wanted, wanted[1:5], "cannot be greater than status.readyReplicas")
    yield from collisions(new, old)


def revision(obj: Object) -> Errors:
    """Check a controller revision (ValidateControllerRevision)."""
    yield from zero_or_more(Path("revision"), obj.get("revision"))
    if obj.get("data") is None:
        yield fields.required(Path("data"), "data is mandatory")
