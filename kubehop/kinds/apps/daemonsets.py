"""Daemon sets: how they are printed."""

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
    string_map,
)
from kubehop.machinery.table import Printer

Object = dict[str, Any]


def _cells(obj: Object, now: float) -> list[Any]:
    template = at(obj, "spec", "template")
    return [
        name(obj),
        count(obj, "status", "desiredNumberScheduled"),
        count(obj, "status", "currentNumberScheduled"),
        count(obj, "status", "numberReady"),
        count(obj, "status", "updatedNumberScheduled"),
        count(obj, "status", "numberAvailable"),
        string_map(at(template, "spec", "nodeSelector")),
        age(obj, now),
        *containers(template),
        selector_text(at(obj, "spec", "selector")),
    ]


PRINTER = Printer(
    columns=(
        NAME,
        documented("Desired", "apps.v1.DaemonSetStatus.desiredNumberScheduled", type="integer"),
        documented("Current", "apps.v1.DaemonSetStatus.currentNumberScheduled", type="integer"),
        documented("Ready", "apps.v1.DaemonSetStatus.numberReady", type="integer"),
        documented("Up-to-date", "apps.v1.DaemonSetStatus.updatedNumberScheduled", type="integer"),
        documented("Available", "apps.v1.DaemonSetStatus.numberAvailable", type="integer"),
        documented("Node Selector", "core.v1.PodSpec.nodeSelector"),
        AGE,
        *WIDE_CONTAINERS,
        documented("Selector", "apps.v1.DaemonSetSpec.selector", priority=1),
    ),
    cells=_cells,
)
