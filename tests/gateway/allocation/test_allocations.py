"""Addresses and ports that are given away, held against a store in memory that lets others in between."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from gateway.allocation import ClusterIPs, NodePorts, PortRange, repair
from gateway.allocation.errors import AllocationError
from gateway.allocation.node_ports import Bitmap
from tests.gateway.hooks.objects import DictObjects

Object = dict[str, Any]


class SlowObjects(DictObjects):
    """A store in which others come in between a read and a write."""

    async def get(self, group: str, resource: str, namespace: str, name: str) -> Object | None:
        found = await super().get(group, resource, namespace, name)
        await asyncio.sleep(0)
        return found

    async def create(self, group: str, resource: str, obj: Object) -> Object:
        await asyncio.sleep(0)
        return await super().create(group, resource, obj)

    async def update(self, group: str, resource: str, obj: Object) -> Object:
        await asyncio.sleep(0)
        return await super().update(group, resource, obj)


def service(name: str = "web", **spec: Any) -> Object:
    """A service of a namespace."""
    return {"metadata": {"name": name, "namespace": "shop"}, "spec": spec}


async def test_two_allocators_give_no_address_twice():
    """All addresses of a small range are given away once, whoever asks, and then there are no more."""
    objects, gateways = SlowObjects(), [ClusterIPs(["10.96.0.0/27"]), ClusterIPs(["10.96.0.0/27"])]
    asked = [
        gateways[number % 2].allocate_next(objects, service(str(number)), "IPv4", dry_run=False) for number in range(30)
    ]
    found = await asyncio.gather(*asked)
    assert sorted(found) == sorted(f"10.96.0.{number}" for number in range(1, 31))
    with pytest.raises(AllocationError, match="range is full"):
        await gateways[0].allocate_next(objects, service(), "IPv4", dry_run=False)


@pytest.mark.parametrize(
    ("address", "message"),
    [
        ("10.96.0.9", "provided IP is already allocated"),
        ("10.96.0.0", "provided IP is not in the valid range. The range of valid IPs is 10.96.0.0/16"),
        ("192.0.2.7", "the provided network does not match the current range"),
    ],
)
async def test_certain_addresses_are_refused_in_known_words(address: str, message: str):
    """An address that is taken, not given away or of no range is refused, on dry runs too."""
    objects, ips = DictObjects(), ClusterIPs(["10.96.0.0/16"])
    await ips.allocate(objects, service("first"), "10.96.0.9", dry_run=False)
    for dry_run in (False, True):
        with pytest.raises(AllocationError) as caught:
            await ips.allocate(objects, service(), address, dry_run=dry_run)
        assert str(caught.value) == message


async def test_a_released_address_is_free_but_nobody_releases_anothers():
    """Giving back frees the address of the service itself, and of no other."""
    objects, ips = DictObjects(), ClusterIPs(["10.96.0.0/16"])
    await ips.allocate(objects, service("mine"), "10.96.0.9", dry_run=False)
    await ips.release(objects, service("other"), "10.96.0.9")
    with pytest.raises(AllocationError):
        await ips.allocate(objects, service("other"), "10.96.0.9", dry_run=False)
    await ips.release(objects, service("mine"), "10.96.0.9")
    assert await ips.allocate(objects, service("other"), "10.96.0.9", dry_run=False) == "10.96.0.9"


async def test_more_ranges_come_with_their_objects():
    """A ServiceCIDR adds its addresses, unless it is said not to be ready."""
    objects, ips = DictObjects(), ClusterIPs(["10.96.0.0/28"])
    cidr: Object = {"metadata": {"name": "more"}, "spec": {"cidrs": ["10.97.0.0/24"]}}
    await objects.create("networking.k8s.io", "servicecidrs", cidr)
    assert await ips.allocate(objects, service(), "10.97.0.5", dry_run=False) == "10.97.0.5"
    kept = objects.one("networking.k8s.io", "servicecidrs", "more")
    kept["status"] = {"conditions": [{"type": "Ready", "status": "False"}]}
    with pytest.raises(AllocationError, match="does not match"):
        await ips.allocate(objects, service(), "10.97.0.6", dry_run=False)


async def test_two_gateways_give_no_port_twice():
    """Ports are taken by compare and swap: two gateways that ask at once get different ones."""
    objects, ports = SlowObjects(), PortRange(30000, 30039)
    gateways = [NodePorts(ports), NodePorts(ports)]
    asked = [gateways[number % 2].change(objects, Bitmap.take_next) for number in range(40)]
    assert sorted(await asyncio.gather(*asked)) == list(range(30000, 30040))
    with pytest.raises(AllocationError, match="range is full"):
        await gateways[0].change(objects, Bitmap.take_next)
    await gateways[1].release(objects, [30007])
    assert await gateways[0].change(objects, Bitmap.take_next) == 30007


async def test_ports_are_refused_in_known_words():
    """A port that is taken or not of the range is refused, and nothing is written."""
    objects, ports = DictObjects(), NodePorts(PortRange(30000, 32767))
    await ports.change(objects, lambda bitmap: bitmap.take(30080))
    written = len(objects.writes)
    with pytest.raises(AllocationError, match="port is already allocated"):
        await ports.change(objects, lambda bitmap: bitmap.take(30080))
    with pytest.raises(AllocationError, match="not in the valid range"):
        await ports.change(objects, lambda bitmap: bitmap.take(80))
    assert len(objects.writes) == written


async def test_repair_takes_what_services_have_and_frees_what_nobody_has():
    """What a service names is taken at once; what is taken in vain is freed when it was seen so three times."""
    objects, ports = DictObjects(), NodePorts(PortRange(30000, 32767))
    ips = ClusterIPs(["10.96.0.0/16"])
    spec = {
        "type": "NodePort",
        "clusterIP": "10.96.0.7",
        "clusterIPs": ["10.96.0.7"],
        "ports": [{"port": 80, "nodePort": 30080}],
    }
    await objects.create("", "services", service("web", **spec))
    await ips.allocate(objects, service("gone"), "10.96.0.8", dry_run=False)
    await ports.change(objects, lambda bitmap: bitmap.take(31000))
    mender = repair.Repair(objects, ports)
    for run in range(3):
        assert (await ports.taken(objects) == {30080, 31000}) is (run > 0)
        await mender.run()
    assert await ports.taken(objects) == {30080}
    assert [one["metadata"]["name"] for one in await objects.list("networking.k8s.io", "ipaddresses")] == ["10.96.0.7"]
