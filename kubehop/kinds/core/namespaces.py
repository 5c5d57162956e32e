"""Namespaces: how they are printed, the label and finalizer they get, and how they end."""

from __future__ import annotations

from typing import Any

from kubehop.kinds.defaulting import struct
from kubehop.kinds.printing import AGE, NAME, Column, age, at, name
from kubehop.kinds.strategy import NEW_THEN_CHANGES, NOT_STANDARD_FINALIZER, STANDARD_FINALIZERS, Strategy
from kubehop.kinds.validation import Errors
from kubehop.kinds.validation_values import qualified
from kubehop.machinery import fields, names
from kubehop.machinery.fields import Path
from kubehop.machinery.table import Printer

Object = dict[str, Any]


def _cells(obj: Object, now: float) -> list[Any]:
    return [name(obj), at(obj, "status", "phase") or "", age(obj, now)]


PRINTER = Printer(columns=(NAME, Column("Status", description="The status of the namespace"), AGE), cells=_cells)


NAME_LABEL = "kubernetes.io/metadata.name"
FINALIZER = "kubernetes"


class STRATEGY(Strategy):
    """Namespaces stay until what is in them is gone: a finalizer in their spec says so."""

    update_steps = NEW_THEN_CHANGES
    status_resets = (("spec",),)

    def name_rule(self, name: str, prefix: bool) -> list[str]:
        """Take DNS labels: namespaces are parts of service names."""
        return names.name_is_dns_label(name, prefix)

    def default(self, obj: Object) -> None:
        """Label the namespace with its own name."""
        found = name(obj)
        if found:
            struct(obj, "metadata", "labels")[NAME_LABEL] = found

    def on_create(self, obj: Object) -> None:
        """Start active, kept by the finalizer."""
        obj["status"] = {"phase": "Active"}
        finalizers = struct(obj, "spec").setdefault("finalizers", [])
        if FINALIZER not in finalizers:
            finalizers.append(FINALIZER)

    def on_update(self, new: Object, old: Object) -> None:
        """Keep the finalizers: they go through the finalize subresource."""
        if "spec" in old:
            new["spec"] = old["spec"]
        else:
            new.pop("spec", None)

    def on_subresource_update(self, new: Object, old: Object, subresource: str) -> None:
        """Let finalize change the finalizers, and nothing else of the status."""
        if subresource == "finalize" and "status" in old:
            new["status"] = old["status"]

    def on_delete(self, obj: Object) -> None:
        """End: nothing new may be created in it."""
        struct(obj, "status")["phase"] = "Terminating"

    def holds(self, obj: Object) -> bool:
        """Stay while there are finalizers in the spec."""
        return bool(at(obj, "spec", "finalizers"))

    def check(self, obj: Object) -> Errors:
        """Check the finalizers."""
        path = Path("spec", "finalizers")
        for finalizer in at(obj, "spec", "finalizers") or ():
            yield from _finalizer(path, finalizer)

    def check_subresource_update(self, new: Object, old: Object, subresource: str) -> Errors:
        """Check that the phase goes with the deletion, or the finalizers that are left."""
        _ = old
        if subresource == "finalize":
            for index, finalizer in enumerate(at(new, "spec", "finalizers") or ()):
                yield from _finalizer(Path("spec", "finalizers").index(index), finalizer)
            return
        phase, deleted = at(new, "status", "phase") or "", bool(at(new, "metadata", "deletionTimestamp"))
        wanted = "Terminating" if deleted else "Active"
        if phase != wanted:
            text = f"may only be '{wanted}' if `deletionTimestamp` is {'not ' if deleted else ''}empty"
            yield fields.invalid(Path("status", "Phase"), phase, text)


def _finalizer(path: Path, finalizer: str) -> Errors:
    yield from qualified(path, finalizer)
    if "/" not in finalizer and finalizer not in STANDARD_FINALIZERS:
        yield fields.invalid(path, finalizer, NOT_STANDARD_FINALIZER)
