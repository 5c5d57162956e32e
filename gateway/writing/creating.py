"""Creates an object: name, admission, the kind's preparation and validation, storage.

Called by the create verb, and by update and apply where they create. As createHandler and Store.create in apiserver.
"""

from __future__ import annotations

import orjson

from gateway.writing.admitting import CREATE
from gateway.writing.writes import Write
from kubehop.machinery import metadata, status
from kubehop.machinery.objects import Object, deep_copy, name, resource_version, string
from kubehop.machinery.objects import metadata as meta_of
from kubehop.machinery.status import StatusError

NAME_ATTEMPTS = 8
"""How often a generated name is tried anew."""


async def create(write: Write, obj: Object) -> bytes:
    """Create an object of the request's version; returns it as stored.

    The object has been decoded and defaulted. Raises what admission, validation and storage refuse it with.
    """
    write.dedup_owners(obj, after_admission=False)
    write.own(None, obj)
    changed = await write.admission.mutate(CREATE, obj, None, name(obj))
    assert changed is not None  # an object went in, so one comes out
    write.dedup_owners(changed, after_admission=True)
    hub = write.view.take(changed, {})
    await write.check(hub, None)
    if string(meta_of(hub), "generateName") and not name(hub):
        for _ in range(NAME_ATTEMPTS - 1):
            try:
                return await store_new(write, deep_copy(hub))
            except StatusError as error:
                if error.reason != "AlreadyExists":
                    raise
        try:
            return await store_new(write, hub)
        except StatusError as error:
            if error.reason != "AlreadyExists":
                raise
            resource = write.scope.resource
            raise status.generate_name_conflict(resource.group, resource.name, name(hub)) from None
    return await store_new(write, hub)


async def store_new(write: Write, hub: Object, options: Object | None = None) -> bytes:
    """Prepare, validate and store a new object of the stored version; returns it as stored.

    `options` are those that admission sees where the request was no create.
    """
    stated_version = resource_version(hub)
    metadata.set_system_fields(hub)
    write.ensure_namespace(hub)
    claims = await write.claim(hub)
    try:
        stored = await _store(write, hub, stated_version, options)
    except BaseException as error:
        await claims.give_back(error)
        raise
    await claims.keep()
    return stored


async def _store(write: Write, hub: Object, stated_version: str, options: Object | None) -> bytes:
    scope, strategy = write.scope, write.strategy
    strategy.prepare_for_create(hub, write.writer)
    if errors := strategy.validate(hub):
        raise status.invalid(scope.resource.storage_group, scope.kind.kind, name(hub), errors)
    for text in strategy.warnings(hub):
        write.request.add_warning(text)
    strategy.canonicalize(hub)
    await write.admission.validate(CREATE, write.view.show(hub), None, name(hub), options)
    if stated_version not in ("", "0"):
        raise status.unknown("resourceVersion should not be set on objects to be created")
    body = write.encode(hub)
    if write.options.dry_run:
        return await _rehearse(write, hub, body)
    try:
        return (await write.storage.create(write.request, scope.key(name(hub)), body, write.ttl_seconds)).object
    except StatusError as error:
        if error.reason == "AlreadyExists":
            raise await _explain(write, hub, error) from None
        raise


async def _rehearse(write: Write, hub: Object, body: bytes) -> bytes:
    """Do what storing would do, but for storing."""
    resource = write.scope.resource
    try:
        await write.storage.get(write.request, write.scope.key(name(hub)))
    except StatusError as error:
        if error.reason == "NotFound":
            return body
        raise
    raise await _explain(write, hub, status.already_exists(resource.group, resource.name, name(hub)))


async def _explain(write: Write, hub: Object, error: StatusError) -> StatusError:
    """Say so where the object that is in the way is being deleted."""
    try:
        found = await write.storage.get(write.request, write.scope.key(name(hub)))
    except StatusError:
        return error
    if metadata.is_being_deleted(orjson.loads(found.object)):
        resource = write.scope.resource
        return status.already_exists(resource.group, resource.name, name(hub), "object is being deleted")
    return error
