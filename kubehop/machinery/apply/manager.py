"""What the verbs call: keep metadata.managedFields right on every write, and carry out an apply.

The order of the steps is kube-apiserver's field manager: version check, client-side apply's annotation, tracking from
the first write on, the cap on updaters, identifiers, times, metadata that nobody owns, structured merge.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from kubehop.machinery import objects, status
from kubehop.machinery.apply import configurations, entries, typed
from kubehop.machinery.apply.entries import Managed
from kubehop.machinery.apply.fieldsets import FieldSet, difference, from_paths, has_path, path_text, union
from kubehop.machinery.apply.updater import Conflict, ConflictsError, Converter, Managers, Ownership, Updater
from kubehop.machinery.objects import GroupVersionKind, Object
from kubehop.machinery.schema import Schema

LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
KUBECTL = "kubectl"
BEFORE_FIRST_APPLY = "before-first-apply"
_CURRENT = "current-operation"

_UNOWNED = from_paths(
    [
        ("f:apiVersion",),
        ("f:kind",),
        ("f:metadata",),
        *(
            ("f:metadata", f"f:{name}")
            for name in (
                "name", "namespace", "creationTimestamp", "selfLink", "uid", "clusterName", "generation",
                "managedFields", "resourceVersion",
            )
        ),
    ]
)  # fmt: skip
"""Fields that are never in anybody's set."""


@dataclass(frozen=True, slots=True)
class FieldManager:
    """Field management for one kind on one path (the object itself or a subresource)."""

    kind: GroupVersionKind
    """The kind in the version of the request."""
    converter: Converter
    ignored: Mapping[str, FieldSet]
    """Per version the fields that this path resets (the strategy's reset fields)."""
    subresource: str = ""
    finish: Callable[[Object], Object] = lambda obj: obj
    """Defaults and normal form for an object that came out of a merge."""

    @property
    def _version(self) -> str:
        return self.kind.api_version

    @property
    def _updater(self) -> Updater:
        return Updater(self.converter, self.ignored)

    def update(self, live: Object | None, new: Object, manager: str, now: str) -> None:
        """Set new's managedFields after a create, update or patch that made `new` from `live` (None: a create).

        Both objects are in the request's version. `now` is an RFC 3339 time in seconds.
        """
        base = live if live is not None else {}
        managed = self._managed_for_update(base, new)
        if managed is None:
            return
        _drop_entries(new)
        if live is not None and not managed.owners:
            return  # an object that nobody tracks stays untracked until its first apply
        managed = self._update(base, new, managed, manager, now)
        entries.cap(managed)
        _set_entries(new, managed)

    def apply(self, live: Object | None, config: Object, manager: str, now: str, *, force: bool) -> Object:
        """The object after `manager` applied `config` onto `live` (None: it is created), managedFields included.

        Raises StatusError: 409 with a cause per conflict, 400 for documents that are no configuration.
        """
        self._check(config)
        node = self._schema()
        base = _without_entries(live) if live is not None else {}
        try:
            managed = entries.decode(objects.metadata(live).get("managedFields")) if live is not None else Managed()
        except entries.MalformedEntriesError as error:
            raise status.internal_error(f"failed to decode managed fields: {error}") from error
        if not managed.owners and live is not None:
            managed = self._update({}, base, managed, BEFORE_FIRST_APPLY, now)
        problems = configurations.validate(node, config)
        if problems:
            raise status.unknown(f"failed to create typed patch object ({self._named(config)}): {_joined(problems)}")
        try:
            merged = self._apply(base, config, managed, manager, now, force=force)
        except ConflictsError as error:
            conflicts = self._not_from_client_side(node, base, manager, error.conflicts)
            if conflicts:
                raise _conflict_status(conflicts) from error
            merged = self._apply(base, config, managed, manager, now, force=True)
        if manager == KUBECTL and objects.annotations(merged).get(LAST_APPLIED):
            _refresh_last_applied(merged, config)
        return merged

    def _schema(self) -> Schema:
        node = self.converter.schema(self._version)
        if node is None:
            raise LookupError(f"no schema for {self.kind}")
        return node

    def _managed_for_update(self, live: Object, new: Object) -> Managed | None:
        """The entries to start from: the client's own, unless it sent none, broken ones, or asks to forget them."""
        raw = objects.metadata(new).get("managedFields")
        if not self.subresource:
            if entries.is_reset(raw):
                return Managed()
            try:
                managed = entries.decode(raw)
            except entries.MalformedEntriesError:
                managed = Managed()
            if managed.owners:
                return managed
        try:
            return entries.decode(objects.metadata(live).get("managedFields"))
        except entries.MalformedEntriesError:
            return Managed()

    def _update(self, live: Object, new: Object, managed: Managed, manager: str, now: str) -> Managed:
        live, new = _without_entries(live), _without_entries(new)
        owners = self._updater.update(live, new, self._version, dict(managed.owners), _CURRENT)
        times = dict(managed.times)
        _strip(owners, _CURRENT)
        own = owners.pop(_CURRENT, None)
        if own is not None:
            key = entries.identifier(manager or "unknown", "Update", self._version, self.subresource)
            previous = owners.get(key)
            fields = union(own.fields, previous.fields) if previous else own.fields
            owners[key] = Ownership(fields, self._version, applied=False)
            times[key] = now
        return Managed(owners, times)

    def _apply(self, live: Object, config: Object, managed: Managed, manager: str, now: str, *, force: bool) -> Object:
        key = entries.identifier(manager, "Apply", self._version, self.subresource)
        merged, owners = self._updater.apply(live, config, self._version, dict(managed.owners), key, force=force)
        times = dict(managed.times)
        _strip(owners, key)
        out = live
        if merged is not None:
            times[key] = now
            out = self.finish(merged)
        out = {**out, "metadata": {**objects.metadata(out)}}
        _set_entries(out, Managed(owners, times))
        return out

    def _check(self, config: Object) -> None:
        got = objects.type_of(config)
        if (got.group, got.version) != (self.kind.group, self.kind.version) or got.kind != self.kind.kind:
            raise status.bad_request(f"invalid object type: {got}")
        if objects.metadata(config).get("managedFields") is not None:
            raise status.bad_request("metadata.managedFields must be nil")

    def _named(self, obj: Object) -> str:
        return f"{objects.namespace(obj)}/{objects.name(obj)}; {self.kind}"

    def _not_from_client_side(
        self, node: Schema, live: Object, manager: str, conflicts: Sequence[Conflict]
    ) -> list[Conflict]:
        """The conflicts that remain when kubectl takes over what its client-side apply set last."""
        text = objects.annotations(live).get(LAST_APPLIED)
        if manager != KUBECTL or not text:
            return list(conflicts)
        try:
            last = orjson.loads(text)
        except ValueError:
            return list(conflicts)
        if not isinstance(last, dict) or last.get("apiVersion") != self._version or configurations.validate(node, last):
            return list(conflicts)
        changes = typed.compare(node, last, live)
        mine = typed.to_field_set(node, last)
        for changed in (changes.modified, changes.added, changes.removed):
            mine = difference(mine, changed)
        return [c for c in conflicts if not has_path(mine, c.path)]


