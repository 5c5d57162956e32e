"""The algebra of ownership: what an update or an apply does to the sets of the managers, and to the object.

Called by `manager` with typed objects; knows nothing of metadata.managedFields' form. A manager here is an opaque
identifier, its set belongs to one version of the API, and a `Converter` turns objects into other versions.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from kubehop.machinery.apply import typed
from kubehop.machinery.apply.fieldsets import (
    FieldSet,
    difference,
    intersection,
    paths,
    recursive_difference,
    union,
)
from kubehop.machinery.apply.typed import Comparison
from kubehop.machinery.schema import Schema

Object = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Ownership:
    """The fields of one manager."""

    fields: FieldSet
    version: str
    """apiVersion in whose terms the fields are named, for example "apps/v1"."""
    applied: bool
    """True for server-side apply, False for every other write."""


Managers = dict[str, Ownership]


class Converter(Protocol):
    """What the updater must know about versions."""

    def schema(self, version: str) -> Schema | None:
        """The schema of the kind in `version`; None where that version is not served any more."""

    def convert(self, obj: Object, version: str) -> Object:
        """The object in `version`."""


@dataclass(frozen=True, slots=True)
class Conflict:
    """A field that another manager owns with another value."""

    manager: str
    path: tuple[str, ...]


class ConflictsError(Exception):
    """An apply would change fields that others own."""

    def __init__(self, conflicts: list[Conflict]) -> None:
        super().__init__(f"{len(conflicts)} conflicts")
        self.conflicts = conflicts


@dataclass(frozen=True, slots=True)
class Updater:
    """Update and apply for one kind."""

    converter: Converter
    ignored: Mapping[str, FieldSet]
    """Per version the fields that the kind's strategy resets: nobody comes to own them on this path."""

    def update(self, live: Object, new: Object, version: str, managers: Managers, manager: str) -> Managers:
        """Ownership after a write that is no apply: `manager` owns what it changed, others lose what changed."""
        managers = self._reconciled(managers)
        managers, changes = self._take(live, new, version, managers, manager, force=True)
        owned = managers[manager].fields if manager in managers else {}
        owned = union(union(difference(owned, changes.removed), changes.modified), changes.added)
        owned = recursive_difference(owned, self.ignored.get(version, {}))
        managers.pop(manager, None)
        if owned:
            managers[manager] = Ownership(owned, version, applied=False)
        return managers

    def apply(
        self, live: Object, config: Object, version: str, managers: Managers, manager: str, *, force: bool
    ) -> tuple[Object | None, Managers]:
        """The object and the ownership after `manager` applied `config`; no object where nothing changes.

        Raises ConflictsError unless `force`.
        """
        managers = self._reconciled(managers)
        node = self._schema(version)
        merged = typed.merge(node, live, config)
        last = managers.get(manager)
        fields = recursive_difference(typed.to_field_set(node, config), self.ignored.get(version, {}))
        managers[manager] = Ownership(fields, version, applied=True)
        pruned = self._prune(merged, managers, manager, last)
        managers, _ = self._take(live, pruned, version, managers, manager, force=force)
        return (None if pruned == live else pruned), managers

    def _schema(self, version: str) -> Schema:
        node = self.converter.schema(version)
        if node is None:
            raise LookupError(f"no schema for version {version}")
        return node

    def _reconciled(self, managers: Managers) -> Managers:
        out: Managers = {}
        for manager, owned in managers.items():
            node = self.converter.schema(owned.version)
            if node is not None:  # versions that are gone take their ownership along
                out[manager] = Ownership(typed.reconcile(node, owned.fields), owned.version, owned.applied)
        return out

    def _compare(self, live: Object, new: Object, version: str) -> Comparison:
        found = typed.compare(
            self._schema(version), self.converter.convert(live, version), self.converter.convert(new, version)
        )
        ignored = self.ignored.get(version)
        if not ignored:
            return found
        return Comparison(
            recursive_difference(found.added, ignored),
            recursive_difference(found.modified, ignored),
            recursive_difference(found.removed, ignored),
        )

    def _take(
        self, live: Object, new: Object, version: str, managers: Managers, manager: str, *, force: bool
    ) -> tuple[Managers, Comparison]:
        """Take from all others what changes; raises ConflictsError where that is not allowed."""
        comparisons = {version: self._compare(live, new, version)}
        changed = {version: union(comparisons[version].modified, comparisons[version].added)}
        conflicts: list[Conflict] = []
        out: Managers = {}
        for other, owned in managers.items():
            if other == manager:
                out[other] = owned
                continue
            if owned.version not in comparisons:
                found = self._compare(live, new, owned.version)
                comparisons[owned.version] = found
                changed[owned.version] = union(found.modified, found.added)
            taken = intersection(owned.fields, changed[owned.version])
            conflicts += [Conflict(other, path) for path in paths(taken)]
            left = difference(difference(owned.fields, taken), comparisons[owned.version].removed)
            if left:
                out[other] = Ownership(left, owned.version, owned.applied)
        if conflicts and not force:
            raise ConflictsError(sorted(conflicts, key=lambda c: (c.manager, c.path)))
        if manager in out and not out[manager].fields:
            del out[manager]
        return out, comparisons[version]

    def _prune(self, merged: Object, managers: Managers, manager: str, last: Ownership | None) -> Object:
        """Remove what `manager` applied the last time, does not apply now, and nobody else owns."""
        if last is None or not last.fields:
            return merged
        applied = managers[manager]
        if last.version == applied.version and not difference(last.fields, applied.fields):
            return merged  # all that it applied the last time it applies again
        node = self.converter.schema(last.version)
        if node is None:
            return merged
        before = self.converter.convert(merged, last.version)
        pruned = _without(node, before, typed.with_named_fields(node, last.fields))
        pruned = self._add_back_owned(before, pruned, last.version, managers.values())
        dangling = self._dangling(node, before, pruned, last.fields)
        return self.converter.convert(_without(node, before, dangling), managers[manager].version)

    def _add_back_owned(self, merged: Object, pruned: Object, version: str, owners: Iterable[Ownership]) -> Object:
        """Put back what a manager, the applying one with its new configuration included, owns."""
        by_version: dict[str, FieldSet] = {}
        for owned in owners:
            by_version[owned.version] = union(by_version.get(owned.version, {}), owned.fields)
        current = version
        # the pruned version first: what it puts back, a conversion may need
        for each in sorted(by_version, key=lambda v: (v != version, v)):
            node = self.converter.schema(each)
            if node is None:
                continue
            merged = self.converter.convert(merged, each)
            pruned = self.converter.convert(pruned, each)
            current = each
            everything = typed.with_named_fields(node, typed.to_field_set(node, merged))
            kept = union(
                typed.with_named_fields(node, typed.to_field_set(node, pruned)),
                typed.with_named_fields(node, by_version[each]),
            )
            pruned = _without(node, merged, difference(everything, kept))
        return pruned if current == version else self.converter.convert(pruned, version)

    def _dangling(self, node: Schema, merged: Object, pruned: Object, last: FieldSet) -> FieldSet:
        """Of what pruning removed, the part that the applying manager owned the last time."""
        gone = difference(
            typed.with_named_fields(node, typed.to_field_set(node, merged)),
            typed.with_named_fields(node, typed.to_field_set(node, pruned)),
        )
        return intersection(gone, typed.with_named_fields(node, last))


def _without(node: Schema, obj: Object, fields: FieldSet) -> Object:
    left = typed.remove(node, obj, fields) if fields else obj
    return left if isinstance(left, dict) else {}
