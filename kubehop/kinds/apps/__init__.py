"""The apps group: deployments and the other workload controllers."""

from __future__ import annotations

from functools import partial

from kubehop.kinds.resource import SCALE, Resource, served, status

_served = partial(served, "apps", "v1", home="apps", namespaced=True)

RESOURCES: tuple[Resource, ...] = (
    _served("controllerrevisions", "ControllerRevision"),
    _served("daemonsets", "DaemonSet", short_names=("ds",), categories=("all",), subresources=(status("DaemonSet"),)),
    _served(
        "deployments",
        "Deployment",
        short_names=("deploy",),
        categories=("all",),
        subresources=(SCALE, status("Deployment")),
    ),
    _served(
        "replicasets",
        "ReplicaSet",
        short_names=("rs",),
        categories=("all",),
        subresources=(SCALE, status("ReplicaSet")),
    ),
    _served(
        "statefulsets",
        "StatefulSet",
        short_names=("sts",),
        categories=("all",),
        subresources=(SCALE, status("StatefulSet")),
    ),
)
