"""Deployments: how they are printed."""

from __future__ import annotations

from typing import Any

from kubehop.kinds.printing import (
    AGE,
    NAME,
    WIDE_CONTAINERS,
    Column,
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
        f"{count(obj, 'status', 'readyReplicas')}/{count(obj, 'spec', 'replicas')}",
        count(obj, "status", "updatedReplicas"),
        count(obj, "status", "availableReplicas"),
        age(obj, now),
        *containers(at(obj, "spec", "template")),
        selector_text(at(obj, "spec", "selector"), empty=""),
    ]


PRINTER = Printer(
    columns=(
        NAME,
        Column("Ready", description="Number of the pod with ready state"),
        documented("Up-to-date", "apps.v1.DeploymentStatus.updatedReplicas"),
        documented("Available", "apps.v1.DeploymentStatus.availableReplicas"),
        AGE,
        *WIDE_CONTAINERS,
        documented("Selector", "apps.v1.DeploymentSpec.selector", priority=1),
    ),
    cells=_cells,
)
