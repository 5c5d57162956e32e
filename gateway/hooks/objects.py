"""What a hook needs of storage: get, list, create, update and delete of whole objects, with its own errors.

`Objects` is the interface, `StoredObjects` speaks it over the storage stage. Writes go straight to storage, past the
handlers: what a hook creates is already as defaulting would leave it, and no admission plugin may keep a cluster
from coming up.
"""

from __future__ import annotations

from typing import Protocol

import orjson

from kubehop.hop.calls import CallContext
from kubehop.hop.client import StageClient
from kubehop.hop.errors import HopError
from kubehop.machinery import metadata
from kubehop.machinery.objects import Object, deep_copy, ensure_metadata
from kubehop.pb.storage.v1 import (
    CreateRequest,
    DeleteRequest,
    ErrorReason,
    GetRequest,
    Key,
    ListRequest,
    StorageRpcs,
    UpdateRequest,
)


class ObjectExistsError(Exception):
    """Somebody else created the object meanwhile."""


class ObjectChangedError(Exception):
    """Somebody else changed or deleted the object since it was read."""


class Objects(Protocol):
    """The objects of the cluster, for hooks. Other failures are HopErrors."""

    async def get(self, group: str, resource: str, namespace: str, name: str) -> Object | None:
        """The object as it is now, or None."""

    async def list(self, group: str, resource: str, namespace: str = "") -> list[Object]:
        """All objects of a resource, of one namespace where one is given."""

    async def create(self, group: str, resource: str, obj: Object) -> Object:
        """Store a new object; uid and creation time are added. Raises ObjectExistsError."""

    async def update(self, group: str, resource: str, obj: Object) -> Object:
        """Replace an object that was read before. Raises ObjectChangedError."""

    async def delete(self, group: str, resource: str, obj: Object) -> None:
        """Remove an object that was read before; it is no error if it is gone. Raises ObjectChangedError."""


class StoredObjects:
    """`Objects` over the storage stage."""

    def __init__(self, storage: StageClient) -> None:
        self._storage = storage

    async def get(self, group: str, resource: str, namespace: str, name: str) -> Object | None:
        """See `Objects`."""
        key = Key(group=group, resource=resource, namespace=namespace, name=name)
        try:
            response = await self._storage.call(StorageRpcs.GET, GetRequest(key=key), CallContext())
        except HopError as error:
            if error.reason == _NOT_FOUND:
                return None
            raise
        found: Object = orjson.loads(response.object)
        return found

    async def list(self, group: str, resource: str, namespace: str = "") -> list[Object]:
        """See `Objects`."""
        request = ListRequest(key=Key(group=group, resource=resource, namespace=namespace), with_type_meta=True)
        items: list[Object] = []
        async for part in self._storage.stream(StorageRpcs.LIST, request, CallContext()):
            if part.chunk.items:
                items += orjson.loads(b"[" + part.chunk.items + b"]")
        return items

    async def create(self, group: str, resource: str, obj: Object) -> Object:
        """See `Objects`."""
        new = deep_copy(obj)
        metadata.set_system_fields(new)
        request = CreateRequest(key=_key(group, resource, new), object=orjson.dumps(new))
        try:
            response = await self._storage.call(StorageRpcs.CREATE, request, CallContext())
        except HopError as error:
            if error.reason == _ALREADY_EXISTS:
                raise ObjectExistsError(error.message) from error
            raise
        created: Object = orjson.loads(response.object)
        return created

    async def update(self, group: str, resource: str, obj: Object) -> Object:
        """See `Objects`."""
        changed = deep_copy(obj)
        revision = int(ensure_metadata(changed).pop("resourceVersion"))
        request = UpdateRequest(
            key=_key(group, resource, changed), object=orjson.dumps(changed), expected_revision=revision
        )
        try:
            response = await self._storage.call(StorageRpcs.UPDATE, request, CallContext())
        except HopError as error:
            if error.reason in {_CONFLICT, _NOT_FOUND}:
                raise ObjectChangedError(error.message) from error
            raise
        updated: Object = orjson.loads(response.object)
        return updated

    async def delete(self, group: str, resource: str, obj: Object) -> None:
        """See `Objects`."""
        request = DeleteRequest(key=_key(group, resource, obj), expected_uid=obj["metadata"].get("uid", ""))
        try:
            await self._storage.call(StorageRpcs.DELETE, request, CallContext())
        except HopError as error:
            if error.reason == _NOT_FOUND:
                return
            if error.reason == _CONFLICT:
                raise ObjectChangedError(error.message) from error
            raise


_NOT_FOUND = ErrorReason.Name(ErrorReason.ERROR_REASON_NOT_FOUND)
_ALREADY_EXISTS = ErrorReason.Name(ErrorReason.ERROR_REASON_ALREADY_EXISTS)
_CONFLICT = ErrorReason.Name(ErrorReason.ERROR_REASON_CONFLICT)


def _key(group: str, resource: str, obj: Object) -> Key:
    meta = obj["metadata"]
    return Key(group=group, resource=resource, namespace=meta.get("namespace", ""), name=meta["name"])
