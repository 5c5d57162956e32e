"""IP addresses that services hold: how they are printed."""

from __future__ import annotations

from typing import Any

from kubehop.kinds import validation_addresses as addresses
from kubehop.kinds.networking import ingress_rules
from kubehop.kinds.printing import NAME, NONE, age, at, documented, name
from kubehop.kinds.strategy import Strategy
from kubehop.kinds.validation import Errors, immutable
from kubehop.machinery.fields import Path
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


class STRATEGY(Strategy):
    """Addresses are named by themselves and stay with their parent."""

    def name_rule(self, name: str, prefix: bool) -> list[str]:
        """Take an address in its one form."""
        _ = prefix
        return [error.detail for error in addresses.canonical_ip(Path("metadata", "name"), name)]

    def check_create(self, obj: Object) -> Errors:
        """Check the parent."""
        yield from ingress_rules.parent(obj)

    def check_update(self, new: Object, old: Object) -> Errors:
        """Keep the parent."""
        yield from immutable(new, old, "spec", "parentRef")
