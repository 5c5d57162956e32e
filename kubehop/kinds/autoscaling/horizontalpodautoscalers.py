"""Horizontal pod autoscalers: how they are printed, from their stored v2 form, and the defaults of both versions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from kubehop.kinds.autoscaling import validation
from kubehop.kinds.defaulting import fill, part, struct
from kubehop.kinds.printing import AGE, NAME, NONE, UNSET, age, at, count, documented, name
from kubehop.kinds.strategy import Strategy
from kubehop.kinds.validation import Errors
from kubehop.machinery.table import UNKNOWN, Printer

Object = dict[str, Any]

_SOURCES = {
    "External": "external",
    "Pods": "pods",
    "Object": "object",
    "Resource": "resource",
    "ContainerResource": "containerResource",
}


def _current(status: Object, source: str, field: str) -> str:
    """Return a metric's current value; one that is there without the field is zero, as a quantity prints."""
    if at(status, source) is None:
        return UNKNOWN
    value = at(status, source, "current", field)
    return "0" if value is None else str(value)


def _utilization(spec: Object, status: Object) -> str:
    current = at(status, "current", "averageUtilization")
    target = at(spec, "target", "averageUtilization")
    return f"{UNKNOWN if current is None else f'{current}%'}/{'<auto>' if target is None else f'{target}%'}"


def _metric(metric: Object, status: Object) -> str:
    source = _SOURCES.get(metric.get("type") or "")
    if source is None:
        return "<unknown type>"
    spec = metric.get(source) or {}
    average = at(spec, "target", "averageValue")
    if source == "pods":
        return f"{_current(status, source, 'averageValue')}/{average or '0'}"
    if source in ("resource", "containerResource"):
        if average is not None:
            return f"{spec.get('name')}: {_current(status, source, 'averageValue')}/{average}"
        return f"{spec.get('name')}: {_utilization(spec, status.get(source) or {})}"
    if average is None:
        return f"{_current(status, source, 'value')}/{at(spec, 'target', 'value') or '0'}"
    current = at(status, source, "current", "averageValue")
    return f"{UNKNOWN if current is None else current}/{average} (avg)"


def _metrics(specs: Sequence[Object], statuses: Sequence[Object]) -> str:
    if not specs:
        return NONE
    texts = [_metric(spec, statuses[i] if i < len(statuses) else {}) for i, spec in enumerate(specs)]
    text = ", ".join(texts[:2])
    return f"{text} + {len(texts) - 2} more..." if len(texts) > 2 else text


def _cells(obj: Object, now: float) -> list[Any]:
    spec, status = obj.get("spec") or {}, obj.get("status") or {}
    target = spec.get("scaleTargetRef") or {}
    minimum = spec.get("minReplicas")
    return [
        name(obj),
        f"{target.get('kind') or ''}/{target.get('name') or ''}",
        _metrics(spec.get("metrics") or (), status.get("currentMetrics") or ()),
        UNSET if minimum is None else str(minimum),
        count(spec, "maxReplicas"),
        count(status, "currentReplicas"),
        age(obj, now),
    ]


PRINTER = Printer(
    columns=(
        NAME,
        documented("Reference", "autoscaling.v2.HorizontalPodAutoscalerSpec.scaleTargetRef"),
        documented("Targets", "autoscaling.v2.HorizontalPodAutoscalerSpec.metrics"),
        documented("MinPods", "autoscaling.v2.HorizontalPodAutoscalerSpec.minReplicas"),
        documented("MaxPods", "autoscaling.v2.HorizontalPodAutoscalerSpec.maxReplicas"),
        documented("Replicas", "autoscaling.v2.HorizontalPodAutoscalerStatus.currentReplicas"),
        AGE,
    ),
    cells=_cells,
)


_UP = [{"type": "Pods", "value": 4, "periodSeconds": 15}, {"type": "Percent", "value": 100, "periodSeconds": 15}]
_DOWN = [{"type": "Percent", "value": 100, "periodSeconds": 15}]


class STRATEGY(Strategy):
    """Autoscalers keep at least one replica."""

    def default(self, obj: Object) -> None:
        """Fill in one replica at least and, in v2, four fifths of the requested cpu as target."""
        spec = struct(obj, "spec")
        fill(spec, minReplicas=1)
        if obj.get("apiVersion") == "autoscaling/v1":
            return
        if not spec.get("metrics"):
            target = {"type": "Utilization", "averageUtilization": 80}
            spec["metrics"] = [{"type": "Resource", "resource": {"name": "cpu", "target": target}}]
        behavior = part(spec, "behavior")
        if behavior is not None:
            up, down = struct(behavior, "scaleUp"), struct(behavior, "scaleDown")
            fill(up, stabilizationWindowSeconds=0, selectPolicy="Max")
            fill(down, selectPolicy="Max")
            for rules, policies in ((up, _UP), (down, _DOWN)):
                if not rules.get("policies"):
                    rules["policies"] = [dict(policy) for policy in policies]

    def check(self, obj: Object) -> Errors:
        """Check the autoscaler."""
        return validation.autoscaler(obj)

    def check_subresource_update(self, new: Object, old: Object, subresource: str) -> Errors:
        """Check the status."""
        _ = old
        return validation.autoscaler_status(new) if subresource == "status" else iter(())
