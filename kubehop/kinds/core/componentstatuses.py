"""Component statuses: how they are printed. They are computed, not stored."""

from __future__ import annotations

from typing import Any

from kubehop.kinds.printing import NAME, Column, name
from kubehop.machinery.table import Printer

Object = dict[str, Any]


def _cells(obj: Object, _now: float) -> list[Any]:
    for condition in obj.get("conditions") or ():
        if condition.get("type") == "Healthy":
            status = "Healthy" if condition.get("status") == "True" else "Unhealthy"
            return [name(obj), status, condition.get("message") or "", condition.get("error") or ""]
    return [name(obj), "Unknown", "", ""]


PRINTER = Printer(
    columns=(
        NAME,
        Column("Status", description="Status of the component conditions"),
        Column("Message", description="Message of the component conditions"),
        Column("Error", description="Error of the component conditions"),
    ),
    cells=_cells,
)
