"""The flowcontrol.apiserver.k8s.io group: flow schemas and priority levels."""

from __future__ import annotations

from functools import partial

from kubehop.kinds.resource import Resource, served, status

_served = partial(served, "flowcontrol.apiserver.k8s.io", "v1", home="flowcontrol", namespaced=False)

RESOURCES: tuple[Resource, ...] = (
    _served("flowschemas", "FlowSchema", subresources=(status("FlowSchema"),)),
    _served(
        "prioritylevelconfigurations",
        "PriorityLevelConfiguration",
        subresources=(status("PriorityLevelConfiguration"),),
    ),
)
