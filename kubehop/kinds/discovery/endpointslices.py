"""Endpoint slices: how they are printed, their defaults, what may change."""

from __future__ import annotations

from typing import Any

from kubehop.kinds.core import endpoint_rules
from kubehop.kinds.defaulting import items
from kubehop.kinds.printing import AGE, NAME, age, documented, name, shortened
from kubehop.kinds.strategy import NEW_ALONE, Strategy
from kubehop.kinds.validation import Errors
from kubehop.machinery.table import Printer

Object = dict[str, Any]


def _port(port: Object) -> str:
    number, label = port.get("port"), port.get("name")
    if number is not None:
        return str(number)
    return "*" if label is None else str(label)


def _cells(obj: Object, now: float) -> list[Any]:
    ports = [_port(port) for port in obj.get("ports") or ()]
    addresses = [address for endpoint in obj.get("endpoints") or () for address in endpoint.get("addresses") or ()]
    return [
        name(obj),
        obj.get("addressType") or "",
        shortened(ports, len(ports)),
        shortened(addresses, len(addresses)),
        age(obj, now),
    ]


PRINTER = Printer(
    columns=(
        NAME,
        documented("AddressType", "discovery.v1.EndpointSlice.addressType"),
        documented("Ports", "discovery.v1.EndpointSlice.ports"),
        documented("Endpoints", "discovery.v1.EndpointSlice.endpoints"),
        AGE,
    ),
    cells=_cells,
)


class STRATEGY(Strategy):
    """Endpoint slices count their changes and keep the family of their addresses."""

    counts_generation = True
    update_steps = NEW_ALONE

    def default(self, obj: Object) -> None:
        """Fill in name and protocol of ports."""
        for port in items(obj, "ports"):
            if port.get("name") is None:
                port["name"] = ""
            if port.get("protocol") is None:
                port["protocol"] = "TCP"

    def check(self, obj: Object) -> Errors:
        """Check the endpoints and ports."""
        yield from endpoint_rules.endpoint_slice(obj)

    def check_update(self, new: Object, old: Object) -> Errors:
        """Keep the family of the addresses."""
        yield from endpoint_rules.slice_changes(new, old)
