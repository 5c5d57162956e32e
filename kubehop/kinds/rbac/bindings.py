"""What role bindings of both scopes have in common when they are printed."""

from __future__ import annotations

from typing import Any

from kubehop.kinds.printing import age, name

Object = dict[str, Any]


def cells(obj: Object, now: float) -> list[Any]:
    """Return the cells of a binding: its role and, for wide output, its subjects by kind."""
    role = obj.get("roleRef") or {}
    subjects: dict[str, list[str]] = {"User": [], "Group": [], "ServiceAccount": []}
    for subject in obj.get("subjects") or ():
        kind, found = subject.get("kind"), subject.get("name") or ""
        if kind == "ServiceAccount":
            namespace = subject.get("namespace")
            found = f"{namespace}/{found}" if namespace else found
        if kind in subjects:
            subjects[kind].append(found)
    return [
        name(obj),
        f"{role.get('kind') or ''}/{role.get('name') or ''}",
        age(obj, now),
        *(", ".join(found) for found in subjects.values()),
    ]
