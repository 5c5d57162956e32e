"""What may be written to a kind: defaults, what clients may not set, what is valid, what may change.

The gateway's write verbs call a `Strategy` in the order of kube-apiserver: `default` on everything that was decoded (a
request's body, a patch's result, an object from the store), then `prepare_for_create` or `prepare_for_update`, then
`validate` or `validate_update`, then `canonicalize`. The base class is what all kinds share and all that most need; a
kind with rules of its own has a subclass named `STRATEGY` in its home module and overrides the hooks at the end.
Follows apiserver pkg/registry/rest (create.go, update.go, delete.go) and the strategies of pkg/registry.
"""

from __future__ import annotations

import enum
import functools
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

from kubehop.kinds import homes
from kubehop.kinds.resource import Resource
from kubehop.machinery import metadata, names
from kubehop.machinery.fields import FieldError, Path, invalid

Object = dict[str, Any]
FieldPath = tuple[str, ...]

STANDARD_FINALIZERS = frozenset({"kubernetes", metadata.FINALIZER_ORPHAN, metadata.FINALIZER_FOREGROUND})
NOT_STANDARD_FINALIZER = "name is neither a standard finalizer name nor is it fully qualified"


@dataclass(frozen=True, slots=True)
class Writer:
    """Who writes, for kinds that keep it (certificate signing requests)."""

    username: str = ""
    uid: str = ""
    groups: tuple[str, ...] = ()
    extra: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


NOBODY = Writer()


class Step(enum.Enum):
    """A part of validating an update, after the checks of metadata that all kinds share."""

    METADATA_UPDATE = enum.auto()
    """What may not change in metadata."""
    METADATA = enum.auto()
    """Metadata as for a new object."""
    CHECK = enum.auto()
    """The kind's `check`."""
    CHANGES = enum.auto()
    """The kind's `check_update`."""


# What kinds of kube-apiserver do on an update, of which errors come twice and in which order: a kind names the one that
# its ValidateUpdate follows.
CHANGES_LAST = (Step.METADATA_UPDATE, Step.CHECK, Step.CHANGES)
CHANGES_FIRST = (Step.METADATA_UPDATE, Step.CHANGES, Step.METADATA, Step.CHECK)
NEW_THEN_CHANGES = (Step.METADATA, Step.CHECK, Step.METADATA_UPDATE, Step.CHANGES)
NEW_ALONE = (Step.METADATA, Step.CHECK, Step.CHANGES)
NEW_TWICE = (Step.METADATA, Step.CHECK, Step.METADATA, Step.CHECK, Step.METADATA_UPDATE, Step.CHANGES)


