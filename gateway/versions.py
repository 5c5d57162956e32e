"""Between the version that a path speaks and the one that is kept in the store.

Verbs and forms convert here; almost every resource is kept in the only version it is served in, and then nothing
happens.
"""

from __future__ import annotations

from kubehop.kinds.resource import Resource
from kubehop.machinery.objects import Object


def from_storage(resource: Resource, obj: Object) -> Object:
    """Return a stored object in the resource's version; the object itself where that is the stored one."""
    if obj.get("apiVersion") == resource.api_version:
        return obj
    return {**obj, "apiVersion": resource.api_version, "kind": resource.kind}


def to_storage(resource: Resource, obj: Object) -> Object:
    """Return an object of the resource's version as it is kept; the object itself where that is the same."""
    if resource.api_version == resource.storage_api_version:
        return obj
    return {**obj, "apiVersion": resource.storage_api_version}
