"""What persistent volumes and their claims have in common when they are printed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from kubehop.kinds.printing import at

Object = dict[str, Any]

_CLASS_ANNOTATION = "volume.beta.kubernetes.io/storage-class"
_MODES = {
    "ReadWriteOnce": "RWO",
    "ReadOnlyMany": "ROX",
    "ReadWriteMany": "RWX",
    "ReadWriteOncePod": "RWOP",
}


def access_modes(modes: Sequence[str] | None) -> str:
    """Return access modes in their short forms, each once, in a fixed order."""
    return ",".join(short for mode, short in _MODES.items() if mode in (modes or ()))


def storage_class(obj: Object) -> str:
    """Return the storage class of a volume or claim; an old annotation goes before the field."""
    annotations = at(obj, "metadata", "annotations") or {}
    return str(annotations.get(_CLASS_ANNOTATION, at(obj, "spec", "storageClassName") or ""))


def phase(obj: Object) -> str:
    """Return the phase, or that it is being deleted."""
    return "Terminating" if at(obj, "metadata", "deletionTimestamp") else str(at(obj, "status", "phase") or "")
