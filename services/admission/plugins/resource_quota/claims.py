"""What persistent volume claims use of a quota: their number and storage, also by storage class.

Source of the behaviour: pkg/quota/v1/evaluator/core/persistent_volume_claims.go.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from kubehop.machinery import quantity
from kubehop.machinery.objects import Object, nested
from kubehop.machinery.quantity import Quantity
from services.admission.attributes import CREATE, UPDATE, Attributes
from services.admission.plugins.resource_quota.evaluators import Requirement, selector_matches
from services.admission.plugins.resource_quota.usage import ONE
from services.admission.storage_classes import class_of

_OF_CLASS: Final = ".storageclass.storage.k8s.io/"
_CLAIMS: Final = "persistentvolumeclaims"
_STORAGE: Final = "requests.storage"


class Claims:
    """The evaluator of claims."""

    def handles(self, attributes: Attributes) -> bool:
        """Creations and updates; of the status, those that change what is allocated or its class."""
        if not attributes.subresource:
            return attributes.operation in {CREATE, UPDATE}
        if attributes.subresource != "status":
            return False
        new, old = attributes.object, attributes.old_object
        return _allocated(new) != _allocated(old) or _attributes_classes(new) != _attributes_classes(old)

    def matching(self, resources: Iterable[str]) -> list[str]:
        """The number of claims and their storage, in all and by class."""
        return [
            name
            for name in resources
            if name in {f"count/{_CLAIMS}", _CLAIMS, _STORAGE}
            or name.endswith((_OF_CLASS + _CLAIMS, _OF_CLASS + _STORAGE))
        ]

    def missing(self, required: Iterable[str], obj: Object) -> str:  # noqa: ARG002 - the Protocol's form
        """Nothing has to be specified."""
        return ""

    def in_scope(self, requirement: Requirement, obj: Object) -> bool:
        """Whether a claim has a volume attributes class that the scope asks for."""
        if requirement.get("scopeName") != "VolumeAttributesClass":
            return False
        return selector_matches(requirement, _attributes_classes(obj))

    def usage(self, obj: Object) -> dict[str, Quantity]:
        """One claim and its storage, each in all and of its class."""
        used = {_CLAIMS: ONE, f"count/{_CLAIMS}": ONE}
        name = class_of(obj)
        if name:
            used[name + _OF_CLASS + _CLAIMS] = ONE
        storage = _storage(obj)
        if storage is not None:
            used[_STORAGE] = storage
            if name:
                used[name + _OF_CLASS + _STORAGE] = storage
        return used


def _storage(claim: Object) -> Quantity | None:
    """What is asked for, or allocated where that is more, in whole bytes."""
    asked = nested(claim, "spec", "resources", "requests", "storage")
    if asked is None:
        return None
    storage = quantity.parse(str(asked))
    allocated = _allocated(claim)
    if allocated is not None:
        storage = max(storage, quantity.parse(str(allocated)))
    return storage if storage.exact(0) else Quantity(storage.value, 0, storage.format)


def _allocated(claim: Object) -> str | None:
    allocated: str | None = nested(claim, "status", "allocatedResources", "storage")
    return allocated


def _attributes_classes(claim: Object) -> set[str]:
    found = (
        nested(claim, "spec", "volumeAttributesClassName"),
        nested(claim, "status", "currentVolumeAttributesClassName"),
        nested(claim, "status", "modifyVolumeStatus", "targetVolumeAttributesClassName"),
    )
    return {name for name in found if name}
