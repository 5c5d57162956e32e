"""The aiohttp session of the webhooks: a connection pool whose names of services resolve inside the cluster.

Opened by `calls` with the first call of a webhook.
"""

from __future__ import annotations

import socket

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult

from services.admission.plugins.webhooks.services import Address, Services

_SUFFIX = ".svc"
_IDLE_SECONDS = 90.0
_CONNECTIONS_PER_HOST = 100
_REMEMBERED = 1024


class ServiceResolver(AbstractResolver):
    """Finds `name.namespace.svc` in the cluster and everything else in the DNS."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._names = aiohttp.ThreadedResolver()
        self._last: dict[tuple[str, int], Address] = {}

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """Addresses of a host. OSError where there are none."""
        found = await self._resolve(host, port, family)
        if len(self._last) >= _REMEMBERED:
            self._last.clear()
        self._last[host, port] = Address(found[-1]["host"], found[-1]["port"])
        return found

    async def _resolve(self, host: str, port: int, family: socket.AddressFamily) -> list[ResolveResult]:
        labels = host.removesuffix(_SUFFIX).split(".")
        if not host.endswith(_SUFFIX) or len(labels) != 2:
            return await self._names.resolve(host, port, family)
        address = await self._services.resolve(labels[1], labels[0], port)
        try:
            socket.inet_pton(socket.AF_INET6 if ":" in address.host else socket.AF_INET, address.host)
        except OSError:
            return await self._names.resolve(address.host, address.port, family)
        return [
            ResolveResult(
                hostname=host,
                host=address.host,
                port=address.port,
                family=socket.AF_INET6 if ":" in address.host else socket.AF_INET,
                proto=0,
                flags=socket.AI_NUMERICHOST,
            )
        ]

    def last(self, host: str, port: int) -> Address | None:
        """The address that a host had last, for messages."""
        return self._last.get((host, port))

    async def close(self) -> None:
        """Let the DNS go."""
        await self._names.close()


def open_session(services: Services) -> tuple[aiohttp.ClientSession, ServiceResolver]:
    """A session without bounds of its own: callers bound each call."""
    resolver = ServiceResolver(services)
    connector = aiohttp.TCPConnector(
        resolver=resolver,
        use_dns_cache=False,
        limit=0,
        limit_per_host=_CONNECTIONS_PER_HOST,
        keepalive_timeout=_IDLE_SECONDS,
    )
    unbounded = aiohttp.ClientTimeout(total=None, sock_connect=None, sock_read=None)
    return aiohttp.ClientSession(
        connector=connector, timeout=unbounded, auto_decompress=False, trust_env=False
    ), resolver
