"""Changes an object: read it, make the new one from it, prepare, validate, store if nobody was faster, else again.

Called by update, patch and apply, which differ in how the new object is made. As Store.Update and GuaranteedUpdate in
apiserver (pkg/registry/generic/registry/store.go, pkg/storage/etcd3/store.go).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from time import time

import orjson

from gateway.allocation import NO_CLAIMS
from gateway.writing import creating
from gateway.writing.admitting import CREATE, UPDATE
from gateway.writing.owning import keep_times_of_unchanged
from gateway.writing.writes import Write, conflict_of_uid
from kubehop.machinery import fields, metadata, status
from kubehop.machinery.gotext import parse_uint64
from kubehop.machinery.objects import Object, deep_copy, resource_version, uid
from kubehop.machinery.status import StatusError
from kubehop.pb.storage.v1 import GetResponse

UPPER_BOUND_SECONDS = 34.0
"""How long a write tries at most (requestTimeoutUpperBound)."""

Make = Callable[[Object | None], Awaitable[Object]]
"""Makes the new object from the live one (None: there is none), both in the version of the request."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a write left behind."""

    object: bytes
    """The object as stored, or as it last was where the write deleted it."""
    created: bool = False


async def update(write: Write, make: Make, *, creates: bool, wanted_uid: str = "") -> Outcome:
    """Change the object that the path names; returns it as stored.

    `creates` says that it is created where there is none. `wanted_uid` is the uid that the client means, if it said.
    """
    until = time() + UPPER_BOUND_SECONDS
    key = write.scope.key()
    while True:
        try:
            found: GetResponse | None = await write.storage.get(write.request, key)
        except StatusError as error:
            if error.reason != "NotFound" or not creates:
                raise
            found = None
        try:
            if found is None:
                return await _create(write, make)
            return await _change(write, make, found, wanted_uid)
        except _ChangedMeanwhileError as error:
            if time() > until:
                raise error.status from None


class _ChangedMeanwhileError(Exception):
    """Somebody else was faster."""

    def __init__(self, status_error: StatusError) -> None:
        super().__init__(status_error.message)
        self.status = status_error


async def _create(write: Write, make: Make) -> Outcome:
    obj = await make(None)
    options = write.options.to_object("CreateOptions")
    try:
        hub = write.view.take(obj, {})
        await write.check(hub, None)
        stored = await creating.store_new(write, hub, options)
    except StatusError as error:
        if error.reason == "AlreadyExists":
            raise _ChangedMeanwhileError(error) from None
        raise
    return Outcome(stored, created=True)


async def _change(write: Write, make: Make, found: GetResponse, wanted_uid: str) -> Outcome:
    scope, strategy = write.scope, write.strategy
    resource, name = scope.resource, scope.name
    old = write.read(found.object)
    if wanted_uid and wanted_uid != uid(old):
        raise conflict_of_uid(scope, name, wanted_uid, uid(old), found.store_key)
    new = write.view.take(await make(write.view.show(deep_copy(old))), old)
    await write.check(new, old)
    version = resource_version(new)
    _check_version(version)
    if version in ("", "0") and strategy.updates_unconditionally:
        new["metadata"]["resourceVersion"] = resource_version(old)
    elif version in ("", "0"):
        path = fields.Path("metadata", "resourceVersion")
        errors = [fields.invalid(path, 0, "must be specified for an update")]
        raise status.invalid(resource.group, resource.name, name, errors)
    elif version != resource_version(old):
        raise status.conflict(resource.group, resource.name, name)

    write.ensure_namespace(new)
    metadata.prepare_update(new, old)
    claims = NO_CLAIMS if write.view.subresource else await write.claim(new, old)
    try:
        outcome = await _finish(write, new, old, found)
    except BaseException as error:
        await claims.give_back(error)
        raise
    await claims.keep()
    return outcome


async def _finish(write: Write, new: Object, old: Object, found: GetResponse) -> Outcome:
    """Prepare, validate, admit and store the new object, which has what it needs of the cluster."""
    resource, name, strategy = write.scope.resource, write.scope.name, write.strategy
    strategy.prepare_for_update(new, old, write.view.subresource)
    if errors := strategy.validate_update(new, old, write.view.subresource):
        raise status.invalid(resource.storage_group, resource.kind, name, errors)
    if not write.view.subresource:
        for text in strategy.warnings(new, old):
            write.request.add_warning(text)
    strategy.canonicalize(new)
    keep_times_of_unchanged(new, old)
    await write.admission.validate(UPDATE, write.view.show(new), write.view.show(old), name)
    if _is_over(write, new, old):
        return await _remove(write, new, found)
    return await _store(write, new, found)


def _check_version(text: str) -> None:
    """Refuse a resourceVersion that is no number, as the store's versioner of kube-apiserver does."""
    if text:
        try:
            parse_uint64(text)
        except ValueError as error:
            raise status.unknown(str(error)) from None


async def _store(write: Write, new: Object, found: GetResponse) -> Outcome:
    body = write.encode(new)
    before: Object = orjson.loads(found.object)
    before["metadata"].pop("resourceVersion", None)
    if new == before:
        return Outcome(found.object)  # nothing has changed: no write, no event, the old resourceVersion
    if write.options.dry_run:
        new["metadata"]["resourceVersion"] = str(found.revision)
        metadata.order(new)
        return Outcome(orjson.dumps(new))
    try:
        answer = await write.storage.update(write.request, write.scope.key(), body, found.revision, write.ttl_seconds)
    except StatusError as error:
        if error.reason in ("Conflict", "NotFound"):
            raise _ChangedMeanwhileError(error) from None
        raise
    return Outcome(answer.object)


def _is_over(write: Write, new: Object, old: Object) -> bool:
    """Say whether the update took away the last thing that kept a deleted object (ShouldDeleteDuringUpdate)."""
    if new["metadata"].get("finalizers") or not metadata.is_being_deleted(old):
        return False
    return not old["metadata"].get("deletionGracePeriodSeconds") and not write.strategy.holds(new)


async def _remove(write: Write, new: Object, found: GetResponse) -> Outcome:
    """Delete the object; the client gets the one that it sent."""
    answer = orjson.loads(write.encode(new))
    answer["metadata"]["resourceVersion"] = str(found.revision)
    metadata.order(answer)
    if not write.options.dry_run:
        try:
            await write.storage.delete(write.request, write.scope.key(), found.revision)
        except StatusError as error:
            if error.reason == "Conflict":
                raise _ChangedMeanwhileError(error) from None
            if error.reason != "NotFound":  # deleted by somebody else: all the same to the client
                raise
        await write.allocations.delete(write.request, write.storage, write.scope.resource, answer)
    return Outcome(orjson.dumps(answer))


async def admit(write: Write, new: Object, live: Object | None) -> Object:
    """Let the mutating phase change the new object of an update, or of a create by update."""
    if live is None:
        options = write.options.to_object("CreateOptions")
        changed = await write.admission.mutate(CREATE, new, None, write.scope.name, options)
    else:
        changed = await write.admission.mutate(UPDATE, new, live, write.scope.name)
    assert changed is not None  # an object went in, so one comes out
    write.dedup_owners(changed, after_admission=True)
    return changed
