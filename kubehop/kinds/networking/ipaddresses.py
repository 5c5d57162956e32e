"""IP addresses that services hold: how they are printed."""

from __future__ import annotations

from typing import Any

from kubehop.kinds.printing import NAME, NONE, age, at, documented, name
from kubehop.machinery.table import Printer

Object = dict[str, Any]


def _parent(parent: Object | None) -> str:
    if parent is None:
        return NONE
    resource, group = parent.get("resource") or "", parent.get("group") or ""
    text = (f"{resource}.{group}" if group else resource).lower()
    if parent.get("namespace"):
        text += f"/{parent['namespace']}"
    return f"{text}/{parent.get('name') or ''}"


def _cells(obj: Object, now: float) -> list[Any]:
    # kube-apiserver's rows have an age, though no column announces it
    return [name(obj), _parent(at(obj, "spec", "parentRef")), age(obj, now)]


PRINTER = Printer(columns=(NAME, documented("ParentRef", "networking.v1.IPAddressSpec.parentRef")), cells=_cells)