class Strategy:
    """The rules of one resource. Methods that say so change the object that they are given.

    Objects come in the stored version, but for `default`, which takes any served one.
    """

    counts_generation: ClassVar[bool] = False
    """Whether metadata.generation counts the changes of the spec."""
    ungenerated_fields: ClassVar[tuple[str, ...]] = ()
    """Fields at the top, beside metadata and status, whose change is no new generation."""
    creates_on_update: ClassVar[bool] = False
    """Whether PUT to a name that is not there creates the object."""
    updates_unconditionally: ClassVar[bool] = True
    """Whether an update without resourceVersion is taken."""
    update_steps: ClassVar[tuple[Step, ...]] = CHANGES_LAST
    """How an update is validated."""
    standard_finalizers: ClassVar[bool] = True
    """Whether finalizers without a domain have to be Kubernetes' own."""
    tracks_owners: ClassVar[bool] = True
    """Whether metadata.managedFields tells who owns which field."""
    status_resets: ClassVar[tuple[FieldPath, ...]] = (("spec",),)
    """What a write through the status subresource cannot change; other than metadata, all but status is kept anyway."""

    def __init__(self, resource: Resource) -> None:
        self.resource = resource

    # --- called by the verbs ---

    def default(self, obj: Object) -> None:
        """Fill in what the kind fills in when it is read. Changes the object."""

    def prepare_for_create(self, obj: Object, writer: Writer = NOBODY) -> None:
        """Drop what a client may not set in a new object, start its generation. Changes the object.

        uid, name and creation time are set already.
        """
        if self.resource.has_status:
            obj.pop("status", None)
        if self.counts_generation:
            obj["metadata"]["generation"] = 1  # kinds that do not count leave the client's
        self.on_create(obj)
        self.on_create_by(obj, writer)

    def prepare_for_update(self, new: Object, old: Object, subresource: str = "") -> None:
        """Keep what the path of an update may not change, raise the generation. Changes the new object.

        Metadata that no update may change has been kept already.
        """
        if subresource == "status":
            self.keep_all_but_status(new, old)
            self.on_status_update(new, old)
            return
        if subresource:
            self.on_subresource_update(new, old, subresource)
            return
        if self.resource.has_status:
            _keep(new, old, "status")
        self.on_update(new, old)
        if self.counts_generation and metadata.spec_changed(new, old, ignore=self.ungenerated_fields):
            metadata.bump_generation(new, old)

    def keep_all_but_status(self, new: Object, old: Object) -> None:
        """Take everything but metadata and status from the old object. Changes the new object."""
        for key in (new.keys() | old.keys()) - {"apiVersion", "kind", "metadata", "status"}:
            _keep(new, old, key)
        for path in self.status_resets:
            if path[0] == "metadata":
                _keep(new.setdefault("metadata", {}), old.get("metadata") or {}, path[1])

    def validate(self, obj: Object) -> list[FieldError]:
        """Return what is wrong with a new object, metadata first."""
        errors = metadata.validate(obj, namespaced=self.resource.namespaced, name_rule=self.name_rule)
        errors.extend(self._check_finalizers(obj))
        errors.extend(self.check(obj))
        errors.extend(self.check_create(obj))
        return errors

    def validate_update(self, new: Object, old: Object, subresource: str = "") -> list[FieldError]:
        """Return what is wrong with a changed object, metadata first.

        Errors of metadata come once from what all kinds share and again from the kind, as kube-apiserver sends them.
        """
        alone = metadata.validate(new, namespaced=self.resource.namespaced)
        changed = metadata.validate_update(new, old)
        finalizers = self._check_finalizers(new)
        errors = alone + changed
        if subresource:
            errors += changed + finalizers
            errors.extend(self.check_subresource_update(new, old, subresource))
            return errors
        for step in self.update_steps:
            match step:
                case Step.METADATA_UPDATE:
                    errors += changed + finalizers
                case Step.METADATA:
                    errors += alone + finalizers
                case Step.CHECK:
                    errors.extend(self.check(new))
                case Step.CHANGES:
                    errors.extend(self.check_update(new, old))
        return errors

    def _check_finalizers(self, obj: Object) -> list[FieldError]:
        """Return the finalizers that have no domain and are not Kubernetes' own (validateKubeFinalizerName)."""
        finalizers = obj["metadata"].get("finalizers")
        if not finalizers or not self.standard_finalizers:
            return []
        path = Path("metadata", "finalizers")
        return [
            invalid(path.index(index), name, NOT_STANDARD_FINALIZER)
            for index, name in enumerate(finalizers)
            if "/" not in name and name not in STANDARD_FINALIZERS
        ]

    def canonicalize(self, obj: Object) -> None:
        """Bring a valid object into its one form. Changes the object."""

    def warnings(self, obj: Object, old: Object | None = None) -> list[str]:
        """Return what the client should be told about a written object that is valid all the same."""
        _ = obj, old
        return []

    def reset_fields(self, subresource: str = "") -> tuple[FieldPath, ...]:
        """Return the fields that a write through this path cannot change, so that nobody comes to own them by it."""
        if subresource == "status":
            return self.status_resets
        return (("status",),) if self.resource.has_status and not subresource else ()

    def grace_period(self, obj: Object, requested: int | None) -> int | None:
        """Return how many seconds a deletion waits; None where objects go at once, whatever is asked for."""
        _ = obj, requested
        return None

    def on_delete(self, obj: Object) -> None:
        """Note in an object that stays for now that it is being deleted. Changes the object."""

    def holds(self, obj: Object) -> bool:
        """Tell whether something of the kind's own, beside finalizers in metadata, keeps a deleted object."""
        _ = obj
        return False

    # --- for kinds to override ---

    def name_rule(self, name: str, prefix: bool) -> list[str]:
        """Return what is wrong with a name, or with the beginning of a generated one."""
        return names.name_is_dns_subdomain(name, prefix)

    def on_create(self, obj: Object) -> None:
        """Add the kind's own preparation of a new object. Changes the object."""

    def on_create_by(self, obj: Object, writer: Writer) -> None:
        """Note in a new object who made it. Changes the object."""

    def on_update(self, new: Object, old: Object) -> None:
        """Add the kind's own preparation of an update. Changes the new object."""

    def on_status_update(self, new: Object, old: Object) -> None:
        """Add the kind's own preparation of a status update. Changes the new object."""

    def on_subresource_update(self, new: Object, old: Object, subresource: str) -> None:
        """Prepare an update through a subresource other than status. Changes the new object."""

    def check(self, obj: Object) -> Iterable[FieldError]:
        """Return what is wrong with an object, new or changed, beside its metadata."""
        _ = obj
        return ()

    def check_create(self, obj: Object) -> Iterable[FieldError]:
        """Return what is wrong with a new object alone."""
        _ = obj
        return ()

    def check_update(self, new: Object, old: Object) -> Iterable[FieldError]:
        """Return what may not have changed."""
        _ = new, old
        return ()

    def check_subresource_update(self, new: Object, old: Object, subresource: str) -> Iterable[FieldError]:
        """Return what is wrong with an update through a subresource."""
        _ = new, old, subresource
        return ()


@functools.cache
def strategy_for(resource: Resource) -> Strategy:
    """Return the strategy of a resource: the `STRATEGY` of its home module, or what all kinds share."""
    return (homes.subclass(resource, "STRATEGY", Strategy) or Strategy)(resource)


def _keep(new: Object, old: Mapping[str, Any], key: str) -> None:
    if key in old:
        new[key] = old[key]
    else:
        new.pop(key, None)
