"""Quality of service: the class that a pod's requests and limits put it into (pkg/apis/core/helper/qos)."""

from __future__ import annotations

from typing import Any

from kubehop.kinds.core.pod_defaults import containers
from kubehop.kinds.defaulting import part
from kubehop.machinery import quantity

Object = dict[str, Any]

_COMPUTE = ("cpu", "memory")


def qos_class(pod: Object) -> str:
    """Return Guaranteed, Burstable or BestEffort.

    Guaranteed: every container limits cpu and memory, and requests the same. BestEffort: none names either. Where the
    pod as a whole has resources, those count instead of its containers'.
    """
    spec = pod.get("spec") or {}
    whole = part(spec, "resources")
    nodes = [whole] if whole else [part(container, "resources") or {} for container in containers(spec)]
    named = [(_positive(part(node, "requests")), _positive(part(node, "limits"))) for node in nodes]
    if not any(requests or limits for requests, limits in named):
        return "BestEffort"
    if all(len(limits) == len(_COMPUTE) and requests == limits for requests, limits in named):
        return "Guaranteed"
    return "Burstable"


def _positive(resources: Object | None) -> dict[str, quantity.Quantity]:
    found = {name: quantity.parse(str((resources or {})[name])) for name in _COMPUTE if name in (resources or {})}
    return {name: value for name, value in found.items() if value > quantity.parse("0")}
