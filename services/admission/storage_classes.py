"""Storage classes as plugins look at them: which is the default, and which class a claim names.

Used by DefaultStorageClass and PersistentVolumeClaimResize; source of the behaviour: pkg/volume/util/storageclass.go
and pkg/apis/core/helper.
"""

from __future__ import annotations

from typing import Final

from kubehop.machinery import objects
from kubehop.machinery.objects import Object

GROUP: Final = "storage.k8s.io"
RESOURCE: Final = "storageclasses"
CLAIMS: Final = ("", "persistentvolumeclaims", "")
_CLASS_ANNOTATION: Final = "volume.beta.kubernetes.io/storage-class"
_IS_DEFAULT: Final = (
    "storageclass.kubernetes.io/is-default-class",
    "storageclass.beta.kubernetes.io/is-default-class",
)


def is_default(storage_class: Object) -> bool:
    """Whether a class is marked as the default, by the annotation of today or the old one."""
    annotations = objects.annotations(storage_class)
    return any(annotations.get(key) == "true" for key in _IS_DEFAULT)


def has_class(claim: Object) -> bool:
    """Whether a claim says which class it wants; the empty name says that it wants none."""
    return (
        _CLASS_ANNOTATION in objects.annotations(claim) or objects.nested(claim, "spec", "storageClassName") is not None
    )


def class_of(claim: Object) -> str:
    """The class that a claim names, by the old annotation or the field; "" for none."""
    annotated = objects.annotations(claim).get(_CLASS_ANNOTATION)
    return annotated if annotated is not None else objects.nested(claim, "spec", "storageClassName") or ""
