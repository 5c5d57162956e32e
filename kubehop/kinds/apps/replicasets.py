"""Replica sets: how they are printed."""

from __future__ import annotations

from typing import Any

from kubehop.kinds.printing import (
    AGE,
    NAME,
    WIDE_CONTAINERS,
    age,
    at,
    containers,
    count,
    documented,
    name,
    selector_text,
)
from kubehop.machinery.table import Printer

Object = dict[str, Any]


def _cells(obj: Object, now: float) -> list[Any]:
    return [
        name(obj),
        count(obj, "spec", "replicas"),
        count(obj, "status", "replicas"),
        count(obj, "status", "readyReplicas"),
        age(obj, now),
        *containers(at(obj, "spec", "template")),
        selector_text(at(obj, "spec", "selector")),
    ]


PRINTER = Printer(
    columns=(
        NAME,
        documented("Desired", "apps.v1.ReplicaSetSpec.replicas", type="integer"),
        documented("Current", "apps.v1.ReplicaSetStatus.replicas", type="integer"),
        documented("Ready", "apps.v1.ReplicaSetStatus.readyReplicas", type="integer"),
        AGE,
        *WIDE_CONTAINERS,
        documented("Selector", "apps.v1.ReplicaSetSpec.selector", priority=1),
    ),
    cells=_cells,
)
