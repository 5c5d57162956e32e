"""Horizontal pod autoscalers between v1 and v2 (pkg/apis/autoscaling/v1/conversion.go, pkg/apis/autoscaling).

v1 knows one metric, the share of the requested cpu. The others, their current values, conditions and the behaviour
travel in annotations as JSON, in the form of v1.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import orjson

Object = dict[str, Any]

_PREFIX = "autoscaling.alpha.kubernetes.io/"
METRICS = _PREFIX + "metrics"
CURRENT_METRICS = _PREFIX + "current-metrics"
CONDITIONS = _PREFIX + "conditions"
BEHAVIOR = _PREFIX + "behavior"
_ANNOTATIONS = (METRICS, CURRENT_METRICS, CONDITIONS, BEHAVIOR)

_SOURCES: Mapping[str, str] = {
    "Object": "object",
    "Pods": "pods",
    "Resource": "resource",
    "External": "external",
    "ContainerResource": "containerResource",
}


def convert(obj: Object, api_version: str) -> Object:
    """Return an autoscaler in its other version."""
    return _to_v1(obj) if api_version == "autoscaling/v1" else _to_v2(obj)


def _is_cpu(metric: Object, side: str) -> bool:
    resource = metric.get("resource") or {}
    value = (resource.get(side) or {}).get("averageUtilization")
    return metric.get("type") == "Resource" and resource.get("name") == "cpu" and value is not None


def _to_v1(obj: Object) -> Object:
    spec, status = dict(obj.get("spec") or {}), dict(obj.get("status") or {})
    annotations: Object = {}
    behavior = spec.pop("behavior", None)
    if behavior is not None:
        annotations[BEHAVIOR] = _dump(behavior)
    target, others = _split(spec.pop("metrics", None) or (), "target")
    if target is not None:
        spec["targetCPUUtilizationPercentage"] = target
    if others:
        annotations[METRICS] = _dump([_rename(metric, _spec_to_v1) for metric in others])
    current = status.pop("currentMetrics", None) or ()
    share, _ = _split(current, "current")
    if share is not None:
        status["currentCPUUtilizationPercentage"] = share
    if current:
        annotations[CURRENT_METRICS] = _dump([_rename(metric, _status_to_v1) for metric in current])
    conditions = status.pop("conditions", None)
    if conditions:
        annotations[CONDITIONS] = _dump(conditions)
    status.setdefault("currentReplicas", 0)
    status.setdefault("desiredReplicas", 0)
    return _assemble(obj, "autoscaling/v1", annotations, spec, status)


def _to_v2(obj: Object) -> Object:
    spec, status = dict(obj.get("spec") or {}), dict(obj.get("status") or {})
    carried = (obj.get("metadata") or {}).get("annotations") or {}
    metrics: list[Object] = []
    target = spec.pop("targetCPUUtilizationPercentage", None)
    if target is not None:
        wanted = {"type": "Utilization", "averageUtilization": target}
        metrics.append({"type": "Resource", "resource": {"name": "cpu", "target": wanted}})
    metrics.extend(_rename(metric, _spec_to_v2) for metric in _load(carried, METRICS, list))
    if metrics:
        spec["metrics"] = metrics
    share = status.pop("currentCPUUtilizationPercentage", None)
    current = [_rename(metric, _status_to_v2) for metric in _load(carried, CURRENT_METRICS, list)]
    if share is not None and not current:
        current.append({"type": "Resource", "resource": {"name": "cpu", "current": {"averageUtilization": share}}})
    if current:
        status["currentMetrics"] = current
    conditions = _load(carried, CONDITIONS, list)
    if conditions:
        status["conditions"] = conditions
    behavior = _load(carried, BEHAVIOR, dict)
    if behavior:
        spec["behavior"] = behavior
    status.setdefault("desiredReplicas", 0)
    status.setdefault("currentMetrics", None)
    return _assemble(obj, "autoscaling/v2", {}, spec, status)


def _split(metrics: Sequence[Object], side: str) -> tuple[int | None, list[Object]]:
    """Return the share of cpu that v1 has a field for, and all other metrics."""
    share: int | None = None
    others: list[Object] = []
    for metric in metrics:
        if share is None and _is_cpu(metric, side):
            share = metric["resource"][side]["averageUtilization"]
        else:
            others.append(metric)
    return share, others


def _assemble(obj: Object, api_version: str, annotations: Object, spec: Object, status: Object) -> Object:
    metadata = dict(obj.get("metadata") or {})
    kept = {key: value for key, value in (metadata.get("annotations") or {}).items() if key not in _ANNOTATIONS}
    if kept or annotations:
        metadata["annotations"] = {**kept, **annotations}
    else:
        metadata.pop("annotations", None)
    return {**obj, "apiVersion": api_version, "metadata": metadata, "spec": spec, "status": status}


def _dump(value: Any) -> str:
    return orjson.dumps(value).decode()


def _load(annotations: Mapping[str, str], key: str, kind: type) -> Any:
    """Return what an annotation carries; nothing where it is not what it should be, as in kube-apiserver."""
    try:
        found = orjson.loads(annotations.get(key) or "null")
    except ValueError:
        found = None
    return found if isinstance(found, kind) else kind()


def _rename(metric: Object, rename: Callable[[str, Object], Object]) -> Object:
    """Return a metric with its source in the other version's words."""
    source = _SOURCES.get(metric.get("type") or "")
    inner = metric.get(source) if source else None
    return {**metric, source: rename(source, inner)} if source and isinstance(inner, dict) else metric


