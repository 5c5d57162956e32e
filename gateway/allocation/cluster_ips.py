"""Addresses of services: one IPAddress object each, whose creation is the lock.

Whoever creates the object `10.96.0.7` has the address; two gateways cannot both. The ranges are those of the
ServiceCIDRs in the store, so that all gateways see the same, and the flag's where there are none yet. As
kube-apiserver's allocator since v1.33 (pkg/registry/core/service/ipallocator): a free address is looked for at random
behind the first few, which are kept for those who ask for a certain one.
"""

from __future__ import annotations

import ipaddress
import secrets
from collections.abc import Iterator, Sequence
from typing import Final

from gateway.allocation.errors import FullError, OutOfRangeError, TakenError, WrongNetworkError
from gateway.hooks.objects import ObjectExistsError, Objects
from kubehop.kinds.validation_addresses import Address, Network, parse_address
from kubehop.machinery.objects import Object, metadata, name, namespace, nested

GROUP: Final = "networking.k8s.io"
FAMILY_LABEL: Final = "ipaddress.kubernetes.io/ip-family"
MANAGER_LABEL: Final = "ipaddress.kubernetes.io/managed-by"
MANAGER: Final = "ipallocator.k8s.io"
_MIN_KEPT, _MAX_KEPT = 16, 256
_BLIND_TRIES = 3
"""How often an address is guessed before asking which are taken."""


class Range:
    """One range of service addresses and which of them are given away: not the network's and broadcast address."""

    def __init__(self, network: Network) -> None:
        self.network = network
        self.first = int(network.network_address) + 1
        last = int(network.broadcast_address)
        # large IPv6 ranges are used up to 2^64 addresses, far more than the store can hold
        self.last = last - 1 if network.version == 4 else min(last, self.first + 2**64 - 2)
        size = self.last - self.first + 1
        self.kept = 0 if size < _MIN_KEPT else min(max(_MIN_KEPT, size // 16), _MAX_KEPT)

    def holds(self, address: Address) -> bool:
        """Tell whether an address is one that is given away."""
        return self.first <= int(address) <= self.last

    def guesses(self) -> Iterator[Address]:
        """Yield random addresses from behind the kept ones."""
        low = self.first + self.kept
        for _ in range(_BLIND_TRIES if low <= self.last else 0):
            yield self._address(low + secrets.randbelow(self.last - low + 1))

    def free(self, taken: set[int]) -> Iterator[Address]:
        """Yield the addresses that are not taken, from a random one on; the kept ones come last."""
        low = self.first + self.kept
        if low <= self.last:
            start = low + secrets.randbelow(self.last - low + 1)
            yield from (self._address(one) for one in range(start, self.last + 1) if one not in taken)
            yield from (self._address(one) for one in range(low, start) if one not in taken)
        yield from (self._address(one) for one in range(self.first, min(low, self.last + 1)) if one not in taken)

    def _address(self, number: int) -> Address:
        return ipaddress.IPv4Address(number) if self.network.version == 4 else ipaddress.IPv6Address(number)


class ClusterIPs:
    """The addresses that services can have. AllocationErrors say why one cannot be had."""

    def __init__(self, configured: Sequence[str]) -> None:
        self._configured = tuple(ipaddress.ip_network(text) for text in configured)
        self.families: tuple[str, ...] = tuple(f"IPv{network.version}" for network in self._configured)
        """Families of the configured ranges, the default one first."""

    async def allocate(self, objects: Objects, service: Object, text: str, *, dry_run: bool) -> str:
        """Take a certain address for a service."""
        address = parse_address(text)
        found = [one for one in await self._ranges(objects) if address in one.network]
        if address is None or not found:
            raise WrongNetworkError
        if not any(one.holds(address) for one in found):
            raise OutOfRangeError("IP", str(found[0].network))
        if dry_run:
            if await objects.get(GROUP, "ipaddresses", "", str(address)) is not None:
                raise TakenError("IP")
            return str(address)
        try:
            await objects.create(GROUP, "ipaddresses", ip_address(service, address))
        except ObjectExistsError:
            raise TakenError("IP") from None
        return str(address)

    async def allocate_next(self, objects: Objects, service: Object, family: str, *, dry_run: bool) -> str:
        """Take a free address of a family for a service; a dry run is told the network's address."""
        ranges = [one for one in await self._ranges(objects) if f"IPv{one.network.version}" == family]
        if not ranges:
            raise WrongNetworkError
        if dry_run:
            return str(ranges[0].network.network_address)
        for one in ranges:
            for address in one.guesses():
                if await self._take(objects, service, address):
                    return str(address)
            taken = {int(found) for found in await self._taken(objects)}
            for address in one.free(taken):
                if await self._take(objects, service, address):
                    return str(address)
        raise FullError

    async def release(self, objects: Objects, service: Object, text: str) -> None:
        """Give an address back, if it is the service's."""
        found = await objects.get(GROUP, "ipaddresses", "", str(parse_address(text) or text))
        if found is not None and nested(found, "spec", "parentRef") == parent_of(service):
            await objects.delete(GROUP, "ipaddresses", found)

    async def _take(self, objects: Objects, service: Object, address: Address) -> bool:
        try:
            await objects.create(GROUP, "ipaddresses", ip_address(service, address))
        except ObjectExistsError:
            return False
        return True

    async def _ranges(self, objects: Objects) -> list[Range]:
        networks = list(self._configured)
        for found in await objects.list(GROUP, "servicecidrs"):
            if not _serves(found):
                continue
            for text in nested(found, "spec", "cidrs") or ():
                network = ipaddress.ip_network(text, strict=False)
                if network not in networks:
                    networks.append(network)
        return [Range(network) for network in networks]

    async def _taken(self, objects: Objects) -> Iterator[Address]:
        listed = await objects.list(GROUP, "ipaddresses")
        return (address for found in listed if (address := parse_address(name(found))) is not None)


def _serves(cidr: Object) -> bool:
    """Tell whether addresses may be taken from a ServiceCIDR: it is ready, or nobody says that it is not."""
    if metadata(cidr).get("deletionTimestamp"):
        return False
    conditions = nested(cidr, "status", "conditions") or ()
    return all(condition.get("status") == "True" for condition in conditions if condition.get("type") == "Ready")


def parent_of(service: Object) -> Object:
    """Return how an IPAddress names the service that it belongs to."""
    return {"group": "", "resource": "services", "namespace": namespace(service), "name": name(service)}


def ip_address(service: Object, address: Address) -> Object:
    """Return the object by which a service has an address."""
    return {
        "kind": "IPAddress",
        "apiVersion": f"{GROUP}/v1",
        "metadata": {
            "name": str(address),
            "labels": {FAMILY_LABEL: f"IPv{address.version}", MANAGER_LABEL: MANAGER},
        },
        "spec": {"parentRef": parent_of(service)},
    }
