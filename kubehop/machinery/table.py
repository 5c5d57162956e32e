"""Server-side tables: columns, cells and rows of any kind, and the PartialObjectMetadata that rows carry.

The gateway calls `table` (or `watch_table`) where a client asked for `as=Table`, with the `Printer` of the kind;
kinds without one of their own have `DEFAULT`. Mirrors apiserver pkg/endpoints/handlers/response.go (asTable) and
pkg/registry/rest/table.go.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

Object = dict[str, Any]

UNKNOWN = "<unknown>"
NONE = "<none>"
UNSET = "<unset>"

INCLUDE_OBJECTS = ("", "None", "Metadata", "Object")
"""Values of the includeObject parameter; empty means Metadata."""

_MINUTE = 60
_HOUR = 60 * _MINUTE
_DAY = 24
_YEAR = 365 * _DAY


@dataclass(frozen=True, slots=True)
class Column:
    """One column definition. Columns of priority 1 are for wide output."""

    name: str
    type: str = "string"
    format: str = ""
    description: str = ""
    priority: int = 0

    def definition(self) -> Object:
        """Return the columnDefinitions entry."""
        return {
            "name": self.name,
            "type": self.type,
            "format": self.format,
            "description": self.description,
            "priority": self.priority,
        }


@dataclass(frozen=True, slots=True)
class Printer:
    """How a kind is printed.

    `cells` takes an object and the current time in unix seconds and returns one value per column. `conditions` gives
    the row's conditions where the kind has any, `order` the order of a list's rows where it is not the list's.
    """

    columns: tuple[Column, ...]
    cells: Callable[[Object, float], list[Any]]
    conditions: Callable[[Object], list[Object]] | None = None
    order: Callable[[Object], Any] | None = None


def table(
    printer: Printer,
    objects: Iterable[Object],
    metadata: Mapping[str, Any],
    *,
    now: float,
    include_object: str = "",
    version: str = "v1",
    present: Callable[[Object], Object] | None = None,
    headers: bool = True,
) -> Object:
    """Return the Table of a list, or of one object.

    `metadata` is that of the list or the object; `version` the version of meta.k8s.io that was asked for; `present`
    turns an object into the version that is shown where whole objects are included. A later event of a watch has no
    `headers`. `include_object` has been checked before (`INCLUDE_OBJECTS`).
    """
    if printer.order is not None:
        objects = sorted(objects, key=printer.order)
    rows = [_row(printer, obj, now, include_object, version, present) for obj in objects]
    kept = {key: metadata[key] for key in ("resourceVersion", "continue", "remainingItemCount") if metadata.get(key)}
    return {
        "kind": "Table",
        "apiVersion": f"meta.k8s.io/{version}",
        "metadata": kept,
        "columnDefinitions": [column.definition() for column in printer.columns] if headers else None,
        "rows": rows,
    }


def partial_object_metadata(obj: Object, version: str = "v1") -> Object:
    """Return an object's metadata as a PartialObjectMetadata of meta.k8s.io `version`."""
    return {
        "kind": "PartialObjectMetadata",
        "apiVersion": f"meta.k8s.io/{version}",
        "metadata": obj.get("metadata") or {},
    }


def partial_object_metadata_list(objects: Iterable[Object], metadata: Mapping[str, Any], version: str = "v1") -> Object:
    """Return a list's objects as a PartialObjectMetadataList of meta.k8s.io `version`."""
    return {
        "kind": "PartialObjectMetadataList",
        "apiVersion": f"meta.k8s.io/{version}",
        "metadata": dict(metadata),
        "items": [partial_object_metadata(obj, version) for obj in objects],
    }


def age(obj: Object, now: float) -> str:
    """Return how long ago an object was created."""
    return since((obj.get("metadata") or {}).get("creationTimestamp"), now)


def since(timestamp: str | None, now: float) -> str:
    """Return how long ago a timestamp was, roughly; `<unknown>` where there is none."""
    return human_duration(now - seconds(timestamp)) if timestamp else UNKNOWN


def seconds(timestamp: str) -> float:
    """Return an RFC 3339 timestamp as unix seconds."""
    moment = datetime.fromisoformat(timestamp)
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def human_duration(duration: float) -> str:
    """Return a number of seconds with two or three figures, as apimachinery's duration.HumanDuration prints it."""
    whole = int(duration)
    if whole < -1:
        return "<invalid>"
    if whole < 2 * _MINUTE:
        return f"{max(whole, 0)}s"
    minutes = whole // _MINUTE
    if minutes < 10:
        return _two(minutes, "m", whole % _MINUTE, "s")
    if minutes < 3 * 60:
        return f"{minutes}m"
    hours = whole // _HOUR
    if hours < 8:
        return _two(hours, "h", minutes % 60, "m")
    if hours < 2 * _DAY:
        return f"{hours}h"
    if hours < 8 * _DAY:
        return _two(hours // _DAY, "d", hours % _DAY, "h")
    if hours < 2 * _YEAR:
        return f"{hours // _DAY}d"
    if hours < 8 * _YEAR:
        return _two(hours // _YEAR, "y", hours // _DAY % 365, "d")
    return f"{hours // _YEAR}y"


def _two(large: int, unit: str, small: int, small_unit: str) -> str:
    return f"{large}{unit}{small}{small_unit}" if small else f"{large}{unit}"


def _row(
    printer: Printer,
    obj: Object,
    now: float,
    include_object: str,
    version: str,
    present: Callable[[Object], Object] | None,
) -> Object:
    row: Object = {"cells": printer.cells(obj, now)}
    if printer.conditions is not None and (conditions := printer.conditions(obj)):
        row["conditions"] = conditions
    if include_object == "None":
        row["object"] = None
    elif include_object == "Object":
        row["object"] = present(obj) if present else obj
    else:
        row["object"] = partial_object_metadata(obj, version)
    return row


def _default_cells(obj: Object, _now: float) -> list[Any]:
    metadata = obj.get("metadata") or {}
    return [metadata.get("name", ""), metadata.get("creationTimestamp") or "0001-01-01T00:00:00Z"]


NAME_DESCRIPTION = (
    "Name must be unique within a namespace. Is required when creating resources, although some resources may allow a"
    " client to request the generation of an appropriate name automatically. Name is primarily intended for creation"
    " idempotence and configuration definition. Cannot be updated. More info:"
    " https://kubernetes.io/docs/concepts/overview/working-with-objects/names#names"
)
CREATED_DESCRIPTION = (
    "CreationTimestamp is a timestamp representing the server time when this object was created. It is not guaranteed"
    " to be set in happens-before order across separate operations. Clients may not set this value. It is represented"
    " in RFC3339 form and is in UTC.\n\nPopulated by the system. Read-only. Null for lists. More info:"
    " https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md#metadata"
)

NAME = Column("Name", format="name", description=NAME_DESCRIPTION)
AGE = Column("Age", description=CREATED_DESCRIPTION)

DEFAULT = Printer((NAME, Column("Created At", type="date", description=CREATED_DESCRIPTION)), _default_cells)
"""The table of every kind that has no printer of its own."""
