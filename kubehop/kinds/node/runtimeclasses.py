"""Runtime classes: how they are printed, and what may change."""

from __future__ import annotations

from typing import Any

from kubehop.kinds.core.pod_validation.scheduling import tolerations
from kubehop.kinds.printing import AGE, NAME, Column, age, name
from kubehop.kinds.strategy import NEW_THEN_CHANGES, Strategy
from kubehop.kinds.validation import Errors, immutable
from kubehop.kinds.validation_quantities import container_resource_name, quantity_of
from kubehop.kinds.validation_values import label, labels
from kubehop.machinery.fields import Path
from kubehop.machinery.table import Printer

Object = dict[str, Any]


def _cells(obj: Object, now: float) -> list[Any]:
    return [name(obj), obj.get("handler") or "", age(obj, now)]


PRINTER = Printer(columns=(NAME, Column("Handler"), AGE), cells=_cells)


class STRATEGY(Strategy):
    """Runtime classes keep their handler."""

    update_steps = NEW_THEN_CHANGES

    def check(self, obj: Object) -> Errors:
        """Check the handler, the overhead and where pods may go (ValidateRuntimeClass)."""
        yield from label(Path("handler"), obj.get("handler") or "")
        overhead = ((obj.get("overhead") or {}).get("podFixed") or {}).items()
        for resource, value in sorted(overhead):
            path = Path("overhead", "limits").key(resource)
            yield from container_resource_name(path, resource)
            yield from quantity_of(path, resource, value)
        place = obj.get("scheduling") or {}
        path = Path("scheduling")
        yield from labels(path.child("nodeSelector"), place.get("nodeSelector"))
        yield from tolerations(path.child("tolerations"), place.get("tolerations") or [])

    def check_update(self, new: Object, old: Object) -> Errors:
        """Keep the handler."""
        yield from immutable(new, old, "handler")
