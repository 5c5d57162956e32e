"""Puts right what a gateway that died, or an answer that was lost, left behind: start-service-ip-repair-controllers.

Every service has the addresses and ports that it names, whatever the store says of them; an address whose service does
not have it any more, and a port that nobody has, are freed when they were seen so three times in a row, so that those
that a write is just taking are left alone. Runs on start and every three minutes after. Source of the behaviour:
pkg/registry/core/service/ipallocator/controller and portallocator/controller.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable
from typing import Final

from gateway.allocation.cluster_ips import GROUP, MANAGER, MANAGER_LABEL, ip_address
from gateway.allocation.node_ports import Bitmap, NodePorts
from gateway.allocation.services import addresses_of, all_ports
from gateway.hooks.objects import ObjectExistsError, Objects
from gateway.hooks.runner import Hook
from kubehop.hop import logs
from kubehop.kinds.validation_addresses import parse_address
from kubehop.machinery.objects import Object, labels, name, namespace, nested

INTERVAL_SECONDS: Final = 180.0
SIGHTINGS: Final = 3
"""How often something has to be seen unused before it is freed."""


class Repair:
    """Compares what is given away with the services that there are."""

    def __init__(self, objects: Objects, node_ports: NodePorts) -> None:
        self._objects = objects
        self._node_ports = node_ports
        self._unused: Counter[Hashable] = Counter()

    async def run(self) -> None:
        """Go over all services once."""
        # addresses and ports are read before the services: what a write takes meanwhile is not among them yet
        kept = await self._objects.list(GROUP, "ipaddresses")
        taken = await self._node_ports.taken(self._objects)
        services = await self._objects.list("", "services")
        sightings: Counter[Hashable] = Counter()
        await self._repair_addresses(kept, services, sightings)
        await self._repair_ports(taken, services, sightings)
        self._unused = sightings

    async def _repair_addresses(self, kept: list[Object], services: list[Object], sightings: Counter[Hashable]) -> None:
        owned = {(text, _owner(service)): service for service in services for text in addresses_of(service)}
        known = {name(one) for one in kept}
        for (text, _), service in owned.items():
            address = parse_address(text)
            if address is None or str(address) in known:
                continue
            logs.get().warning("a service's address was not taken", service=name(service), address=text)
            try:
                await self._objects.create(GROUP, "ipaddresses", ip_address(service, address))
            except ObjectExistsError:
                continue
        used = {(str(parse_address(text) or text), owner) for text, owner in owned}
        for one in kept:
            parent = nested(one, "spec", "parentRef") or {}
            owner = parent.get("namespace"), parent.get("name")
            if labels(one).get(MANAGER_LABEL) == MANAGER and (name(one), owner) not in used:
                sightings[name(one)] = self._unused[name(one)] + 1
                if sightings[name(one)] >= SIGHTINGS:
                    await self._objects.delete(GROUP, "ipaddresses", one)
                    logs.get().warning("an address that nobody has was freed", address=name(one))

    async def _repair_ports(self, taken: set[int], services: list[Object], sightings: Counter[Hashable]) -> None:
        used = {port for service in services for port in all_ports(service)}
        for port in taken - used:
            sightings[port] = self._unused[port] + 1
        free = {port for port in taken - used if sightings[port] >= SIGHTINGS}
        missing = {port for port in used - taken if port in self._node_ports.ports}

        def change(bitmap: Bitmap) -> None:
            bitmap.taken |= missing
            bitmap.give_back(free)

        if free or missing:
            logs.get().warning("ports of nodes put right", freed=sorted(free), taken=sorted(missing))
            await self._node_ports.change(self._objects, change)


def _owner(service: Object) -> tuple[str, str]:
    return namespace(service), name(service)


def hook(objects: Objects, node_ports: NodePorts) -> Hook:
    """The hook over these objects."""
    return Hook("start-service-ip-repair-controllers", Repair(objects, node_ports).run, again_every=INTERVAL_SECONDS)
