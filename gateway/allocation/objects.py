"""`Objects` over the storage of one request: allocations are hops of its journey and keep to its deadline."""

from __future__ import annotations

import orjson

from gateway.backends import Storage
from gateway.context import RequestContext
from gateway.hooks.objects import ObjectChangedError, ObjectExistsError
from kubehop.machinery import metadata
from kubehop.machinery.objects import Object, deep_copy, name, namespace, uid
from kubehop.machinery.status import StatusError
from kubehop.pb.storage.v1 import Key, ListRequest


class RequestObjects:
    """The objects of the cluster, read and written on behalf of a request. Other failures are StatusErrors."""

    def __init__(self, request: RequestContext, storage: Storage) -> None:
        self._request = request
        self._storage = storage

    async def get(self, group: str, resource: str, namespace: str, name: str) -> Object | None:  # noqa: D102 - Objects
        key = Key(group=group, resource=resource, namespace=namespace, name=name)
        try:
            found: Object = orjson.loads((await self._storage.get(self._request, key)).object)
        except StatusError as error:
            if error.reason == "NotFound":
                return None
            raise
        return found

    async def list(self, group: str, resource: str, namespace: str = "") -> list[Object]:  # noqa: D102 - Objects
        message = ListRequest(key=Key(group=group, resource=resource, namespace=namespace))
        items: list[Object] = []
        async for part in self._storage.list(self._request, message):
            if part.chunk.items:
                items += orjson.loads(b"[" + part.chunk.items + b"]")
        return items

    async def create(self, group: str, resource: str, obj: Object) -> Object:  # noqa: D102 - Objects
        new = deep_copy(obj)
        metadata.set_system_fields(new)
        try:
            answer = await self._storage.create(self._request, _key(group, resource, new), orjson.dumps(new))
        except StatusError as error:
            if error.reason == "AlreadyExists":
                raise ObjectExistsError(error.message) from None
            raise
        created: Object = orjson.loads(answer.object)
        return created

    async def update(self, group: str, resource: str, obj: Object) -> Object:  # noqa: D102 - Objects
        changed = deep_copy(obj)
        revision = int(changed["metadata"].pop("resourceVersion"))
        key = _key(group, resource, changed)
        try:
            answer = await self._storage.update(self._request, key, orjson.dumps(changed), revision)
        except StatusError as error:
            if error.reason in ("Conflict", "NotFound"):
                raise ObjectChangedError(error.message) from None
            raise
        updated: Object = orjson.loads(answer.object)
        return updated

    async def delete(self, group: str, resource: str, obj: Object) -> None:  # noqa: D102 - Objects
        try:
            await self._storage.delete(self._request, _key(group, resource, obj), expected_uid=uid(obj))
        except StatusError as error:
            if error.reason == "Conflict":
                raise ObjectChangedError(error.message) from None
            if error.reason != "NotFound":
                raise


def _key(group: str, resource: str, obj: Object) -> Key:
    return Key(group=group, resource=resource, namespace=namespace(obj), name=name(obj))
