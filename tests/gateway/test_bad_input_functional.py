"""Bad input through the running server: a clear 4xx each, no 500 of the server's own making, in bounded time.

kube-apiserver answers some bad patches and applies with 500 as well, as a Status without reason that says what is
wrong; an InternalError or a body without words is a failure here.
"""

from __future__ import annotations

import io
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.gateway.conftest import Api, api_of
from tests.support.cluster import Cluster

LIMIT = 3 * 1024 * 1024
SECONDS = 10.0
"""More than any request here takes, on a busy machine."""
MAPS = "/api/v1/namespaces/default/configmaps"
DEPLOYMENTS = "/apis/apps/v1/namespaces/default/deployments"
JSON, YAML, PROTOBUF = "application/json", "application/yaml", "application/vnd.kubernetes.protobuf"
STRATEGIC, MERGE = "application/strategic-merge-patch+json", "application/merge-patch+json"
OPERATIONS, APPLY = "application/json-patch+json", "application/apply-patch+yaml"
DEPLOYMENT = {
    "metadata": {"name": "fuzzed"},
    "spec": {
        "selector": {"matchLabels": {"a": "b"}},
        "template": {
            "metadata": {"labels": {"a": "b"}},
            "spec": {"containers": [{"name": "c", "image": "i", "env": [{"name": "A", "value": "a"}]}]},
        },
    },
}
EVERYWHERE = (
    ("POST", MAPS, JSON),
    ("POST", MAPS, YAML),
    ("POST", MAPS, PROTOBUF),
    ("PUT", f"{MAPS}/fuzzed", JSON),
    ("PATCH", f"{DEPLOYMENTS}/fuzzed", STRATEGIC),
    ("PATCH", f"{DEPLOYMENTS}/fuzzed", MERGE),
    ("PATCH", f"{DEPLOYMENTS}/fuzzed", OPERATIONS),
    ("PATCH", f"{DEPLOYMENTS}/fuzzed?fieldManager=f&force=true", APPLY),
    ("DELETE", f"{MAPS}/nobody", JSON),
    ("DELETE", "/api/v1/namespaces/kube-public/secrets", JSON),
)
"""Each decoder once: method, path and media type."""


@asynccontextmanager
async def fuzzed(pipeline: Cluster) -> AsyncIterator[Api]:
    """A client of a server that has the objects which the requests are about."""
    async with api_of(pipeline) as api:
        await api.call("POST", MAPS, {"metadata": {"name": "fuzzed"}, "data": {"a": "b"}})
        await api.call("POST", DEPLOYMENTS, DEPLOYMENT)
        yield api


