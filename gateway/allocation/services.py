"""What a service takes from the cluster when it is written, and gives back: addresses and ports of nodes.

The writing pipelines call `Allocations` before a service is prepared and validated, and tell the `Claims` that it
returns how the write ended: kept, or given back. What a service no longer has is given back only after the write.
Whether a write took place is not always known; then nothing is given back, and `repair` puts it right later.
Facts: pkg/registry/core/service/storage/{storage,alloc}.go.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from gateway.allocation import families
from gateway.allocation.cluster_ips import ClusterIPs
from gateway.allocation.errors import AllocationError, TakenError
from gateway.allocation.node_ports import Bitmap, NodePorts
from gateway.allocation.objects import RequestObjects
from gateway.backends import Storage
from gateway.context import RequestContext
from gateway.hooks.objects import Objects
from kubehop.kinds.core.service_rules import NONE, SPEC, kind_of, needs_health_check
from kubehop.kinds.core.services import keep_allocated
from kubehop.kinds.resource import Resource
from kubehop.machinery import fields, status
from kubehop.machinery.objects import Object, name, nested
from kubehop.machinery.status import StatusError

_WITH_NODE_PORTS = ("NodePort", "LoadBalancer")
_UNKNOWN_OUTCOMES = frozenset({"Timeout", "ServiceUnavailable", "InternalError"})
_FIRST_DRY_PORT = 32768


class Claims:
    """What one write has taken, and what it will no longer need."""

    async def keep(self) -> None:
        """The object is stored: give back what it had and has no more."""

    async def give_back(self, error: BaseException) -> None:
        """The object was refused: give back what was taken for it, unless it may be stored all the same."""


NO_CLAIMS = Claims()


@dataclass(slots=True)
class _ServiceClaims(Claims):
    allocations: Allocations
    objects: Objects
    service: Object
    taken_ips: list[str] = field(default_factory=list)
    taken_ports: list[int] = field(default_factory=list)
    old_ips: list[str] = field(default_factory=list)
    old_ports: list[int] = field(default_factory=list)

    async def keep(self) -> None:
        await self._release(self.old_ips, self.old_ports)

    async def give_back(self, error: BaseException) -> None:
        # a cancelled write may have reached the store
        if isinstance(error, Exception) and not (isinstance(error, StatusError) and error.reason in _UNKNOWN_OUTCOMES):
            await self._release(self.taken_ips, self.taken_ports)

    async def _release(self, ips: list[str], ports: list[int]) -> None:
        for address in ips:
            await self.allocations.cluster_ips.release(self.objects, self.service, address)
        await self.allocations.node_ports.release(self.objects, ports)


class Allocations:
    """Addresses and ports for the services of one cluster."""

    def __init__(self, cluster_ips: ClusterIPs, node_ports: NodePorts) -> None:
        self.cluster_ips = cluster_ips
        self.node_ports = node_ports

    async def create(
        self, request: RequestContext, storage: Storage, resource: Resource, new: Object, *, dry_run: bool
    ) -> Claims:
        """Take what a new object needs and write it into it. Raises 422 and 500 where it cannot be had."""
        if not _is_service(resource):
            return NO_CLAIMS
        return await self._allocate(RequestObjects(request, storage), new, None, dry_run=dry_run)

    async def update(
        self, request: RequestContext, storage: Storage, resource: Resource, new: Object, old: Object, *, dry_run: bool
    ) -> Claims:
        """Take what a changed object needs besides what it has. Raises 422 and 500 where it cannot be had."""
        if not _is_service(resource):
            return NO_CLAIMS
        return await self._allocate(RequestObjects(request, storage), new, old, dry_run=dry_run)

    async def delete(self, request: RequestContext, storage: Storage, resource: Resource, gone: Object) -> None:
        """Give back what a deleted object had."""
        if _is_service(resource):
            ips, ports = addresses_of(gone), sorted(all_ports(gone))
            await _ServiceClaims(self, RequestObjects(request, storage), gone, old_ips=ips, old_ports=ports).keep()

    async def _allocate(self, objects: Objects, new: Object, old: Object | None, *, dry_run: bool) -> Claims:
        spec = new.setdefault("spec", {})
        if old is not None:
            keep_allocated(new, old)
        elif spec.get("clusterIP") and not spec.get("clusterIPs"):
            spec["clusterIPs"] = [spec["clusterIP"]]
        families.fill(new, old, self.cluster_ips.families)
        claims = _ServiceClaims(self, objects, new)
        try:
            await self._take_addresses(claims, old, dry_run=dry_run)
            await self._take_ports(claims, old, dry_run=dry_run)
        except Exception as error:
            await claims.give_back(error)
            raise
        return NO_CLAIMS if dry_run else claims

    async def _take_addresses(self, claims: _ServiceClaims, old: Object | None, *, dry_run: bool) -> None:
        service, objects = claims.service, claims.objects
        had = addresses_of(old) if old is not None else []
        wanted = families.wanted(service)
        stated_all = addresses_of(service)
        if had and wanted and (stated_all[:1] != had[:1] or (len(stated_all) == len(had) and stated_all != had)):
            return  # a change of addresses, which validation refuses
        found: list[str] = []
        for family, stated in wanted.items():
            if stated and stated in had:
                found.append(stated)
                continue
            try:
                if stated:
                    address = await self.cluster_ips.allocate(objects, service, stated, dry_run=dry_run)
                else:
                    address = await self.cluster_ips.allocate_next(objects, service, family, dry_run=dry_run)
            except AllocationError as error:
                raise _no_address(service, stated, error) from None
            if not dry_run:
                claims.taken_ips.append(address)
            found.append(stated or address)
        if found:
            service["spec"].update(clusterIP=found[0], clusterIPs=found)
        claims.old_ips = [text for text in had if text not in addresses_of(service)] if _gives_up(service, old) else []

    async def _take_ports(self, claims: _ServiceClaims, old: Object | None, *, dry_run: bool) -> None:
        service = claims.service
        had = all_ports(old) if old is not None else set()
        plan = _Plan(service, had)
        plan_ports: set[int] = set()
        if not plan.needed:
            pass
        elif dry_run:
            taken = await self.node_ports.taken(claims.objects)
            plan.run(_DryRun(taken))
            plan_ports = plan.assign()
        else:
            claims.taken_ports = await self.node_ports.change(claims.objects, plan.run)
            plan_ports = plan.assign()
        claims.old_ports = sorted(had - plan_ports)


def _is_service(resource: Resource) -> bool:
    return resource.name == "services" and not resource.group


def _gives_up(service: Object, old: Object | None) -> bool:
    """Tell whether an update lets go of addresses: by type, or of the second one."""
    if old is None:
        return False
    return kind_of(service) == "ExternalName" or nested(service, "spec", "ipFamilyPolicy") == "SingleStack"


def addresses_of(service: Object) -> list[str]:
    """Return the addresses that a service has."""
    if kind_of(service) == "ExternalName":
        return []
    return [text for text in nested(service, "spec", "clusterIPs") or () if text and text != NONE]


def all_ports(service: Object) -> set[int]:
    """Return the ports of nodes that a service has."""
    if kind_of(service) not in _WITH_NODE_PORTS:
        return set()
    found = {port.get("nodePort") or 0 for port in nested(service, "spec", "ports") or ()}
    if needs_health_check(service):
        found.add(nested(service, "spec", "healthCheckNodePort") or 0)
    return found - {0}


def _no_address(service: Object, stated: str, error: AllocationError) -> StatusError:
    if not stated:
        return status.internal_error(f"failed to allocate a serviceIP: {error}")
    addresses = nested(service, "spec", "clusterIPs")
    text = f"failed to allocate IP {stated}: {error}"
    return status.invalid("", "Service", name(service), [fields.invalid(SPEC.child("clusterIPs"), addresses, text)])


class _DryRun(Bitmap):
    """Ports as a dry run sees them: what is free is not looked for (PortAllocationOperation)."""

    def __init__(self, taken: set[int]) -> None:
        self._claimed: list[int] = []
        self.taken = taken

    def take(self, port: int) -> int:
        if port in self.taken or port in self._claimed:
            raise TakenError("port")
        self._claimed.append(port)
        return port

    def take_next(self) -> int:
        port = max(self._claimed, default=_FIRST_DRY_PORT - 1) + 1
        self._claimed.append(port)
        return port


class _Plan:
    """Which ports of nodes a service is to have. Run against a bitmap, any number of times, then assigned."""

    def __init__(self, service: Object, had: set[int]) -> None:
        self._service = service
        self._had = had
        self._numbers: list[int] = []
        self._health = 0

    @property
    def needed(self) -> bool:
        """Whether the service has or is to have ports of nodes."""
        return kind_of(self._service) in _WITH_NODE_PORTS

    def run(self, bitmap: Bitmap) -> list[int]:
        """Take the ports from a bitmap; returns those that the service did not have before. Raises StatusErrors."""
        before = set(bitmap.taken)
        ports = nested(self._service, "spec", "ports") or []
        stated = [port.get("nodePort") or 0 for port in ports]
        by_port: dict[int, int] = {}
        self._numbers = []
        allocates = (
            kind_of(self._service) == "NodePort"
            or nested(self._service, "spec", "allocateLoadBalancerNodePorts") is not False
        )
        for index, port in enumerate(ports):
            number, inner = stated[index], port.get("port") or 0
            if not number and not allocates:
                self._numbers.append(0)
                continue
            known = by_port.get(inner, 0)
            if known and number in (0, known):
                self._numbers.append(known)  # the same port in another protocol
                continue
            if not known:
                number = number or self._stated_elsewhere(ports, inner)
            taken = self._take(bitmap, number, index)
            by_port.setdefault(inner, taken)
            self._numbers.append(taken)
        self._health = self._take_health(bitmap)
        return sorted(bitmap.taken - before)

    @staticmethod
    def _stated_elsewhere(ports: list[Object], inner: int) -> int:
        return next((port["nodePort"] for port in ports if port.get("port") == inner and port.get("nodePort")), 0)

    def _take(self, bitmap: Bitmap, number: int, index: int) -> int:
        if number in self._had and number:
            return number
        try:
            return bitmap.take(number) if number else bitmap.take_next()
        except AllocationError as error:
            if not number:
                raise status.internal_error(f"failed to allocate a nodePort: {error}") from None
            at = SPEC.child("ports").index(index).child("nodePort")
            errors = [fields.invalid(at, number, str(error))]
            raise status.invalid("", "Service", name(self._service), errors) from None

    def _take_health(self, bitmap: Bitmap) -> int:
        if not needs_health_check(self._service):
            return 0
        number: int = nested(self._service, "spec", "healthCheckNodePort") or 0
        if number in self._had:
            return number
        try:
            return bitmap.take(number) if number else bitmap.take_next()
        except AllocationError as error:
            if number:
                text = f"failed to allocate requested HealthCheck NodePort {number}: {error}"
            else:
                text = f"failed to allocate a HealthCheck NodePort {number}: {error}"
            raise status.unknown(text) from None

    def assign(self) -> set[int]:
        """Write the ports into the service; returns them."""
        for port, number in zip(nested(self._service, "spec", "ports") or (), self._numbers, strict=True):
            if number:
                port["nodePort"] = number
        if self._health:
            self._service["spec"]["healthCheckNodePort"] = self._health
        return all_ports(self._service)
