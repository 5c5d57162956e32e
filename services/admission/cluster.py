"""What plugins know of the cluster: replicas kept in memory, and look-ups in storage where memory may be behind.

A plugin asks for its replicas when it is built; the process runs one reflector for each resource that was asked for
and serves once all have synced. Tests hand in a `Cluster` over plain dicts.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

import grpc
import orjson

from kubehop.hop.calls import CallContext
from kubehop.hop.client import StageClient
from kubehop.hop.errors import HopError
from kubehop.machinery.objects import Object, resource_version
from kubehop.pb.storage.v1 import CreateRequest, ErrorReason, GetRequest, Key, ListRequest, StorageRpcs, UpdateRequest
from kubehop.reflector import Reflector

_NOT_FOUND = ErrorReason.Name(ErrorReason.ERROR_REASON_NOT_FOUND)
_NO_KEY = ErrorReason.Name(ErrorReason.ERROR_REASON_INVALID)
"""A name like `..` that no key can have: there is nothing of that name."""
_ALREADY_EXISTS = ErrorReason.Name(ErrorReason.ERROR_REASON_ALREADY_EXISTS)
_CONFLICT = ErrorReason.Name(ErrorReason.ERROR_REASON_CONFLICT)


class Replica(Protocol):
    """One resource as it was a moment ago."""

    @property
    def items(self) -> Mapping[tuple[str, str], Object]:
        """Its objects by (namespace, name)."""


class Cluster(Protocol):
    """The cluster, for plugins."""

    def replica(self, group: str, resource: str) -> Replica:
        """The replica of a resource. To be called while a plugin is built, not later."""

    async def get(self, group: str, resource: str, namespace: str, name: str) -> Object | None:
        """An object as storage has it now (linearizable), or None. HopError when storage cannot answer."""

    async def list(self, group: str, resource: str, namespace: str) -> list[Object]:
        """The objects of a namespace as storage has them now. HopError when storage cannot answer."""

    async def create(self, group: str, resource: str, namespace: str, name: str, obj: Object) -> bool:
        """Store a new object; False when there is one already. HopError when storage cannot answer."""

    async def update(self, group: str, resource: str, namespace: str, name: str, obj: Object) -> Object | None:
        """Replace an object that still has the resourceVersion of `obj`; the new one as stored.

        None where it has changed or is gone. HopError when storage cannot answer.
        """


class StoredCluster:
    """The cluster behind the storage stage."""

    def __init__(self, storage: StageClient) -> None:
        self._storage = storage
        self._reflectors: dict[tuple[str, str], Reflector] = {}

    def replica(self, group: str, resource: str) -> Replica:
        """See `Cluster`; plugins that ask for the same resource share one replica."""
        reflector = self._reflectors.get((group, resource))
        if reflector is None:
            reflector = self._reflectors[group, resource] = Reflector(self._storage, group, resource)
        return reflector

    @property
    def reflectors(self) -> tuple[Reflector, ...]:
        """What the process has to run."""
        return tuple(self._reflectors.values())

    async def get(self, group: str, resource: str, namespace: str, name: str) -> Object | None:
        """See `Cluster`."""
        key = Key(group=group, resource=resource, namespace=namespace, name=name)
        try:
            response = await self._storage.call(StorageRpcs.GET, GetRequest(key=key), CallContext())
        except HopError as error:
            if error.reason in (_NOT_FOUND, _NO_KEY) or (not error.reason and error.code is grpc.StatusCode.NOT_FOUND):
                return None
            raise
        found: Object = orjson.loads(response.object)
        return found

    async def list(self, group: str, resource: str, namespace: str) -> list[Object]:
        """See `Cluster`."""
        request = ListRequest(key=Key(group=group, resource=resource, namespace=namespace))
        found: list[Object] = []
        async for part in self._storage.stream(StorageRpcs.LIST, request, CallContext()):
            if part.WhichOneof("part") == "chunk":
                found.extend(orjson.loads(b"[" + part.chunk.items + b"]"))
        return found

    async def create(self, group: str, resource: str, namespace: str, name: str, obj: Object) -> bool:
        """See `Cluster`."""
        key = Key(group=group, resource=resource, namespace=namespace, name=name)
        try:
            await self._storage.call(
                StorageRpcs.CREATE, CreateRequest(key=key, object=orjson.dumps(obj)), CallContext()
            )
        except HopError as error:
            if error.reason == _ALREADY_EXISTS:
                return False
            raise
        return True

    async def update(self, group: str, resource: str, namespace: str, name: str, obj: Object) -> Object | None:
        """See `Cluster`."""
        key = Key(group=group, resource=resource, namespace=namespace, name=name)
        body = {**obj, "metadata": {k: v for k, v in obj["metadata"].items() if k != "resourceVersion"}}
        request = UpdateRequest(key=key, object=orjson.dumps(body), expected_revision=int(resource_version(obj)))
        try:
            response = await self._storage.call(StorageRpcs.UPDATE, request, CallContext())
        except HopError as error:
            if error.reason in {_CONFLICT, _NOT_FOUND}:
                return None
            raise
        stored: Object = orjson.loads(response.object)
        return stored
