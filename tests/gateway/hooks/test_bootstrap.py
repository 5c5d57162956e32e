"""Every hook: what it makes, that it makes it once, that it puts right what is its own and nothing else."""

from __future__ import annotations

import asyncio

import pytest

from gateway.hooks import flow_control, kubernetes_service, listing, priority_classes, service_cidr, system_namespaces
from gateway.hooks.flow_control_defaults import AUTOUPDATE
from gateway.hooks.flow_control_defaults import GROUP as FLOW
from tests.gateway.hooks.objects import DictObjects

SETTINGS = listing.BootstrapSettings(service_range="10.96.0.0/16", secure_port=6443, advertise_address="192.0.2.7")


async def run_all(objects):
    await asyncio.gather(*(hook.run() for hook in listing.hooks(objects, SETTINGS)))


def test_names_are_those_of_kube_apiserver():
    """readyz shows the checks under the names that operators know."""
    assert [hook.name for hook in listing.hooks(DictObjects(), SETTINGS)] == [
        "start-system-namespaces-controller",
        "rbac/bootstrap-roles",
        "scheduling/bootstrap-system-priority-classes",
        "start-kubernetes-service-cidr-controller",
        "bootstrap-controller",
        "priority-and-fairness-config-producer",
    ]


async def test_a_second_start_writes_nothing_and_reads_little():
    """Everything is made on the first start; the second looks once at each resource."""
    objects = DictObjects()
    await run_all(objects)
    assert objects.writes
    objects.writes.clear()
    objects.reads = 0
    await run_all(objects)
    assert objects.writes == []
    assert objects.reads <= 14


async def test_two_servers_that_start_together_agree():
    """Hooks of several gateways at the same time end in one set of objects, without a failure."""
    objects = DictObjects()
    await asyncio.gather(run_all(objects), run_all(objects))
    assert not [write for write in objects.writes if write[0] != "create"]
    assert len(objects.writes) == len(set(objects.writes)) + 0 or len(objects.held[FLOW, "flowschemas"]) == 11


async def test_namespaces():
    """The four system namespaces, as the API would have made them."""
    objects = DictObjects()
    await system_namespaces.hook(objects).run()
    assert sorted(name for _, name in objects.held["", "namespaces"]) == [
        "default",
        "kube-node-lease",
        "kube-public",
        "kube-system",
    ]
    made = objects.one("", "namespaces", "default")
    assert made["metadata"]["labels"] == {"kubernetes.io/metadata.name": "default"}
    assert made["spec"] == {"finalizers": ["kubernetes"]}
    assert made["status"] == {"phase": "Active"}


async def test_priority_classes():
    """The two system classes with their values."""
    objects = DictObjects()
    await priority_classes.hook(objects).run()
    group, resource = priority_classes.GROUP, priority_classes.RESOURCE
    assert objects.one(group, resource, "system-node-critical")["value"] == 2000001000
    assert objects.one(group, resource, "system-cluster-critical")["value"] == 2000000000


async def test_service_endpoints_and_slice():
    """The Service has the first address of the range; its endpoints are where this server is reached."""
    objects = DictObjects()
    endpoint = kubernetes_service.Endpoint("192.0.2.7", 6443)
    await kubernetes_service.hook(objects, "10.96.0.0/16", endpoint).run()
    service = objects.one("", "services", "kubernetes", "default")
    assert service["spec"]["clusterIP"] == "10.96.0.1"
    assert service["spec"]["ports"] == [{"name": "https", "protocol": "TCP", "port": 443, "targetPort": 6443}]
    assert service["metadata"]["labels"] == {"component": "apiserver", "provider": "kubernetes"}
    assert objects.one("", "endpoints", "kubernetes", "default")["subsets"][0]["addresses"] == [{"ip": "192.0.2.7"}]
    made = objects.one("discovery.k8s.io", "endpointslices", "kubernetes", "default")
    assert made["addressType"] == "IPv4"
    assert made["endpoints"] == [{"addresses": ["192.0.2.7"], "conditions": {"ready": True}}]
    assert objects.one("networking.k8s.io", "ipaddresses", "10.96.0.1")["spec"]["parentRef"]["name"] == "kubernetes"


