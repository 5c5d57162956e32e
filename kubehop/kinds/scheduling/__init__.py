"""The scheduling.k8s.io group: priority classes."""

from __future__ import annotations

from kubehop.kinds.resource import Resource, served

RESOURCES: tuple[Resource, ...] = (
    served(
        "scheduling.k8s.io",
        "v1",
        "priorityclasses",
        "PriorityClass",
        namespaced=False,
        home="scheduling",
        short_names=("pc",),
    ),
)
