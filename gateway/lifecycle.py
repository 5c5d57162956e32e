"""Where the gateway stands between start and exit, and what is in flight meanwhile.

Written by `gateway.__main__` and the wait_group filter; read by readyz and by everything that has to end.
As kube-apiserver's lifecycle signals (pkg/server/lifecycle_signals.go).
"""

from __future__ import annotations

import asyncio


class Lifecycle:
    """The stages of this process's life, in order: serving, shutting down, draining, ending."""

    def __init__(self) -> None:
        self.shutting_down = False
        """SIGTERM has come: readyz fails, requests are still taken for the shutdown delay."""
        self.draining = False
        """The delay is over: new requests are turned away, those in flight may finish."""
        self.drained = asyncio.Event()
        """Set while nothing is in flight."""
        self.ending = asyncio.Event()
        """Set when watches and other long-running requests have to end."""
        self.in_flight = 0
        self.drained.set()

    def enter(self) -> None:
        """Count a request in."""
        self.in_flight += 1
        if self.in_flight == 1:
            self.drained.clear()

    def leave(self) -> None:
        """Count a request out."""
        self.in_flight -= 1
        if self.in_flight == 0:
            self.drained.set()
