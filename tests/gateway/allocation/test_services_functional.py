"""Services of a real pipeline with two gateways: every one has its own address and ports."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Iterator
from typing import Any

import pytest

from tests.gateway.conftest import Api, api_of
from tests.support import cluster as clusters

ADDRESSES = "/apis/networking.k8s.io/v1/ipaddresses"


@pytest.fixture
def other(pipeline: clusters.Cluster) -> Iterator[clusters.Cluster]:
    """A second gateway before the same stages."""
    twin = dataclasses.replace(pipeline, port=clusters.free_port(), commands={}, processes={})
    command = list(pipeline.commands["gateway"])
    command[command.index("--secure-port") + 1] = str(twin.port)
    twin.commands["gateway2"] = command
    twin.start("gateway2")
    try:
        twin.wait_ready()
        yield twin
    finally:
        twin.stop("gateway2")


def service(name: str, **spec: Any) -> dict[str, Any]:
    """A service with one port."""
    return {"metadata": {"name": name}, "spec": {"ports": [{"port": 80}], **spec}}


async def test_fifty_at_once_through_two_gateways(api: Api, namespace: str, other: clusters.Cluster):
    """Services that are created at the same time get different addresses and ports, and IPAddresses say whose."""
    path = f"/api/v1/namespaces/{namespace}/services"
    async with api_of(other) as second:
        bodies = [service(f"s{number}", type="NodePort") for number in range(50)]
        asked = [(api, second)[number % 2].call("POST", path, body) for number, body in enumerate(bodies)]
        answers = await asyncio.gather(*asked)
    assert {code for code, _ in answers} == {201}, answers
    specs = [body["spec"] for _, body in answers]
    assert len({spec["clusterIP"] for spec in specs}) == 50
    assert len({spec["ports"][0]["nodePort"] for spec in specs}) == 50
    code, address = await api.call("GET", f"{ADDRESSES}/{specs[7]['clusterIP']}")
    assert code == 200
    parent = {"resource": "services", "namespace": namespace, "name": "s7"}
    assert {key: value for key, value in address["spec"]["parentRef"].items() if value} == parent


async def test_what_is_taken_is_refused_and_given_back(api: Api, namespace: str):
    """A taken address or port is refused; a refused create, a delete and a change of type give back."""
    path = f"/api/v1/namespaces/{namespace}/services"
    first = service("a", type="NodePort", clusterIP="10.96.0.201", ports=[{"port": 80, "nodePort": 30201}])
    assert (await api.call("POST", path, first))[0] == 201
    code, answer = await api.call("POST", path, service("b", clusterIP="10.96.0.201"))
    text = 'spec.clusterIPs: Invalid value: ["10.96.0.201"]: failed to allocate IP 10.96.0.201: '
    assert (code, answer["message"]) == (
        422,
        f'Service "b" is invalid: {text}provided IP is already allocated',
    )
    taken = service("b", type="NodePort", clusterIP="10.96.0.202", ports=[{"port": 80, "nodePort": 30201}])
    code, answer = await api.call("POST", path, taken)
    text = "spec.ports[0].nodePort: Invalid value: 30201: provided port is already allocated"
    assert (code, answer["message"]) == (422, f'Service "b" is invalid: {text}')
    assert (await api.call("GET", f"{ADDRESSES}/10.96.0.202"))[0] == 404
    dry = service("b", clusterIP="10.96.0.203")
    assert (await api.call("POST", f"{path}?dryRun=All", dry))[0] == 201
    assert (await api.call("GET", f"{ADDRESSES}/10.96.0.203"))[0] == 404
    patch = {"headers": {"Content-Type": "application/merge-patch+json"}}
    code, changed = await api.call("PATCH", f"{path}/a", {"spec": {"type": "ClusterIP"}}, **patch)
    assert code == 200
    assert "nodePort" not in changed["spec"]["ports"][0]
    again = service("b", type="NodePort", ports=[{"port": 80, "nodePort": 30201}])
    assert (await api.call("POST", path, again))[0] == 201
    assert (await api.call("DELETE", f"{path}/a"))[0] == 200
    assert (await api.call("GET", f"{ADDRESSES}/10.96.0.201"))[0] == 404