async def send(api: Api, method: str, path: str, body: Any = None, **headers: str) -> int:
    """Send a request and hold its answer against what is promised of every answer; returns the status code."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    data = io.BytesIO(body.encode() if isinstance(body, str) else body) if body is not None else None
    limits = {"max_line_size": 65536, "max_field_size": 65536, "max_headers": 1024}
    began = time.monotonic()
    async with api.request(method, path, data=data, headers=named, **limits) as answer:
        text = (await answer.read()).decode()
    taken = time.monotonic() - began
    told = f"{method} {path[:200]} {named}: {answer.status} {text[:400]}"
    assert taken < SECONDS, f"{taken:.1f} s for {told}"
    if answer.status >= 500:
        verdict = json.loads(text)
        assert verdict.get("reason") in (None, "Timeout"), told
        assert verdict["message"], told
    return int(answer.status)


@pytest.fixture(autouse=True)
def all_survive(pipeline: Cluster):
    """No process of the pipeline ends or is replaced."""
    before = {name: process.pid for name, process in pipeline.processes.items()}
    yield
    assert {name: process.pid for name, process in pipeline.processes.items()} == before
    assert [name for name, process in pipeline.processes.items() if process.poll() is not None] == []


def _map(fields: str) -> str:
    return '{"metadata":{"name":"x"},' + fields + "}"


BODIES: dict[str, str | bytes] = {
    "deep lists": "[" * 100_000 + "]" * 100_000,
    "deep lists, open": "[" * 1_000_000,
    "deep maps": '{"a":' * 50_000 + "1" + "}" * 50_000,
    "deep managed fields": _map('"managedFields":[{"fieldsV1":' + '{"f:a":' * 20_000 + "{}" + "}" * 20_000 + "}]"),
    "a number of a million digits": '{"metadata":{"generation":' + "9" * 1_000_000 + "}}",
    "an exponent": '{"metadata":{"generation":1e999999999}}',
    "beyond 64 bits": '{"metadata":{"generation":-99999999999999999999},"spec":{"replicas":1e19}}',
    "invalid UTF-8": b'{"metadata":{"name":"\xff\xfe"}}',
    "a lone surrogate": '{"metadata":{"name":"x","annotations":{"a":"\\ud800"}}}',
    "zeros": b"\x00" * 100,
    "a repeated key": "{" + ",".join(['"data":{"a":"b"}'] * 50_000) + "}",
    "unknown keys": "{" + ",".join(f'"k{i}":1' for i in range(2_000)) + "}",
    "many labels": '{"metadata":{"labels":{' + ",".join(f'"k{i}":"v"' for i in range(100_000)) + "}}}",
    "many owners": '{"metadata":{"ownerReferences":['
    + ",".join(['{"kind":"K","name":"n","uid":"u"}'] * 40_000)
    + "]}}",
    "above the limit": b" " * (LIMIT - 1) + b"{}",
    "wrong types": '{"metadata":{"name":{},"labels":[],"annotations":1,"ownerReferences":{},"managedFields":{}}}',
    "no object": "[]",
    "nothing": "",
    "null": "null",
    "types of types": '{"kind":1,"apiVersion":2}',
    "broken managed fields": '{"metadata":{"managedFields":[null,{"fieldsV1":{"k:{":{},"v:":{},"i:x":[]}}]}}',
    "a path for a name": '{"metadata":{"name":"../x"}}',
    "line breaks": '{"metadata":{"name":"a\\r\\nb"}}',
}


@pytest.mark.parametrize("what", BODIES)
async def test_bodies(pipeline: Cluster, what: str) -> None:
    """Hostile documents to every decoder."""
    async with fuzzed(pipeline) as api:
        for method, path, media_type in EVERYWHERE:
            code = await send(api, method, path, BODIES[what], Content_Type=media_type)
            if what == "above the limit":
                assert code == 413


async def test_bodies_up_to_the_limit_are_read(pipeline: Cluster) -> None:
    """Three mebibytes are read, one more byte is not."""
    async with fuzzed(pipeline) as api:
        body = b'{"metadata":{"generateName":"a-"}}'
        assert await send(api, "POST", MAPS, body.rjust(LIMIT), Content_Type=JSON) == 201
        assert await send(api, "POST", MAPS, body.rjust(LIMIT + 1), Content_Type=JSON) == 413


def _bomb(levels: int) -> str:
    lines = ["a0: &a0 [x,x,x,x,x,x,x,x,x]"]
    lines += [f"a{n}: &a{n} [{','.join([f'*a{n - 1}'] * 9)}]" for n in range(1, levels)]
    return "\n".join(lines)


DOCUMENTS: dict[str, str] = {
    "a billion laughs": _bomb(10),
    "an alias of itself": "a: &a [*a]",
    "a merge of itself": "a: &a {<<: *a}",
    "many aliases": "a: &a x\nb: [" + ",".join(["*a"] * 200_000) + "]",
    "merged over and over": "a: &a {" + ",".join(f"k{i}: 1" for i in range(5_000)) + "}\nb: [" + "*a," * 1_000 + "]",
    "deep": "".join(" " * i + "a:\n" for i in range(1_500)),
    "documents": "---\n" * 100_000,
    "a tag": '!!python/object/apply:os.system ["true"]',
    "a date": "metadata: {name: 2001-01-01}",
    "not numbers": "metadata: {generation: .nan}\nspec: {replicas: .inf}",
    "keys of all kinds": "? [a]\n: b\n1: 2\n~: 3",
    "a long number": "a: " + "9" * 100_000,
    "base sixty": "a: 1" + ":59" * 1_000,
    "a comment": "#" * (LIMIT - 10),
}


@pytest.mark.parametrize("what", DOCUMENTS)
async def test_yaml(pipeline: Cluster, what: str) -> None:
    """Hostile YAML, alone and inside an apply document."""
    async with fuzzed(pipeline) as api:
        text = DOCUMENTS[what]
        await send(api, "POST", MAPS, text, Content_Type=YAML)
        await send(api, "DELETE", f"{MAPS}/nobody", text, Content_Type=YAML)
        head = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: fuzzed}\n"
        for body in (text, head + text):
            await send(api, "PATCH", f"{MAPS}/fuzzed?fieldManager=f", body, Content_Type=APPLY)


QUERIES = [
    "limit=abc", "limit=-1", "limit=99999999999999999999", "limit=1&continue=abc", "continue=%ff", "continue=bnVsbA",
    "continue=" + "A" * 20_000, "continue=eyJ2IjoibWV0YS5rOHMuaW8vdjEiLCJydiI6LTEsInN0YXJ0IjoiLi4vLi4vIn0",
    "resourceVersion=-1", "resourceVersion=1.5", "resourceVersion=99999999999999999999999", "resourceVersionMatch=x",
    "resourceVersion=1&resourceVersionMatch=Exact", "resourceVersion=18446744073709551615&timeoutSeconds=1",
    "labelSelector=" + "(" * 20_000, "labelSelector=%00", "labelSelector=%ff%fe", "labelSelector=" + "a!=b," * 5_000,
    "fieldSelector=" + "," * 20_000, "fieldSelector=%5C", "fieldSelector=a%3D%5C%5C%5C", "timeoutSeconds=abc",
    "watch=1&timeoutSeconds=99999999999999999999", "watch=1&resourceVersion=abc", "watch=1&limit=abc", "&" * 20_000,
    "=&=&=%zz", "%00=%00", "limit=1;x=2", "sendInitialEvents=true", "pretty=%ff", "includeObject=xx", "dryRun=x",
    "gracePeriodSeconds=-99999999999999999999", "propagationPolicy=x", "fieldManager=" + "x" * 129, "fieldManager=%00",
    "fieldManager=a%0d%0ab", "fieldValidation=x", "force=x", "orphanDependents=true&propagationPolicy=Orphan",
]  # fmt: skip


async def test_queries(pipeline: Cluster) -> None:
    """Options, selectors, tokens and versions that are none, with every verb."""
    async with fuzzed(pipeline) as api:
        for query in QUERIES:
            for path in (MAPS, f"{MAPS}/fuzzed"):
                await send(api, "GET", f"{path}?{query}", Accept=JSON)
            await send(api, "POST", f"{MAPS}?{query}", "{}", Content_Type=JSON)
            await send(api, "PATCH", f"{MAPS}/fuzzed?{query}", "{}", Content_Type=MERGE)
            await send(api, "DELETE", f"/api/v1/namespaces/kube-public/secrets?{query}")


HEADERS = [
    "application/json;as=Table;g=meta.k8s.io;v=v1", "application/json;as=Table;g=meta.k8s.io;v=v9", "x", "*/*;q=x",
    "application/json;as=Nothing", "application/json;q=2", "application/*", "a/b," * 2_000, '"' * 1_000, ",,,",
    "application/json;" + "a=b;" * 2_000, 'application/json;as="Table;g=', "application/cbor", "text/html",
    "application/vnd.kubernetes.protobuf", "application/json;stream=watch", "application/json;charset=utf-16",
]  # fmt: skip


async def test_media_types(pipeline: Cluster) -> None:
    """Accept and Content-Type headers of all sorts."""
    async with fuzzed(pipeline) as api:
        for header in HEADERS:
            for path in (MAPS, f"{MAPS}/fuzzed", "/apis", "/openapi/v2", "/metrics"):
                await send(api, "GET", path, Accept=header)
            await send(api, "POST", MAPS, "{}", Content_Type=header)
            await send(api, "PATCH", f"{MAPS}/fuzzed", "{}", Content_Type=header)
            await send(api, "DELETE", f"{MAPS}/nobody", "{}", Content_Type=header)


_FRAGMENTS = st.sampled_from([
    "metadata", "spec", "template", "containers", "name", "env", "$patch", "$retainKeys", "$setElementOrder/containers",
    "$deleteFromPrimitiveList/finalizers", "finalizers", "labels", "managedFields", "fieldsV1", "f:a", "k:{}", "delete",
    "replace", "merge", "op", "path", "value", "from", "/spec/replicas", "/-", "apiVersion", "kind", "", "web", "data",
    "preconditions", "uid", "gracePeriodSeconds", "dryRun", "All",
])  # fmt: skip
_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | _FRAGMENTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_FRAGMENTS, inner, max_size=4),
    max_leaves=20,
)


@st.composite
def _mutated(draw: st.DrawFn) -> bytes:
    """A deployment with some subtree replaced, or some bytes of it."""
    document = json.loads(json.dumps({"apiVersion": "apps/v1", "kind": "Deployment", **DEPLOYMENT}))
    node = document
    for _ in range(draw(st.integers(0, 6))):
        keys = sorted(node) if isinstance(node, dict) else list(range(len(node)))
        key = draw(st.sampled_from(keys))
        if not isinstance(node[key], dict | list) or not node[key] or draw(st.booleans()):
            node[key] = draw(_VALUES)
            break
        node = node[key]
    data = bytearray(json.dumps(document).encode())
    for _ in range(draw(st.integers(0, 2))):
        data[draw(st.integers(0, len(data) - 1))] = draw(st.integers(0, 255))
    return bytes(data)


_random = settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))


@_random
@given(_VALUES.map(lambda value: json.dumps(value).encode()) | _mutated() | st.binary(max_size=60))
async def test_random_bodies(pipeline: Cluster, body: bytes) -> None:
    """Random and mutated documents to every decoder; stored ones can be read again."""
    async with fuzzed(pipeline) as api:
        for method, path, media_type in (*EVERYWHERE, ("POST", DEPLOYMENTS, JSON), ("POST", DEPLOYMENTS, YAML)):
            asked = f"{path}{'&' if '?' in path else '?'}dryRun=All" if method == "DELETE" else path
            await send(api, method, asked, body, Content_Type=media_type)
        await send(api, "POST", MAPS, b"k8s\x00" + body, Content_Type=PROTOBUF)
        assert await send(api, "GET", f"{DEPLOYMENTS}/fuzzed") == 200


@_random
@given(
    st.sampled_from(
        ["labelSelector", "fieldSelector", "continue", "resourceVersion", "limit", "timeoutSeconds", "watch"]
    ),
    st.text(max_size=30) | st.text(alphabet="a=!,()<> in.not\\%/", max_size=40),
)
async def test_random_queries(pipeline: Cluster, name: str, value: str) -> None:
    """Random values of every option of lists."""
    async with fuzzed(pipeline) as api:
        text = quote(value.encode("utf-8", "surrogatepass"))
        await send(api, "GET", f"{MAPS}?{name}={text}&{'timeoutSeconds=1' if name == 'watch' else ''}")