async def test_service_is_put_right_and_keeps_what_others_added():
    """Ports, type and endpoints come back; labels and the address of an older range stay."""
    objects = DictObjects()
    endpoint = kubernetes_service.Endpoint("192.0.2.7", 6443)
    hook = kubernetes_service.hook(objects, "10.96.0.0/16", endpoint)
    await hook.run()
    service = objects.one("", "services", "kubernetes", "default")
    service["metadata"]["labels"]["mine"] = "yes"
    service["spec"]["ports"][0]["port"] = 444
    service["spec"]["clusterIP"] = "10.0.0.1"
    objects.one("", "endpoints", "kubernetes", "default")["subsets"] = []
    objects.one("discovery.k8s.io", "endpointslices", "kubernetes", "default")["endpoints"] = []
    await hook.run()
    service = objects.one("", "services", "kubernetes", "default")
    assert service["spec"]["ports"][0]["port"] == 443
    assert service["spec"]["clusterIP"] == "10.0.0.1"
    assert service["metadata"]["labels"]["mine"] == "yes"
    assert objects.one("", "endpoints", "kubernetes", "default")["subsets"]
    assert objects.one("discovery.k8s.io", "endpointslices", "kubernetes", "default")["endpoints"]


@pytest.mark.parametrize(
    ("service_range", "address"),
    [("10.96.0.0/16", "10.96.0.1"), ("fd00:1::/108", "fd00:1::1"), ("10.0.0.0/24,fd00::/108", "10.0.0.1")],
)
def test_service_address_is_the_first_of_the_range(service_range, address):
    """As kube-apiserver chooses it, for either family."""
    assert kubernetes_service.service_address(service_range) == address


@pytest.mark.parametrize(("bind", "expected"), [("192.0.2.9", "192.0.2.9"), ("not an address", "")])
def test_advertised_address_follows_the_bind_address(bind, expected):
    """A real bind address is advertised as it is."""
    assert kubernetes_service.default_advertise_address(bind) == expected


def test_loopback_is_never_advertised():
    """Endpoints must not point to loopback: another address of the machine, or none."""
    assert not kubernetes_service.default_advertise_address("127.0.0.1").startswith("127.")


async def test_service_cidr_is_made_ready_and_otherwise_left_alone():
    """One with other ranges stays as it is; one that lacks its condition gets it; one family may become two."""
    objects = DictObjects()
    await service_cidr.hook(objects, "10.96.0.0/16").run()
    made = objects.one(service_cidr.GROUP, service_cidr.RESOURCE, "kubernetes")
    assert made["spec"]["cidrs"] == ["10.96.0.0/16"]
    assert made["status"]["conditions"][0]["status"] == "True"
    assert service_cidr.put_right(made, ["10.0.0.0/8"]) is None
    assert service_cidr.put_right(made, ["10.96.0.0/16"]) is None
    bare = {**made, "status": {}}
    assert service_cidr.put_right(bare, ["10.96.0.0/16"])["status"]["conditions"][0]["type"] == "Ready"
    both = service_cidr.put_right(made, ["10.96.0.0/16", "fd00::/108"])
    assert both["spec"]["cidrs"] == ["10.96.0.0/16", "fd00::/108"]


async def test_flow_control_mandatory_comes_back_and_suggested_may_be_changed():
    """A changed mandatory level is restored; a suggested one whose owner opted out keeps its spec."""
    objects = DictObjects()
    hook = flow_control.hook(objects)
    await hook.run()
    levels = "prioritylevelconfigurations"
    objects.one(FLOW, levels, "catch-all")["spec"]["limited"]["nominalConcurrencyShares"] = 99
    mine = objects.one(FLOW, levels, "workload-low")
    mine["spec"]["limited"]["nominalConcurrencyShares"] = 7
    mine["metadata"]["annotations"][AUTOUPDATE] = "false"
    await hook.run()
    assert objects.one(FLOW, levels, "catch-all")["spec"]["limited"]["nominalConcurrencyShares"] == 5
    assert objects.one(FLOW, levels, "workload-low")["spec"]["limited"]["nominalConcurrencyShares"] == 7


async def test_flow_control_removes_only_what_it_once_made():
    """A schema that carries the annotation and is no default any more goes; a user's own stays."""
    objects = DictObjects()
    old = {"metadata": {"name": "old", "annotations": {AUTOUPDATE: "true"}}, "spec": {}}
    await objects.create(FLOW, "flowschemas", old)
    await objects.create(FLOW, "flowschemas", {"metadata": {"name": "mine"}, "spec": {}})
    await flow_control.hook(objects).run()
    names = {name for _, name in objects.held[FLOW, "flowschemas"]}
    assert "old" not in names
    assert "mine" in names
