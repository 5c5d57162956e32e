"""Between the version that a path speaks and the one that is kept in the store.

Verbs and forms convert here; almost every resource is kept in the only version it is served in, and then nothing
happens.
"""

from __future__ import annotations

from kubehop.kinds import catalogue, convert
from kubehop.kinds.resource import Resource
from kubehop.kinds.strategy import strategy_for
from kubehop.machinery.objects import Object


def from_storage(resource: Resource, obj: Object) -> Object:
    """Return a stored object in the resource's version; the object itself where that is the stored one."""
    return convert.to_served(obj, resource)


def to_storage(resource: Resource, obj: Object) -> Object:
    """Return an object of the resource's version as it is kept; the object itself where that is the same.

    What the stored version fills in beyond the served one is filled in.
    """
    if not convert.needed(resource):
        return obj
    stored = convert.to_storage(obj, resource)
    kept = catalogue.storage_resource(resource.group, resource.name)
    if kept is not None:
        strategy_for(kept).default(stored)
    return stored
