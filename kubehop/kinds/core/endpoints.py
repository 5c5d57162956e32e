"""Endpoints: how they are printed, and their defaults."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from kubehop.kinds.core import endpoint_rules
from kubehop.kinds.defaulting import fill, items
from kubehop.kinds.printing import AGE, NAME, NONE, age, documented, name, shortened
from kubehop.kinds.strategy import Step, Strategy
from kubehop.kinds.validation import Errors
from kubehop.machinery.table import Printer

Object = dict[str, Any]


def _addresses(subset: Object) -> Iterator[str]:
    ips = [address.get("ip") or "" for address in subset.get("addresses") or ()]
    ports = subset.get("ports")
    if not ports:
        yield from ips  # headless services may have no ports
        return
    for port in ports:
        for ip in ips:
            yield f"[{ip}]:{port.get('port', 0)}" if ":" in ip else f"{ip}:{port.get('port', 0)}"


def _cells(obj: Object, now: float) -> list[Any]:
    subsets = obj.get("subsets")
    found = [address for subset in subsets or () for address in _addresses(subset)]
    text = shortened(found, len(found)) if found else ""
    return [name(obj), text if subsets else NONE, age(obj, now)]


PRINTER = Printer(columns=(NAME, documented("Endpoints", "core.v1.Endpoints.subsets"), AGE), cells=_cells)


class STRATEGY(Strategy):
    """Endpoints may be created by an update."""

    creates_on_update = True
    update_steps = (Step.METADATA_UPDATE, Step.METADATA, Step.CHANGES)

    def default(self, obj: Object) -> None:
        """Fill in the protocol of ports."""
        for subset in items(obj, "subsets"):
            for port in items(subset, "ports"):
                fill(port, protocol="TCP")

    def check_create(self, obj: Object) -> Errors:
        """Check the subsets."""
        yield from endpoint_rules.subsets(obj)

    def check_update(self, new: Object, old: Object) -> Errors:
        """Check the subsets; addresses that were there may stay."""
        yield from endpoint_rules.subsets(new, endpoint_rules.addresses_of(old))
