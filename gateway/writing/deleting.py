"""Deletes an object: at once, after a grace period, or when its finalizers are gone.

Called by delete and deletecollection. As Store.Delete and rest.BeforeDelete in apiserver
(pkg/registry/generic/registry/store.go, pkg/registry/rest/delete.go).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import orjson

from gateway.allocation import Allocations
from gateway.backends import Storage
from gateway.context import RequestContext
from gateway.options import DeleteOptions
from gateway.scopes import Scope
from gateway.writing.admitting import DELETE, Admission
from kubehop.kinds.strategy import Strategy, strategy_for
from kubehop.machinery import metadata, status
from kubehop.machinery.metadata import FINALIZER_FOREGROUND, FINALIZER_ORPHAN
from kubehop.machinery.objects import Object, deep_copy, name, resource_version, uid
from kubehop.machinery.status import StatusError

_ATTEMPTS = 64
"""How often a deletion starts again because somebody changed the object meanwhile."""
_WITHOUT_DEPENDENTS = frozenset({("", "events"), ("events.k8s.io", "events")})
"""Resources without garbage collection: their finalizers of it are never set."""
_ORPHANING = frozenset[tuple[str, str]]()


@dataclass(frozen=True, slots=True)
class Deletion:
    """One delete of one object."""

    request: RequestContext
    scope: Scope
    storage: Storage
    admission: Admission
    options: DeleteOptions
    allocations: Allocations
    admits: bool = True
    """Whether admission is asked; not by evictions, which have been admitted themselves."""

    @property
    def _strategy(self) -> Strategy:
        return strategy_for(self.scope.resource)

    async def run(self, object_name: str) -> tuple[bytes | None, Object]:
        """Delete; returns the object as it stays, None where it is gone, and its last state.

        Raises 404, 409 where a precondition fails, and what admission refuses it with.
        """
        key = self.scope.key(object_name)
        for _ in range(_ATTEMPTS):
            found = await self.storage.get(self.request, key)
            obj: Object = orjson.loads(found.object)
            self._check_preconditions(obj)
            if self.admits:
                await self._admit(obj)
            changed = deep_copy(obj)
            stays, marked = self._prepare(changed)
            try:
                if stays and changed == obj:
                    return found.object, obj
                if self.options.dry_run:
                    return (orjson.dumps(changed), changed) if stays else (None, changed)
                revision = found.revision
                if marked:
                    # also where the object goes at once: watchers see that it is being deleted before it is gone
                    changed["metadata"].pop("resourceVersion", None)
                    metadata.order(changed)
                    stored = await self.storage.update(self.request, key, orjson.dumps(changed), revision)
                    changed = orjson.loads(stored.object)
                    if stays:
                        return stored.object, changed
                    revision = stored.revision
                await self.storage.delete(self.request, key, revision)
            except StatusError as error:
                if error.reason != "Conflict":
                    raise
                continue
            await self.allocations.delete(self.request, self.storage, self.scope.resource, changed)
            return None, changed
        raise status.conflict(self.scope.resource.group, self.scope.resource.name, object_name)

    async def _admit(self, obj: Object) -> None:
        await self.admission.mutate(DELETE, None, obj, name(obj))
        await self.admission.validate(DELETE, None, obj, name(obj))

    def _check_preconditions(self, obj: Object) -> None:
        options, scope = self.options, self.scope
        if options.uid is not None and options.uid != uid(obj):
            text = (
                f"the UID in the precondition ({options.uid}) does not match the UID in record ({uid(obj)}). "
                "The object might have been deleted and then recreated"
            )
            raise status.conflict(scope.resource.group, scope.resource.kind, name(obj), text)
        if options.resource_version is not None and options.resource_version != resource_version(obj):
            text = (
                f"the ResourceVersion in the precondition ({options.resource_version}) does not match the "
                f"ResourceVersion in record ({resource_version(obj)}). The object might have been modified"
            )
            raise status.conflict(scope.resource.group, scope.resource.kind, name(obj), text)

    def _prepare(self, obj: Object) -> tuple[bool, bool]:
        """Mark the object as the deletion leaves it. Changes the object.

        Says whether it stays for now, and whether the mark is to be stored.
        """
        options = self.options
        if options.grace_period_seconds is not None and options.grace_period_seconds < 0:
            options = replace(options, grace_period_seconds=1)
        graceful = _Grace(obj, options, self._strategy)
        if graceful.pending:
            return True, False
        meta = obj["metadata"]
        self._set_finalizers(meta, options)
        holds = self._strategy.holds(obj)
        held = bool(meta.get("finalizers")) or holds
        if graceful.begins:
            if held or meta["deletionGracePeriodSeconds"] > 0:
                self._strategy.on_delete(obj)
                return True, True
            return False, True
        if held:
            _mark_deleting(obj, with_grace=not holds)
            self._strategy.on_delete(obj)
        return held, held

    def _set_finalizers(self, meta: Object, options: DeleteOptions) -> None:
        """Add or take away the garbage collector's finalizers (deletionFinalizersForGarbageCollection)."""
        before = list(meta.get("finalizers") or ())
        after = [one for one in before if one not in (FINALIZER_ORPHAN, FINALIZER_FOREGROUND)]
        if self._orphans(before, options):
            after.append(FINALIZER_ORPHAN)
        if self._in_foreground(before, options):
            after.append(FINALIZER_FOREGROUND)
        if set(after) == set(before):
            return
        if after:
            meta["finalizers"] = after
        else:
            meta.pop("finalizers", None)

    def _orphans(self, finalizers: list[str], options: DeleteOptions) -> bool:
        where = (self.scope.resource.group, self.scope.resource.name)
        if where in _WITHOUT_DEPENDENTS:
            return False
        if options.orphan_dependents is not None:
            return options.orphan_dependents
        if options.propagation_policy is not None:
            return options.propagation_policy == "Orphan"
        for one in finalizers:
            if one in (FINALIZER_ORPHAN, FINALIZER_FOREGROUND):
                return one == FINALIZER_ORPHAN
        return where in _ORPHANING

    def _in_foreground(self, finalizers: list[str], options: DeleteOptions) -> bool:
        if (self.scope.resource.group, self.scope.resource.name) in _WITHOUT_DEPENDENTS:
            return False
        if options.orphan_dependents is not None:
            return False
        if options.propagation_policy is not None:
            return options.propagation_policy == "Foreground"
        for one in finalizers:
            if one in (FINALIZER_ORPHAN, FINALIZER_FOREGROUND):
                return one == FINALIZER_FOREGROUND
        return False


