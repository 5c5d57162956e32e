"""metadata.managedFields and back: decoding, encoding in kube-apiserver's order, times, and the cap on updaters."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import orjson

from kubehop.machinery.apply.fieldsets import MalformedFieldsError, canonical, check, union
from kubehop.machinery.apply.updater import Managers, Ownership

MAX_UPDATERS = 10
"""Entries of writes that are no applies; beyond it the oldest are merged (kube-apiserver's default)."""

ANCIENT = "ancient-changes"


class MalformedEntriesError(ValueError):
    """metadata.managedFields cannot be understood."""


@dataclass
class Managed:
    """All managers of an object with the times of their last change."""

    owners: Managers = field(default_factory=dict)
    times: dict[str, str] = field(default_factory=dict)


def identifier(manager: str, operation: str, version: str, subresource: str = "") -> str:
    """The identity of an entry: appliers stay the same over versions, updaters do not."""
    parts: dict[str, str] = {"manager": manager} if manager else {}
    parts["operation"] = operation
    if operation != "Apply":
        parts["apiVersion"] = version
    if subresource:
        parts["subresource"] = subresource
    return orjson.dumps(parts).decode()


def decode(raw: Any) -> Managed:
    """Read metadata.managedFields; raises MalformedEntriesError."""
    managed = Managed()
    for index, entry in enumerate(raw or []):
        if not isinstance(entry, dict) or entry.get("operation") not in {"Apply", "Update"}:
            raise MalformedEntriesError("operation must be `Apply` or `Update`")
        if not entry.get("apiVersion"):
            raise MalformedEntriesError("apiVersion must not be empty")
        kind = entry.get("fieldsType")
        if not kind:
            raise MalformedEntriesError(f"missing fieldsType in managed fields entry {index}")
        if kind != "FieldsV1":
            raise MalformedEntriesError(f'invalid fieldsType "{kind}" in managed fields entry {index}')
        try:
            fields = check(entry.get("fieldsV1") or {})
        except MalformedFieldsError as error:
            raise MalformedEntriesError(f"error decoding set: {error}") from error
        operation, version = entry["operation"], entry["apiVersion"]
        key = identifier(entry.get("manager", ""), operation, version, entry.get("subresource", ""))
        managed.owners[key] = Ownership(fields, version, operation == "Apply")
        if entry.get("time"):
            managed.times[key] = entry["time"]
    return managed


def encode(managed: Managed) -> list[dict[str, Any]]:
    """Write metadata.managedFields: applies before updates, each by time, then by name."""
    entries = []
    for key, owned in managed.owners.items():
        parts = orjson.loads(key)
        entry: dict[str, Any] = {}
        if parts.get("manager"):
            entry["manager"] = parts["manager"]
        entry["operation"] = "Apply" if owned.applied else parts["operation"]
        entry["apiVersion"] = owned.version
        if managed.times.get(key):
            entry["time"] = managed.times[key]
        entry["fieldsType"] = "FieldsV1"
        entry["fieldsV1"] = canonical(owned.fields)
        if parts.get("subresource"):
            entry["subresource"] = parts["subresource"]
        entries.append(entry)
    entries.sort(
        key=lambda e: (
            e["operation"],
            e.get("time", ""),
            e.get("manager", ""),
            e["apiVersion"],
            e.get("subresource", ""),
        )
    )
    return entries


def is_reset(raw: Any) -> bool:
    """True when a client asks to forget all managers: an empty list, or a list of one empty entry."""
    return raw is not None and isinstance(raw, list) and (not raw or raw == [{}])


def cap(managed: Managed) -> None:
    """Merge the oldest updaters per version until no more than MAX_UPDATERS are left."""
    updaters = [key for key, owned in managed.owners.items() if not owned.applied]
    surplus = len(updaters) - MAX_UPDATERS
    if surplus <= 0:
        return
    updaters.sort(key=lambda key: (managed.times.get(key, ""), key))
    first_of: dict[str, str] = {}
    for key in updaters:
        if surplus <= 0:
            return
        owned = managed.owners[key]
        first = first_of.get(owned.version)
        if first is None:
            first_of[owned.version] = key
            continue
        bucket = identifier(ANCIENT, "Update", owned.version)
        if bucket not in managed.owners:
            managed.owners[bucket] = managed.owners.pop(first)
        both = union(owned.fields, managed.owners[bucket].fields)
        managed.owners[bucket] = Ownership(both, owned.version, applied=False)
        managed.owners.pop(key, None)
        surplus -= 1
        if key in managed.times:
            managed.times[bucket] = managed.times[key]
