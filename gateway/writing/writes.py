"""One write request: the objects that pass through it, and the steps that every kind of write shares.

Made by the verbs; `gateway.writing.{creating,updating,deleting}` carry it out.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import orjson

from gateway.allocation import Allocations, Claims
from gateway.backends import Storage
from gateway.context import RequestContext
from gateway.options import WriteOptions
from gateway.scopes import Scope
from gateway.writing.admitting import Admission
from gateway.writing.owning import field_manager, manager_name
from gateway.writing.views import View
from kubehop.kinds.schemas import schema_for
from kubehop.kinds.strategy import Strategy, Writer, strategy_for
from kubehop.machinery import decoding, status, timestamps
from kubehop.machinery.metadata import ensure_namespace, order
from kubehop.machinery.objects import Object, metadata
from kubehop.machinery.schema import Schema

EVENT_TTL_SECONDS = 3600
"""How long events are kept, kube-apiserver's --event-ttl."""
_DUPLICATES = (
    ".metadata.ownerReferences contains duplicate entries; API server dedups owner references in 1.20+, and may reject "
    "such requests as early as 1.24; please fix your requests; duplicate UID(s) observed: "
)
_DUPLICATES_AFTER = (
    ".metadata.ownerReferences contains duplicate entries after mutating admission happens; API server dedups owner "
    "references in 1.20+, and may reject such requests as early as 1.24; please fix your requests; duplicate UID(s) "
    "observed: "
)


Guard = Callable[["Write", Object, Object | None], Awaitable[None]]
"""Refuses to write a new object, or to change an old one into it, for reasons that are neither admission's nor the
kind's; both in the stored version."""


@dataclass(frozen=True, slots=True)
class Write:
    """What a create, update, patch or apply has at hand."""

    request: RequestContext
    scope: Scope
    storage: Storage
    admission: Admission
    options: WriteOptions
    view: View
    allocations: Allocations
    guard: Guard | None = None
    """Asked once admission has changed the object, before anything else looks at it."""

    @property
    def strategy(self) -> Strategy:
        """Rules of the resource."""
        return strategy_for(self.scope.resource)

    @property
    def writer(self) -> Writer:
        """Who writes, for kinds that keep it."""
        user = self.request.user
        extra = {key: tuple(values.values) for key, values in user.extra.items()}
        return Writer(user.username, user.uid, tuple(user.groups), extra)

    @property
    def schema(self) -> Schema:
        """Schema of what is kept."""
        resource = self.scope.resource
        return schema_for(resource.storage_group, resource.storage_version, resource.kind)

    @property
    def ttl_seconds(self) -> int:
        """Time after which the store drops the object, 0 for never."""
        resource = self.scope.resource
        return EVENT_TTL_SECONDS if resource.name == "events" and resource.kind == "Event" else 0

    async def check(self, new: Object, old: Object | None) -> None:
        """Ask the guard, where there is one. Raises its refusal."""
        if self.guard is not None:
            await self.guard(self, new, old)

    def ensure_namespace(self, obj: Object) -> None:
        """Give an object the namespace of the request. Raises 400 where it names another one."""
        ensure_namespace(obj, self.scope.namespace, namespaced=self.scope.resource.namespaced)

    async def claim(self, new: Object, old: Object | None = None) -> Claims:
        """Take what an object needs of the cluster, and write it into it. Raises 422 where it cannot be had."""
        resource, dry_run = self.scope.resource, self.options.dry_run
        if old is None:
            return await self.allocations.create(self.request, self.storage, resource, new, dry_run=dry_run)
        return await self.allocations.update(self.request, self.storage, resource, new, old, dry_run=dry_run)

    def own(self, live: Object | None, obj: Object) -> None:
        """Keep the managedFields of an object that is being written."""
        if not self.strategy.tracks_owners:
            metadata(obj).pop("managedFields", None)
            return
        manager = manager_name(self.request, self.options.field_manager)
        field_manager(self.scope).update(live, obj, manager, timestamps.now())

    def dedup_owners(self, obj: Object, *, after_admission: bool) -> None:
        """Drop owner references that repeat, with a warning."""
        references = (obj.get("metadata") or {}).get("ownerReferences")
        if not references or len(references) == 1:
            return
        kept: list[Object] = []
        repeated: list[str] = []
        for reference in references:
            if reference in kept:
                repeated.append(reference.get("uid", ""))
            else:
                kept.append(reference)
        if repeated:
            text = _DUPLICATES_AFTER if after_admission else _DUPLICATES
            self.request.add_warning(text + ", ".join(repeated))
            obj["metadata"]["ownerReferences"] = kept

    def read(self, stored: bytes) -> Object:
        """Return a kept object, decoded and with the defaults of today."""
        obj: Object = orjson.loads(stored)
        self.strategy.default(obj)
        return obj

    def encode(self, obj: Object) -> bytes:
        """Return an object as it is kept, without resourceVersion, in full. Changes the object."""
        obj["metadata"].pop("resourceVersion", None)
        decoding.complete(self.schema, obj)
        order(obj)
        return orjson.dumps(obj)


def conflict_of_uid(scope: Scope, name: str, wanted: str, found: str, key: str) -> status.StatusError:
    """Return the 409 for an object whose uid is not the one that the client means (etcd3's Preconditions.Check)."""
    return status.conflict(
        scope.resource.group,
        scope.resource.name,
        name,
        f"StorageError: invalid object, Code: 4, Key: {key}, ResourceVersion: 0, AdditionalErrorMsg: Precondition "
        f"failed: UID in precondition: {wanted}, UID in object meta: {found}",
    )
