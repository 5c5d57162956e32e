"""Priority classes: how they are printed, their defaults, what may change."""

from __future__ import annotations

from typing import Any

from kubehop.kinds.defaulting import fill
from kubehop.kinds.printing import AGE, NAME, age, count, documented, name
from kubehop.kinds.strategy import Strategy
from kubehop.kinds.validation import Errors
from kubehop.kinds.validation_values import one_of
from kubehop.machinery import fields
from kubehop.machinery.table import Printer

Object = dict[str, Any]


def _cells(obj: Object, now: float) -> list[Any]:
    return [
        name(obj),
        count(obj, "value"),
        bool(obj.get("globalDefault")),
        age(obj, now),
        obj.get("preemptionPolicy") or "",
    ]


PRINTER = Printer(
    columns=(
        NAME,
        documented("Value", "scheduling.v1.PriorityClass.value", type="integer"),
        documented("Global-Default", "scheduling.v1.PriorityClass.globalDefault", type="boolean"),
        AGE,
        documented("PreemptionPolicy", "scheduling.v1.PriorityClass.preemptionPolicy"),
    ),
    cells=_cells,
)


_SYSTEM_PREFIX = "system-"
_HIGHEST = 1_000_000_000
_SYSTEM = {"system-node-critical": 2_000_001_000, "system-cluster-critical": 2_000_000_000}


def _not_the_systems(found: str, value: int, default: bool) -> str:
    """Return why a class is none of the system's own, "" if it is one."""
    if found not in _SYSTEM:
        return f"{found} is not a known system priority class"
    if value != _SYSTEM[found]:
        return f"value of {found} PriorityClass must be {_SYSTEM[found]}"
    return f"globalDefault of {found} PriorityClass must be false" if default else ""


class STRATEGY(Strategy):
    """Priority classes keep their value."""

    counts_generation = False

    def default(self, obj: Object) -> None:
        """Fill in that pods of the class may displace others."""
        fill(obj, preemptionPolicy="PreemptLowerPriority")

    def on_create(self, obj: Object) -> None:
        """Start the one generation that classes have."""
        obj["metadata"]["generation"] = 1

    def check_create(self, obj: Object) -> Errors:
        """Check name and value: the highest are the system's (ValidatePriorityClass)."""
        found, value = obj["metadata"].get("name") or "", obj.get("value") or 0
        if found.startswith(_SYSTEM_PREFIX):
            error = _not_the_systems(found, value, bool(obj.get("globalDefault")))
            if error:
                text = f"priority class names with '{_SYSTEM_PREFIX}' prefix are reserved for system use only. error: "
                yield fields.forbidden(fields.Path("metadata", "name"), text + error)
        elif value > _HIGHEST:
            text = f"maximum allowed value of a user defined priority is {_HIGHEST}"
            yield fields.forbidden(fields.Path("value"), text)
        policy = obj.get("preemptionPolicy")
        if policy is not None:
            yield from one_of(fields.Path("preemptionPolicy"), policy, ("PreemptLowerPriority", "Never"))

    def check_update(self, new: Object, old: Object) -> Errors:
        """Keep the value and whether others are displaced."""
        if (new.get("value") or 0) != (old.get("value") or 0):
            yield fields.forbidden(fields.Path("value"), "may not be changed in an update.")
        if new.get("preemptionPolicy") != old.get("preemptionPolicy"):
            yield fields.immutable(fields.Path("preemptionPolicy"), new.get("preemptionPolicy"))
