"""Watches through the real pipeline."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from tests.gateway.conftest import Api


async def events(api: Api, path: str, seconds: int = 1, **options: Any) -> list[dict[str, Any]]:
    """Everything that a watch says within some seconds."""
    join = "&" if "?" in path else "?"
    async with api.request("GET", f"{path}{join}watch=1&timeoutSeconds={seconds}", **options) as answer:
        assert answer.status == 200
        assert answer.headers["Transfer-Encoding"] == "chunked"
        return [json.loads(line) for line in (await answer.read()).splitlines()]


async def test_watch_ends_on_time_and_in_order(api: Api, namespace: str) -> None:
    """Two clients with different starts see each change once, in order, and a proper end."""
    path = f"/api/v1/namespaces/{namespace}/configmaps"
    _, made = await api.call("POST", path, {"metadata": {"name": "a"}, "data": {"n": "0"}})
    start = made["metadata"]["resourceVersion"]
    first = asyncio.create_task(events(api, f"{path}?resourceVersion={start}", 2))
    headers = {"Content-Type": "application/merge-patch+json"}
    for number in range(1, 6):
        _, last = await api.call("PATCH", f"{path}/a", {"data": {"n": str(number)}}, headers=headers)
        if number == 3:
            middle = last["metadata"]["resourceVersion"]
    second = await events(api, f"{path}?resourceVersion={middle}", 1)
    assert [event["object"]["data"]["n"] for event in await first] == ["1", "2", "3", "4", "5"]
    assert [event["object"]["data"]["n"] for event in second] == ["4", "5"]


async def test_initial_events_and_bookmark(api: Api, namespace: str) -> None:
    """A watch with initial events begins with the objects and says where they end."""
    path = f"/api/v1/namespaces/{namespace}/configmaps"
    for name in ("a", "b"):
        await api.call("POST", path, {"metadata": {"name": name}})
    query = "sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true"
    seen = await events(api, f"{path}?{query}")
    assert [event["type"] for event in seen] == ["ADDED", "ADDED", "BOOKMARK"]
    assert seen[2]["object"]["metadata"]["annotations"] == {"k8s.io/initial-events-end": "true"}


async def test_tables_have_one_head(api: Api, namespace: str) -> None:
    """Only the first Table of a watch defines the columns."""
    path = f"/api/v1/namespaces/{namespace}/configmaps"
    for name in ("a", "b"):
        await api.call("POST", path, {"metadata": {"name": name}})
    accept = {"Accept": "application/json;as=Table;v=v1;g=meta.k8s.io"}
    seen = await events(api, path, headers=accept)
    assert [event["object"]["kind"] for event in seen] == ["Table", "Table"]
    assert seen[0]["object"]["columnDefinitions"]
    assert seen[1]["object"]["columnDefinitions"] is None


async def test_equal_watches_share_an_upstream(api: Api, namespace: str) -> None:
    """Twenty clients that follow the same thing cost storage one stream."""
    path = f"/api/v1/namespaces/{namespace}/configmaps"
    _, made = await api.call("POST", path, {"metadata": {"name": "a"}})
    start = made["metadata"]["resourceVersion"]
    before = await upstreams(api)
    watching = [asyncio.create_task(events(api, f"{path}?resourceVersion={start}", 2)) for _ in range(20)]
    await asyncio.sleep(0.5)
    during = await upstreams(api)
    await api.call("POST", path, {"metadata": {"name": "b"}})
    seen = await asyncio.gather(*watching)
    assert {tuple(event["object"]["metadata"]["name"] for event in one) for one in seen} == {("b",)}
    assert during - before == 1


async def upstreams(api: Api) -> int:
    """How many watch streams to storage are open."""
    _, text = await api.call("GET", "/metrics")
    for line in text.splitlines():
        if line.startswith("kubehop_hop_client_in_flight{") and "Storage/Watch" in line:
            return int(float(line.rpartition(" ")[2]))
    return 0
