"""Volume attributes classes: how they are printed."""

from __future__ import annotations

from typing import Any

from kubehop.kinds.printing import AGE, NAME, age, at, documented, name
from kubehop.kinds.storage import rules
from kubehop.kinds.strategy import NEW_THEN_CHANGES, Strategy
from kubehop.kinds.validation import Errors
from kubehop.machinery.table import Printer

Object = dict[str, Any]

_DEFAULT_ANNOTATION = "volumeattributesclass.alpha.kubernetes.io/is-default-class"


def _cells(obj: Object, now: float) -> list[Any]:
    is_default = (at(obj, "metadata", "annotations") or {}).get(_DEFAULT_ANNOTATION) == "true"
    return [f"{name(obj)} (default)" if is_default else name(obj), obj.get("driverName") or "", age(obj, now)]


PRINTER = Printer(
    columns=(NAME, documented("DriverName", "storage.v1.VolumeAttributesClass.driverName"), AGE), cells=_cells
)


class STRATEGY(Strategy):
    """Classes of attributes stay as they were made."""

    update_steps = NEW_THEN_CHANGES

    def check(self, obj: Object) -> Errors:
        """Check the object."""
        yield from rules.attributes_class(obj)

    def check_update(self, new: Object, old: Object) -> Errors:
        """Keep what may not change."""
        yield from rules.same_attributes(new, old)
