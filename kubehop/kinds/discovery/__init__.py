"""The discovery.k8s.io group: endpoint slices."""

from __future__ import annotations

from kubehop.kinds.resource import Resource, served

RESOURCES: tuple[Resource, ...] = (
    served("discovery.k8s.io", "v1", "endpointslices", "EndpointSlice", namespaced=True, home="discovery"),
)
