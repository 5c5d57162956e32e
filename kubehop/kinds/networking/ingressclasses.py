"""Ingress classes: how they are printed, and their defaults."""

from __future__ import annotations

from typing import Any

from kubehop.kinds.defaulting import fill, part
from kubehop.kinds.networking import ingress_rules
from kubehop.kinds.printing import AGE, NAME, NONE, Column, age, at, name
from kubehop.kinds.strategy import CHANGES_FIRST, Strategy
from kubehop.kinds.validation import Errors
from kubehop.machinery.table import Printer

Object = dict[str, Any]


def _parameters(parameters: Object | None) -> str:
    if parameters is None:
        return NONE
    group = parameters.get("apiGroup")
    kind = parameters.get("kind") or ""
    return f"{kind if group is None else f'{kind}.{group}'}/{parameters.get('name') or ''}"


def _cells(obj: Object, now: float) -> list[Any]:
    return [
        name(obj),
        at(obj, "spec", "controller") or "",
        _parameters(at(obj, "spec", "parameters")),
        age(obj, now),
    ]


PRINTER = Printer(
    columns=(
        NAME,
        Column("Controller", description="Controller that is responsible for handling this class"),
        Column("Parameters", description="A reference to a resource with additional parameters"),
        AGE,
    ),
    cells=_cells,
)


class STRATEGY(Strategy):
    """Ingress classes keep their controller."""

    counts_generation = True
    update_steps = CHANGES_FIRST

    def default(self, obj: Object) -> None:
        """Fill in where the parameters are."""
        parameters = part(obj, "spec", "parameters")
        if parameters is not None:
            fill(parameters, scope="Cluster")

    def check(self, obj: Object) -> Errors:
        """Check controller and parameters."""
        yield from ingress_rules.ingress_class(obj)

    def check_update(self, new: Object, old: Object) -> Errors:
        """Keep the controller."""
        yield from ingress_rules.same_controller(new, old)
