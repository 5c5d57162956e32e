"""What may be written to horizontal pod autoscalers, in their stored form (v2).

Facts: pkg/apis/autoscaling/validation/validation.go.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kubehop.kinds.validation import Errors
from kubehop.kinds.validation_quantities import amount, container_resource_name, not_negative_quantity
from kubehop.kinds.validation_values import label, required_name
from kubehop.kinds.workload_rules import SPEC, STATUS, not_negative
from kubehop.machinery import fields, names
from kubehop.machinery.fields import Path

Object = dict[str, Any]

_MAX_PERIOD = 1800
_MAX_WINDOW = 3600
_TYPES = ("ContainerResource", "External", "Object", "Pods", "Resource")
_TARGETS = ("Utilization", "Value", "AverageValue")
_SELECT = ("Disabled", "Max", "Min")
_POLICIES = ("Percent", "Pods")
_INFORMATION = "must populate information for the given metric source"
_RAW_OR_UTILIZATION = "must set either a target raw value or a target utilization"


def autoscaler(obj: Object) -> Errors:
    """Check an autoscaler (validateHorizontalPodAutoscalerSpec)."""
    spec = obj.get("spec") or {}
    least, most = spec.get("minReplicas"), spec.get("maxReplicas") or 0
    if least is not None and least < 1:
        yield fields.invalid(SPEC.child("minReplicas"), least, "must be greater than or equal to 1")
    if most < 1:
        yield fields.invalid(SPEC.child("maxReplicas"), most, "must be greater than 0")
    if least is not None and most < least:
        yield fields.invalid(SPEC.child("maxReplicas"), most, "must be greater than or equal to `minReplicas`")
    yield from _object(SPEC.child("scaleTargetRef"), spec.get("scaleTargetRef") or {})
    metrics = spec.get("metrics") or ()
    for index, metric in enumerate(metrics):
        yield from _metric(SPEC.child("metrics").index(index), metric)
    if least == 0 and not any(metric.get("type") in ("Object", "External") for metric in metrics):
        text = "must specify at least one Object or External metric to support scaling to zero replicas"
        yield fields.forbidden(SPEC.child("metrics"), text)
    behavior = spec.get("behavior") or {}
    for name in ("scaleUp", "scaleDown"):
        if (rules := behavior.get(name)) is not None:
            yield from _rules(SPEC.child("behavior", name), rules)


def _object(path: Path, reference: Object) -> Errors:
    for name in ("kind", "name"):
        yield from required_name(path.child(name), reference.get(name), names.path_segment_name)


def _rules(path: Path, rules: Object) -> Errors:
    window = rules.get("stabilizationWindowSeconds")
    if window is not None and window < 0:
        text = "must be greater than or equal to zero"
        yield fields.invalid(path.child("stabilizationWindowSeconds"), window, text)
    if window is not None and window > _MAX_WINDOW:
        text = f"must be less than or equal to {_MAX_WINDOW}"
        yield fields.invalid(path.child("stabilizationWindowSeconds"), window, text)
    select = rules.get("selectPolicy")
    if select is not None and select not in _SELECT:
        yield fields.not_supported(path.child("selectPolicy"), select, _SELECT)
    if not rules.get("policies"):
        yield fields.required(path.child("policies"), "must specify at least one Policy")
    for index, policy in enumerate(rules.get("policies") or ()):
        yield from _policy(path.child("policies").index(index), policy)
    if rules.get("tolerance") is not None:
        yield from not_negative_quantity(path.child("tolerance"), rules["tolerance"])


def _policy(path: Path, policy: Object) -> Errors:
    kind, value, period = policy.get("type") or "", policy.get("value") or 0, policy.get("periodSeconds") or 0
    if kind not in _POLICIES:
        yield fields.not_supported(path.child("type"), kind, _POLICIES)
    if value <= 0:
        yield fields.invalid(path.child("value"), value, "must be greater than zero")
    if period <= 0:
        yield fields.invalid(path.child("periodSeconds"), period, "must be greater than zero")
    if period > _MAX_PERIOD:
        yield fields.invalid(path.child("periodSeconds"), period, f"must be less than or equal to {_MAX_PERIOD}")


def _metric(path: Path, metric: Object) -> Errors:
    kind = metric.get("type") or ""
    if not kind:
        yield fields.required(path.child("type"), "must specify a metric source type")
    if kind not in _TYPES:
        yield fields.not_supported(path.child("type"), kind, _TYPES)
    given = [name for name in _SOURCES if metric.get(name) is not None]
    if given:
        yield from _SOURCES[given[0]](path.child(given[0]), metric[given[0]])
    expected = f"{kind[:1].lower()}{kind[1:]}"
    if kind not in _TYPES:
        yield fields.not_supported(path.child("type"), kind, _TYPES)
        expected = ""
    elif expected not in given:
        yield fields.required(path.child(expected), _INFORMATION)
    if len(given) != 1:
        for name in given:
            if name != expected:
                yield fields.forbidden(path.child(name), "must populate the given metric source only")


def _target(path: Path, target: Object) -> Errors:
    kind = target.get("type") or ""
    if not kind:
        yield fields.required(path.child("type"), "must specify a metric target type")
    if kind not in _TARGETS:
        text = "must be either Utilization, Value, or AverageValue"
        yield fields.invalid(path.child("type"), kind, text)
    for name in ("value", "averageValue"):
        value = target.get(name)
        if value is not None and amount(value).sign <= 0:
            yield fields.invalid(path.child(name), str(value), "must be positive")
    utilization = target.get("averageUtilization")
    if utilization is not None and utilization < 1:
        yield fields.invalid(path.child("averageUtilization"), utilization, "must be greater than 0")


def _identifier(path: Path, metric: Object) -> Errors:
    text = "must specify a metric name"
    return required_name(path.child("name"), metric.get("name"), names.path_segment_name, text)


def _of_object(path: Path, source: Object) -> Errors:
    target = source.get("target") or {}
    yield from _object(path.child("describedObject"), source.get("describedObject") or {})
    yield from _identifier(path.child("metric"), source.get("metric") or {})
    yield from _target(path.child("target"), target)
    if target.get("value") is None and target.get("averageValue") is None:
        yield fields.required(path.child("target", "averageValue"), "must set either a target value or averageValue")


def _external(path: Path, source: Object) -> Errors:
    target = source.get("target") or {}
    value, average = target.get("value"), target.get("averageValue")
    yield from _identifier(path.child("metric"), source.get("metric") or {})
    yield from _target(path.child("target"), target)
    if value is None and average is None:
        text = "must set either a target value for metric or a per-pod target"
        yield fields.required(path.child("target", "averageValue"), text)
    if value is not None and average is not None:
        text = "may not set both a target value for metric and a per-pod target"
        yield fields.forbidden(path.child("target", "value"), text)


def _of_pods(path: Path, source: Object) -> Errors:
    target = source.get("target") or {}
    yield from _identifier(path.child("metric"), source.get("metric") or {})
    yield from _target(path.child("target"), target)
    if target.get("averageValue") is None:
        text = "must specify a positive target averageValue"
        yield fields.required(path.child("target", "averageValue"), text)


def _resource(path: Path, source: Object) -> Errors:
    if not source.get("name"):
        yield fields.required(path.child("name"), "must specify a resource name")
    yield from _used(path.child("target"), source.get("target") or {})


def _container_resource(path: Path, source: Object) -> Errors:
    if not source.get("name"):
        yield fields.required(path.child("name"), "must specify a resource name")
    else:
        yield from container_resource_name(path.child("name"), source["name"])
    if not source.get("container"):
        yield fields.required(path.child("container"), "must specify a container")
    else:
        yield from label(path.child("container"), source["container"])
    yield from _used(path.child("target"), source.get("target") or {})


def _used(path: Path, target: Object) -> Errors:
    """Want a target for what containers use: an amount, or a share of what they request."""
    utilization, average = target.get("averageUtilization"), target.get("averageValue")
    yield from _target(path, target)
    if utilization is None and average is None:
        yield fields.required(path.child("averageUtilization"), _RAW_OR_UTILIZATION)
    if utilization is not None and average is not None:
        text = "may not set both a target raw value and a target utilization"
        yield fields.forbidden(path.child("averageValue"), text)


_SOURCES: dict[str, Callable[[Path, Object], Errors]] = {
    "object": _of_object,
    "external": _external,
    "pods": _of_pods,
    "resource": _resource,
    "containerResource": _container_resource,
}


def autoscaler_status(new: Object) -> Errors:
    """Check an autoscaler's status."""
    yield from not_negative(STATUS, new.get("status") or {}, "currentReplicas", "desiredReplicas")