# v2's words and those of v1, by source: the metric itself, whose it is, and the values wanted or found
def _identity_to_v1(source: str, inner: Object) -> Object:
    found: Object = {key: inner[key] for key in ("name", "container") if key in inner}
    metric = inner.get("metric") or {}
    if metric:
        found["metricName"] = metric.get("name", "")
        if metric.get("selector") is not None:
            found["metricSelector" if source == "external" else "selector"] = metric["selector"]
    if "describedObject" in inner:
        found["target"] = inner["describedObject"]
    return found


def _identity_to_v2(source: str, inner: Object) -> Object:
    found: Object = {key: inner[key] for key in ("name", "container") if key in inner}
    if "metricName" in inner:
        metric: Object = {"name": inner["metricName"]}
        selector = inner.get("metricSelector" if source == "external" else "selector")
        if selector is not None:
            metric["selector"] = selector
        found["metric"] = metric
    if source == "object" and "target" in inner:
        found["describedObject"] = inner["target"]
    return found


_TARGETS: Mapping[str, Mapping[str, str]] = {
    "object": {"value": "targetValue", "averageValue": "averageValue"},
    "pods": {"averageValue": "targetAverageValue"},
    "resource": {"averageUtilization": "targetAverageUtilization", "averageValue": "targetAverageValue"},
    "containerResource": {"averageUtilization": "targetAverageUtilization", "averageValue": "targetAverageValue"},
    "external": {"value": "targetValue", "averageValue": "targetAverageValue"},
}
_CURRENT: Mapping[str, Mapping[str, str]] = {
    "object": {"value": "currentValue", "averageValue": "averageValue"},
    "pods": {"averageValue": "currentAverageValue"},
    "resource": {"averageUtilization": "currentAverageUtilization", "averageValue": "currentAverageValue"},
    "containerResource": {"averageUtilization": "currentAverageUtilization", "averageValue": "currentAverageValue"},
    "external": {"value": "currentValue", "averageValue": "currentAverageValue"},
}
_TARGET_TYPES: Mapping[str, str] = {
    "averageUtilization": "Utilization",
    "averageValue": "AverageValue",
    "value": "Value",
}


def _values(inner: Object, names: Mapping[str, str]) -> Object:
    return {new: inner[old] for new, old in names.items() if inner.get(old) is not None}


def _spec_to_v1(source: str, inner: Object) -> Object:
    target = inner.get("target") or {}
    found = {old: target[new] for new, old in _TARGETS[source].items() if target.get(new) is not None}
    if source == "object":
        found.setdefault("targetValue", "0")
    return {**_identity_to_v1(source, inner), **found}


def _spec_to_v2(source: str, inner: Object) -> Object:
    values = _values(inner, _TARGETS[source])
    if source == "object" and "averageValue" in values:
        values.pop("value", None)
    kind = next((_TARGET_TYPES[name] for name in _TARGET_TYPES if name in values), "")
    return {**_identity_to_v2(source, inner), "target": {"type": kind, **values}}


def _status_to_v1(source: str, inner: Object) -> Object:
    current = inner.get("current") or {}
    found = {old: current[new] for new, old in _CURRENT[source].items() if current.get(new) is not None}
    if source == "object":
        found.setdefault("currentValue", "0")
    return {**_identity_to_v1(source, inner), **found}


def _status_to_v2(source: str, inner: Object) -> Object:
    return {**_identity_to_v2(source, inner), "current": _values(inner, _CURRENT[source])}
