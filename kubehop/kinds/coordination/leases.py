"""Leases: how they are printed, and that an update may create them."""

from __future__ import annotations

from typing import Any

from kubehop.kinds.printing import AGE, NAME, age, at, documented, name
from kubehop.kinds.strategy import Strategy
from kubehop.kinds.validation import Errors
from kubehop.machinery import fields
from kubehop.machinery.fields import Path
from kubehop.machinery.table import Printer

Object = dict[str, Any]


def _cells(obj: Object, now: float) -> list[Any]:
    return [name(obj), at(obj, "spec", "holderIdentity") or "", age(obj, now)]


PRINTER = Printer(columns=(NAME, documented("Holder", "coordination.v1.LeaseSpec.holderIdentity"), AGE), cells=_cells)


class STRATEGY(Strategy):
    """Leases may be created by an update, and are never updated blindly."""

    creates_on_update = True
    updates_unconditionally = False

    def on_create(self, obj: Object) -> None:
        """Drop what belongs to coordinated elections, which are off."""
        for field in ("strategy", "preferredHolder"):
            (obj.get("spec") or {}).pop(field, None)

    def on_update(self, new: Object, old: Object) -> None:
        """Drop what belongs to coordinated elections, where it was not there before."""
        for field in ("strategy", "preferredHolder"):
            if field not in (old.get("spec") or {}):
                (new.get("spec") or {}).pop(field, None)

    def check(self, obj: Object) -> Errors:
        """Check how long the lease is and how often it moved (ValidateLeaseSpec)."""
        spec, path = obj.get("spec") or {}, Path("spec")
        seconds, transitions = spec.get("leaseDurationSeconds"), spec.get("leaseTransitions")
        if seconds is not None and seconds <= 0:
            yield fields.invalid(path.child("leaseDurationSeconds"), seconds, "must be greater than 0")
        if transitions is not None and transitions < 0:
            text = "must be greater than or equal to 0"
            yield fields.invalid(path.child("leaseTransitions"), transitions, text)
