"""API services: how they are printed (kube-aggregator pkg/registry/apiservice/etcd), and their defaults."""

from __future__ import annotations

from typing import Any

from kubehop.kinds.defaulting import fill, part
from kubehop.kinds.printing import AGE, NAME, Column, age, at, name
from kubehop.kinds.strategy import Strategy
from kubehop.machinery import names
from kubehop.machinery.table import Printer

Object = dict[str, Any]


def _available(obj: Object) -> str:
    for condition in at(obj, "status", "conditions") or ():
        if condition.get("type") == "Available":
            status, reason = condition.get("status") or "", condition.get("reason")
            return f"{status} ({reason})" if status != "True" and reason else status
    return "Unknown"


def _cells(obj: Object, now: float) -> list[Any]:
    service = at(obj, "spec", "service")
    text = f"{service.get('namespace') or ''}/{service.get('name') or ''}" if service else "Local"
    return [name(obj), text, _available(obj), age(obj, now)]


PRINTER = Printer(
    columns=(
        NAME,
        Column("Service", description="The reference to the service that hosts this API endpoint."),
        Column("Available", description="Whether this service is available."),
        AGE,
    ),
    cells=_cells,
)


class STRATEGY(Strategy):
    """API services name a version and a group."""

    def name_rule(self, name: str, prefix: bool) -> list[str]:
        """Take what fits a URL: `v1.` is the core group's."""
        return names.name_is_path_segment(name, prefix)

    def default(self, obj: Object) -> None:
        """Fill in the service's port."""
        service = part(obj, "spec", "service")
        if service is not None:
            fill(service, port=443)
