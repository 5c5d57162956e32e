"""The coordination.k8s.io group: leases."""

from __future__ import annotations

from kubehop.kinds.resource import Resource, served

RESOURCES: tuple[Resource, ...] = (
    served("coordination.k8s.io", "v1", "leases", "Lease", namespaced=True, home="coordination"),
)
