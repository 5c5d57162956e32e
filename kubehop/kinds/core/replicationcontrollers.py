"""Replication controllers: how they are printed."""

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
    string_map,
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
        string_map(at(obj, "spec", "selector")),
    ]


PRINTER = Printer(
    columns=(
        NAME,
        documented("Desired", "core.v1.ReplicationControllerSpec.replicas", type="integer"),
        documented("Current", "core.v1.ReplicationControllerStatus.replicas", type="integer"),
        documented("Ready", "core.v1.ReplicationControllerStatus.readyReplicas", type="integer"),
        AGE,
        *WIDE_CONTAINERS,
        documented("Selector", "core.v1.ReplicationControllerSpec.selector", priority=1),
    ),
    cells=_cells,
)
