"""Leases of objects that vanish by themselves, shared by objects written at about the same time.

The store asks for a lease with each write that has a time to live. Granting one costs a quorum write, so kube-apiserver
shares them (pkg/storage/etcd3/lease_manager.go), and so do we.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from time import monotonic

from services.storage.settings import LeaseSettings


class Leases:
    """Hands out the lease of the last grant while it fits."""

    def __init__(self, grant: Callable[[int], Awaitable[int]], settings: LeaseSettings) -> None:
        self._grant = grant
        self._settings = settings
        self._lock = asyncio.Lock()
        self._lease = 0
        self._ends = 0.0
        self._objects = 0

    async def lease(self, ttl_seconds: int) -> int:
        """A lease that ends not before the time to live, and not much after.

        Raises:
            UnavailableError: etcd is out of reach.
        """
        async with self._lock:
            now = monotonic()
            reuse = min(self._settings.reuse_seconds, int(ttl_seconds * self._settings.reuse_fraction))
            fits = now + ttl_seconds < self._ends < now + ttl_seconds + reuse
            self._objects += 1
            if self._lease and fits and self._objects <= self._settings.objects:
                return self._lease
            whole = ttl_seconds + int(reuse)
            self._lease = await self._grant(whole)
            self._ends = now + whole
            self._objects = 1
            return self._lease

    def forget(self) -> None:
        """Ask for a new lease next time: the last one may have ended."""
        self._lease = 0
