"""The node.k8s.io group: runtime classes."""

from __future__ import annotations

from kubehop.kinds.resource import Resource, served

RESOURCES: tuple[Resource, ...] = (
    served("node.k8s.io", "v1", "runtimeclasses", "RuntimeClass", namespaced=False, home="node"),
)
