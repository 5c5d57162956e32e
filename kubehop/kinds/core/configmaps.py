"""Config maps: how they are printed, their keys, and how they become immutable."""

from __future__ import annotations

from typing import Any

from kubehop.kinds.printing import AGE, NAME, age, count, documented, name
from kubehop.kinds.strategy import CHANGES_FIRST, Strategy
from kubehop.kinds.validation import Errors, data_keys, frozen
from kubehop.machinery import fields
from kubehop.machinery.table import Printer

Object = dict[str, Any]


def _cells(obj: Object, now: float) -> list[Any]:
    return [name(obj), count(obj, "data") + count(obj, "binaryData"), age(obj, now)]


PRINTER = Printer(columns=(NAME, documented("Data", "core.v1.ConfigMap.data"), AGE), cells=_cells)


_MAX_BYTES = 1024 * 1024


class STRATEGY(Strategy):
    """Config maps hold a mebibyte of texts and bytes under file names."""

    update_steps = CHANGES_FIRST

    def check(self, obj: Object) -> Errors:
        """Check the keys and the size (ValidateConfigMap)."""
        yield from data_keys(obj, "data", clashes="binaryData")
        yield from data_keys(obj, "binaryData", clashes="data")
        size = sum(len(value.encode()) for value in (obj.get("data") or {}).values())
        size += sum(len(value) * 3 // 4 - value.count("=") for value in (obj.get("binaryData") or {}).values())
        if size > _MAX_BYTES:
            yield fields.too_long("", _MAX_BYTES)

    def check_update(self, new: Object, old: Object) -> Errors:
        """Keep an immutable one as it is."""
        yield from frozen(new, old, "data", "binaryData")