class _Grace:
    """The grace period of a deletion, noted in the object (rest.BeforeDelete)."""

    def __init__(self, obj: Object, options: DeleteOptions, strategy: Strategy) -> None:
        self.pending = False
        """The object is being deleted already and this request changes nothing."""
        self.begins = False
        """The object now has a deletion time that this request set."""
        meta = obj["metadata"]
        if meta.get("deletionTimestamp"):
            self._shorten(meta, options)
            return
        period = strategy.grace_period(obj, options.grace_period_seconds)
        if period is None:
            return
        self.begins = True
        meta["deletionTimestamp"] = _text(_now() + timedelta(seconds=period))
        meta["deletionGracePeriodSeconds"] = period
        if meta.get("generation"):
            meta["generation"] += 1

    def _shorten(self, meta: Object, options: DeleteOptions) -> None:
        current = meta.get("deletionGracePeriodSeconds") or 0
        if not current:
            return  # the last step of an earlier deletion did not happen: do it now
        wanted = options.grace_period_seconds
        if wanted is None or wanted >= current:
            self.pending = True
            return
        begun = datetime.fromisoformat(meta["deletionTimestamp"]) - timedelta(seconds=current)
        ends = begun + timedelta(seconds=wanted)
        if ends < _now():
            ends, wanted = _now(), min(wanted, 1)
        meta["deletionTimestamp"] = _text(ends)
        meta["deletionGracePeriodSeconds"] = wanted
        self.begins = True


def _mark_deleting(obj: Object, *, with_grace: bool) -> None:
    """Note that the object is being deleted at once (markAsDeleting); a namespace keeps no grace period. Changes it."""
    meta = obj["metadata"]
    present = meta.get("deletionTimestamp")
    if present is None and meta.get("generation"):
        meta["generation"] += 1
    if present is None or datetime.fromisoformat(present) > _now():
        meta["deletionTimestamp"] = _text(_now())
    if with_grace:
        meta["deletionGracePeriodSeconds"] = 0


def _now() -> datetime:
    return datetime.now(tz=UTC).replace(microsecond=0)


def _text(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
