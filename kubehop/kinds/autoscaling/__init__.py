"""The autoscaling group: horizontal pod autoscalers in v2 (stored) and v1, and the Scale that workloads share."""

from __future__ import annotations

from functools import partial

from kubehop.kinds.resource import Resource, served, status

_autoscaler = partial(
    served,
    "autoscaling",
    name="horizontalpodautoscalers",
    kind="HorizontalPodAutoscaler",
    home="autoscaling",
    namespaced=True,
    short_names=("hpa",),
    categories=("all", "podautoscalers"),
    subresources=(status("HorizontalPodAutoscaler"),),
    storage=("autoscaling", "v2"),
)

RESOURCES: tuple[Resource, ...] = (_autoscaler(version="v2"), _autoscaler(version="v1"))
