"""Scale: the view of a workload's replicas that its scale subresource gives, and how it is printed."""

from __future__ import annotations

from typing import Any

from kubehop.kinds.printing import AGE, Column, age, count, documented, name
from kubehop.machinery.table import NAME_DESCRIPTION, Printer

Object = dict[str, Any]


def _cells(obj: Object, now: float) -> list[Any]:
    return [name(obj), count(obj, "spec", "replicas"), count(obj, "status", "replicas"), age(obj, now)]


PRINTER = Printer(
    columns=(
        Column("Name", description=NAME_DESCRIPTION),
        documented("Desired", "autoscaling.v1.ScaleSpec.replicas", type="integer"),
        documented("Available", "autoscaling.v1.ScaleStatus.replicas", type="integer"),
        AGE,
    ),
    cells=_cells,
)
