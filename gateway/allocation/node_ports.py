"""Ports that are open on every node: one bitmap for the cluster, changed by compare and swap.

Kept as a RangeAllocation named `servicenodeports`, which nobody can read through the API, where kube-apiserver keeps
it and in its form (pkg/registry/core/service/portallocator): a big-endian number whose bit n is the n-th port.
"""

from __future__ import annotations

import asyncio
import base64
import random
import secrets
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final, TypeVar

from gateway.allocation.errors import FullError, OutOfRangeError, TakenError
from gateway.hooks.objects import ObjectChangedError, ObjectExistsError, Objects
from kubehop.machinery.objects import Object

NAME: Final = "servicenodeports"
RESOURCE: Final = "rangeallocations"
_PAUSE_SECONDS = 0.005
_LONGEST_PAUSE_SECONDS = 0.2
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class PortRange:
    """Ports from `first` to `last`, both included."""

    first: int
    last: int

    @property
    def size(self) -> int:
        """How many there are."""
        return self.last - self.first + 1

    @property
    def kept(self) -> int:
        """How many at the beginning are given away last: for those who ask for a certain one."""
        return 0 if self.size < 16 else min(max(16, self.size // 32), 128)

    def __contains__(self, port: int) -> bool:
        return self.first <= port <= self.last

    def __str__(self) -> str:
        return f"{self.first}-{self.last}"


class Bitmap:
    """Which ports of a range are taken."""

    def __init__(self, ports: PortRange, taken: Iterable[int] = ()) -> None:
        self._ports = ports
        self.taken = set(taken)

    @classmethod
    def read(cls, ports: PortRange, kept: Object | None) -> Bitmap:
        """Read the object that is kept; ports of an older range count where they are in this one."""
        if kept is None:
            return cls(ports)
        first = int(str(kept.get("range") or ports).partition("-")[0])
        bits = int.from_bytes(base64.b64decode(kept.get("data") or ""), "big")
        return cls(ports, (first + index for index in range(bits.bit_length()) if bits >> index & 1))

    def written(self) -> Object:
        """Return the object to keep."""
        bits = sum(1 << (port - self._ports.first) for port in self.taken if port in self._ports)
        data = base64.b64encode(bits.to_bytes((self._ports.size + 7) // 8, "big")).decode()
        return {
            "kind": "RangeAllocation",
            "apiVersion": "v1",
            "metadata": {"name": NAME},
            "range": str(self._ports),
            "data": data,
        }

    def take(self, port: int) -> int:
        """Take a certain port."""
        if port not in self._ports:
            raise OutOfRangeError("port", str(self._ports))
        if port in self.taken:
            raise TakenError("port")
        self.taken.add(port)
        return port

    def take_next(self) -> int:
        """Take a free port at random, of the first ones only when there is no other."""
        low = self._ports.first + self._ports.kept
        for first, last in ((low, self._ports.last), (self._ports.first, low - 1)):
            free = [port for port in range(first, last + 1) if port not in self.taken]
            if free:
                return self.take(secrets.choice(free))
        raise FullError

    def give_back(self, ports: Iterable[int]) -> None:
        """Free ports."""
        self.taken.difference_update(ports)


class NodePorts:
    """The ports that services can have on nodes. AllocationErrors say why one cannot be had."""

    def __init__(self, ports: PortRange) -> None:
        self.ports = ports
        # changes of this gateway wait for each other here, rather than fail at the store and try again
        self._turn = asyncio.Lock()

    async def change(self, objects: Objects, change: Callable[[Bitmap], T]) -> T:
        """Change the bitmap at once and whole; returns what the change returns. It may be called several times."""
        pause = _PAUSE_SECONDS
        async with self._turn:
            while True:
                kept = await objects.get("", RESOURCE, "", NAME)
                bitmap = Bitmap.read(self.ports, kept)
                before = set(bitmap.taken)
                result = change(bitmap)
                if kept is not None and bitmap.taken == before:
                    return result
                try:
                    if kept is None:
                        await objects.create("", RESOURCE, bitmap.written())
                    else:
                        wanted = bitmap.written()
                        await objects.update("", RESOURCE, {**wanted, "metadata": kept["metadata"]})
                except (ObjectExistsError, ObjectChangedError):
                    await asyncio.sleep(pause * random.uniform(0.5, 1.5))  # noqa: S311 - jitter, no secret
                    pause = min(pause * 2, _LONGEST_PAUSE_SECONDS)
                else:
                    return result

    async def taken(self, objects: Objects) -> set[int]:
        """Return the ports that are taken."""
        return Bitmap.read(self.ports, await objects.get("", RESOURCE, "", NAME)).taken

    async def release(self, objects: Objects, ports: Iterable[int]) -> None:
        """Give ports back."""
        given = set(ports)
        if given:
            await self.change(objects, lambda bitmap: bitmap.give_back(given))
