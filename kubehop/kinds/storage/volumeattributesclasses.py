"""Volume attributes classes: how they are printed."""

from __future__ import annotations

from typing import Any

from kubehop.kinds.printing import AGE, NAME, age, at, documented, name
from kubehop.machinery.table import Printer

Object = dict[str, Any]

_DEFAULT_ANNOTATION = "volumeattributesclass.alpha.kubernetes.io/is-default-class"


def _cells(obj: Object, now: float) -> list[Any]:
    is_default = (at(obj, "metadata", "annotations") or {}).get(_DEFAULT_ANNOTATION) == "true"
    return [f"{name(obj)} (default)" if is_default else name(obj), obj.get("driverName") or "", age(obj, now)]


PRINTER = Printer(
    columns=(NAME, documented("DriverName", "storage.v1.VolumeAttributesClass.driverName"), AGE), cells=_cells
)
