"""Storage classes: how they are printed, their defaults, what may change."""

from __future__ import annotations

from typing import Any

from kubehop.kinds.defaulting import fill
from kubehop.kinds.printing import AGE, NAME, age, at, documented, name
from kubehop.kinds.storage import rules
from kubehop.kinds.strategy import NEW_THEN_CHANGES, Strategy
from kubehop.kinds.validation import Errors, immutable
from kubehop.machinery.table import Printer

Object = dict[str, Any]

_DEFAULT_ANNOTATIONS = (
    "storageclass.kubernetes.io/is-default-class",
    "storageclass.beta.kubernetes.io/is-default-class",
)


def _cells(obj: Object, now: float) -> list[Any]:
    annotations = at(obj, "metadata", "annotations") or {}
    is_default = any(annotations.get(key) == "true" for key in _DEFAULT_ANNOTATIONS)
    return [
        f"{name(obj)} (default)" if is_default else name(obj),
        obj.get("provisioner") or "",
        obj.get("reclaimPolicy") or "Delete",
        obj.get("volumeBindingMode") or "Immediate",
        bool(obj.get("allowVolumeExpansion")),
        age(obj, now),
    ]


PRINTER = Printer(
    columns=(
        NAME,
        documented("Provisioner", "storage.v1.StorageClass.provisioner"),
        documented("ReclaimPolicy", "storage.v1.StorageClass.reclaimPolicy"),
        documented("VolumeBindingMode", "storage.v1.StorageClass.volumeBindingMode"),
        documented("AllowVolumeExpansion", "storage.v1.StorageClass.allowVolumeExpansion"),
        AGE,
    ),
    cells=_cells,
)


class STRATEGY(Strategy):
    """Storage classes stay as they were made, but for their labels and what may be mounted or expanded."""

    update_steps = NEW_THEN_CHANGES

    def default(self, obj: Object) -> None:
        """Fill in what happens to volumes, and when they are bound."""
        fill(obj, reclaimPolicy="Delete", volumeBindingMode="Immediate")

    def check(self, obj: Object) -> Errors:
        """Check the class."""
        yield from rules.storage_class(obj)

    def check_update(self, new: Object, old: Object) -> Errors:
        """Keep provisioner, parameters and policies."""
        for field in ("parameters", "provisioner", "reclaimPolicy", "volumeBindingMode"):
            yield from immutable(new, old, field)
