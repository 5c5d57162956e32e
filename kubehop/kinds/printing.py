"""Small pieces that the kinds' table printers are made of.

Facts from kube-apiserver's pkg/printers/internalversion/printers.go. Printers see objects in their stored version.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from kubehop.machinery.table import AGE, NAME, NONE, UNSET, Column, age, human_duration, seconds, since

__all__ = [
    "AGE",
    "NAME",
    "NAME_WIDE",
    "NONE",
    "UNSET",
    "WIDE_CONTAINERS",
    "Column",
    "age",
    "at",
    "containers",
    "count",
    "documented",
    "human_duration",
    "load_balancer",
    "name",
    "seconds",
    "selector_text",
    "shortened",
    "since",
    "string_map",
    "true_condition",
]

Object = dict[str, Any]

DOCUMENTED = "doc:"
"""Start of a description that stands for a field's own: `doc:core.v1.PodStatus.podIP`."""


def documented(
    name: str,
    field: str,
    *,
    type: str = "string",  # noqa: A002  a column calls it so
    format: str = "",  # noqa: A002
    priority: int = 0,
) -> Column:
    """Declare a column whose description is that of a field, written `core.v1.PodStatus.podIP`."""
    return Column(name, type, format, DOCUMENTED + field, priority)


NAME_WIDE = replace(NAME, priority=1)
"""The name where it is not the first column."""

WIDE_CONTAINERS = (
    Column("Containers", description="Names of each container in the template.", priority=1),
    Column("Images", description="Images referenced by each container in the template.", priority=1),
)
"""The two columns of every workload, for wide output."""


def name(obj: Object) -> str:
    """Return an object's name."""
    return str((obj.get("metadata") or {}).get("name") or "")


def at(value: Any, *path: str) -> Any:
    """Return the value at a path of keys, None where any of them is missing."""
    for key in path:
        if not isinstance(value, Mapping):
            return None
        value = value.get(key)
    return value


def count(value: Any, *path: str) -> int:
    """Return the number at a path, 0 where there is none; lists and maps count their entries."""
    found = at(value, *path)
    if isinstance(found, int):
        return found
    return len(found) if found else 0


def containers(template: Any) -> list[str]:
    """Return the cells of WIDE_CONTAINERS for a pod template."""
    found: Sequence[Object] = at(template, "spec", "containers") or ()
    return [
        ",".join(container.get("name") or "" for container in found),
        ",".join(container.get("image") or "" for container in found),
    ]


def string_map(labels: Mapping[str, str] | None) -> str:
    """Return labels as `a=b,c=d`, or `<none>`."""
    return ",".join(f"{key}={(labels or {})[key]}" for key in sorted(labels or {})) or NONE


def selector_text(selector: Any, empty: str = NONE) -> str:
    """Return a LabelSelector in the syntax of queries, `empty` where it selects everything or nothing."""
    parts: list[tuple[str, str]] = [
        (key, f"{key}={value}") for key, value in (at(selector, "matchLabels") or {}).items()
    ]
    for requirement in at(selector, "matchExpressions") or ():
        key, operator = requirement.get("key") or "", requirement.get("operator")
        values = ",".join(sorted(requirement.get("values") or ()))
        parts.append(
            (
                key,
                {
                    "In": f"{key} in ({values})",
                    "NotIn": f"{key} notin ({values})",
                    "Exists": key,
                    "DoesNotExist": f"!{key}",
                }.get(operator, ""),
            )
        )
    return ",".join(text for _, text in sorted(parts, key=lambda part: part[0])) or empty


def load_balancer(status: Any) -> str:
    """Return the addresses of a load balancer status."""
    ingress: Iterable[Object] = at(status, "loadBalancer", "ingress") or ()
    return ",".join(sorted({found for entry in ingress if (found := entry.get("ip") or entry.get("hostname"))}))


def shortened(values: Sequence[str], total: int, limit: int = 3) -> str:
    """Return up to `limit` values joined by commas, and how many more there are; `<unset>` for none."""
    text = ",".join(values[:limit])
    if total > limit:
        return f"{text} + {total - limit} more..."
    return text or UNSET


def true_condition(obj: Object, kind: str) -> bool:
    """Tell whether the first status condition of a type is true."""
    for condition in at(obj, "status", "conditions") or ():
        if condition.get("type") == kind:
            return bool(condition.get("status") == "True")
    return False