def _strip(owners: Managers, manager: str) -> None:
    owned = owners.get(manager)
    if owned is None:
        return
    left = difference(owned.fields, _UNOWNED)
    if left:
        owners[manager] = Ownership(left, owned.version, owned.applied)
    else:
        del owners[manager]


def _without_entries(obj: Object) -> Object:
    meta = objects.metadata(obj)
    if "managedFields" not in meta:
        return obj
    return {**obj, "metadata": {k: v for k, v in meta.items() if k != "managedFields"}}


def _drop_entries(obj: Object) -> None:
    objects.metadata(obj).pop("managedFields", None)


def _set_entries(obj: Object, managed: Managed) -> None:
    meta = objects.ensure_metadata(obj)
    meta.pop("managedFields", None)
    encoded = entries.encode(managed)
    if encoded:
        meta["managedFields"] = encoded


def _refresh_last_applied(obj: Object, config: Object) -> None:
    """Keep client-side apply's annotation in step, so that a user may go back to it."""
    meta = dict(objects.metadata(config))
    notes = {k: v for k, v in objects.annotations(config).items() if k != LAST_APPLIED}
    meta["annotations"] = notes
    text = orjson.dumps({**config, "metadata": meta}, option=orjson.OPT_SORT_KEYS).decode() + "\n"
    objects.metadata(obj).setdefault("annotations", {})[LAST_APPLIED] = text


def _joined(problems: list[str]) -> str:
    return problems[0] if len(problems) == 1 else "\n".join(["errors:", *(f"  {p}" for p in problems)])


def _conflict_status(conflicts: Sequence[Conflict]) -> status.StatusError:
    causes = [
        status.cause("FieldManagerConflict", f"conflict with {_manager_text(c.manager)}", path_text(c.path))
        for c in conflicts
    ]
    if len(conflicts) == 1:
        only = conflicts[0]
        text = f"Apply failed with 1 conflict: conflict with {_manager_text(only.manager)}: {path_text(only.path)}"
        return status.apply_conflict(causes, text)
    lines: list[str] = []
    for manager in sorted({c.manager for c in conflicts}):
        lines.append(f"conflicts with {_manager_text(manager)}:")
        lines += [f"- {path_text(c.path)}" for c in conflicts if c.manager == manager]
    return status.apply_conflict(causes, f"Apply failed with {len(conflicts)} conflicts: " + "\n".join(lines))


def _manager_text(identifier: str) -> str:
    parts: dict[str, Any] = orjson.loads(identifier)
    text = orjson.dumps(parts.get("manager", "")).decode()
    if parts.get("subresource"):
        text += f" with subresource {orjson.dumps(parts['subresource']).decode()}"
    if parts.get("operation") == "Update":
        text += f" using {parts.get('apiVersion', '')}"
    return text
