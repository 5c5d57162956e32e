"""Requests through the real pipeline: who asks, what they get, in which form."""

from __future__ import annotations

import asyncio
import gzip
import json
import ssl

import aiohttp

from tests.gateway.conftest import Api
from tests.support.cluster import Cluster


async def test_readyz_names_every_check(api: Api) -> None:
    """Verbose readiness lists the stages, etcd, the post-start hooks and shutdown, each of which can be asked alone."""
    code, text = await api.call("GET", "/readyz?verbose", token="")
    assert code == 200
    lines = text.splitlines()
    assert lines[-1] == "readyz check passed"
    for name in (
        "ping",
        "etcd",
        "stage/authentication",
        "stage/storage",
        "poststarthook/rbac/bootstrap-roles",
        "shutdown",
    ):
        assert f"[+]{name} ok" in lines
        assert await api.call("GET", f"/readyz/{name}") == (200, "ok")
    code, text = await api.call("GET", "/readyz?verbose&exclude=etcd&exclude=moon", token="")
    assert "[+]etcd excluded: ok" in text
    assert 'warn: some health checks cannot be excluded: no matches for "moon"' in text


async def test_audit_id_and_caching_headers(api: Api) -> None:
    """Every answer names its request and forbids caching."""
    async with api.request("GET", "/version", headers={"Audit-ID": "abc"}) as answer:
        assert answer.headers["Audit-Id"] == "abc"
        assert answer.headers["Cache-Control"] == "no-cache, private"
        assert "Server" not in answer.headers


async def test_client_certificate_authenticates(pipeline: Cluster) -> None:
    """A client certificate of the cluster's authority is a credential."""
    async with aiohttp.ClientSession() as session:
        body = {"kind": "SelfSubjectReview", "apiVersion": "authentication.k8s.io/v1"}
        path = "/apis/authentication.k8s.io/v1/selfsubjectreviews"
        async with session.post(pipeline.server + path, json=body, ssl=pipeline.tls(user="admin")) as answer:
            review = await answer.json()
    assert review["status"]["userInfo"]["username"] == "admin"
    assert "system:masters" in review["status"]["userInfo"]["groups"]


async def test_old_tls_is_refused(pipeline: Cluster) -> None:
    """Nothing below TLS 1.2 is spoken."""
    context = pipeline.tls()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    _, writer = await asyncio.open_connection("127.0.0.1", pipeline.port, ssl=context)
    assert writer.get_extra_info("ssl_object").version() in ("TLSv1.2", "TLSv1.3")
    writer.close()
    await writer.wait_closed()


async def test_unknown_paths_and_methods(api: Api) -> None:
    """Outside the API plain text, inside it a Status; 405 where the path exists."""
    assert await api.call("GET", "/nothing") == (404, "404 page not found\n")
    code, body = await api.call("GET", "/api/v1/gadgets")
    assert (code, body["reason"]) == (404, "NotFound")
    code, body = await api.call("PUT", "/api/v1/namespaces/default/configmaps", {})
    assert (code, body["reason"]) == (405, "MethodNotAllowed")
    code, body = await api.call("GET", "/api/v1/namespaces/default/pods/p/log")
    assert code == 405


async def test_forbidden_and_unauthorized(api: Api) -> None:
    """A stranger's token is 401, a user without rights 403."""
    assert (await api.call("GET", "/api/v1/pods", token="nobody"))[0] == 401
    code, body = await api.call("GET", "/api/v1/secrets", token="alice-token")
    assert code == 403
    assert body["message"] == (
        'secrets is forbidden: User "alice" cannot list resource "secrets" in API group "" at the cluster scope'
    )


async def test_object_life(api: Api, namespace: str) -> None:
    """Create, read, change in each way, delete."""
    path = f"/api/v1/namespaces/{namespace}/configmaps"
    code, made = await api.call("POST", path, {"metadata": {"generateName": "a-"}, "data": {"k": "1"}})
    assert code == 201
    one = f"{path}/{made['metadata']['name']}"
    assert await api.call("GET", one) == (200, made)
    made["data"] = {"k": "2"}
    code, changed = await api.call("PUT", one, made)
    assert (code, changed["data"]) == (200, {"k": "2"})
    code, conflict = await api.call("PUT", one, made)
    assert (code, conflict["reason"]) == (409, "Conflict")
    for kind, patch in (
        ("merge-patch", {"data": {"m": "1"}}),
        ("json-patch", [{"op": "add", "path": "/data/j", "value": "1"}]),
        ("strategic-merge-patch", {"data": {"s": "1"}}),
    ):
        code, _ = await api.call("PATCH", one, patch, headers={"Content-Type": f"application/{kind}+json"})
        assert code == 200
    applied = {"apiVersion": "v1", "kind": "ConfigMap", "data": {"a": "1"}}
    code, last = await api.call(
        "PATCH", f"{one}?fieldManager=me", applied, headers={"Content-Type": "application/apply-patch+yaml"}
    )
    assert (code, last["data"]) == (200, {"k": "2", "m": "1", "j": "1", "s": "1", "a": "1"})
    code, _ = await api.call("DELETE", one)
    assert code == 200
    assert (await api.call("GET", one))[0] == 404


async def test_update_without_change_writes_nothing(api: Api, namespace: str) -> None:
    """The resourceVersion stays where nothing changed."""
    path = f"/api/v1/namespaces/{namespace}/configmaps"
    _, made = await api.call("POST", path, {"metadata": {"name": "same"}, "data": {"k": "1"}})
    _, again = await api.call("PUT", f"{path}/same", made)
    assert again["metadata"]["resourceVersion"] == made["metadata"]["resourceVersion"]


async def test_dry_run_leaves_nothing(api: Api, namespace: str) -> None:
    """A rehearsed create answers as a real one and stores nothing."""
    path = f"/api/v1/namespaces/{namespace}/configmaps"
    code, made = await api.call("POST", f"{path}?dryRun=All", {"metadata": {"name": "ghost"}})
    assert (code, made["metadata"]["name"]) == (201, "ghost")
    assert (await api.call("GET", f"{path}/ghost"))[0] == 404


async def test_finalizers_keep_an_object(api: Api, namespace: str) -> None:
    """A deleted object stays until its last finalizer is taken away."""
    path = f"/api/v1/namespaces/{namespace}/configmaps"
    await api.call("POST", path, {"metadata": {"name": "f", "finalizers": ["example.com/x"]}})
    code, left = await api.call("DELETE", f"{path}/f")
    assert code == 200
    assert left["metadata"]["deletionTimestamp"]
    await api.call(
        "PATCH",
        f"{path}/f",
        {"metadata": {"finalizers": None}},
        headers={"Content-Type": "application/merge-patch+json"},
    )
    assert (await api.call("GET", f"{path}/f"))[0] == 404


async def test_concurrent_patches_are_all_kept(api: Api, namespace: str) -> None:
    """Patches that meet are tried again: none is lost."""
    path = f"/api/v1/namespaces/{namespace}/configmaps"
    await api.call("POST", path, {"metadata": {"name": "busy"}})
    headers = {"Content-Type": "application/merge-patch+json"}
    answers = await asyncio.gather(
        *(api.call("PATCH", f"{path}/busy", {"data": {f"k{n}": "1"}}, headers=headers) for n in range(20))
    )
    assert {code for code, _ in answers} == {200}
    _, found = await api.call("GET", f"{path}/busy")
    assert set(found["data"]) == {f"k{n}" for n in range(20)}


async def test_body_limit(api: Api, namespace: str) -> None:
    """More than 3 MiB are refused."""
    body = json.dumps({"metadata": {"name": "big"}, "data": {"k": "x" * (3 * 1024 * 1024)}}).encode()
    code, answer = await api.call("POST", f"/api/v1/namespaces/{namespace}/configmaps", body)
    assert (code, answer["message"]) == (413, "Request entity too large: limit is 3145728")


async def test_long_lists_are_compressed_for_those_who_ask(api: Api, namespace: str) -> None:
    """A list above 128 KiB goes out in chunks, compressed where the client accepts that, and is whole either way."""
    path = f"/api/v1/namespaces/{namespace}/configmaps"
    await asyncio.gather(
        *(api.call("POST", path, {"metadata": {"name": f"c{n}"}, "data": {"k": "x" * 2000}}) for n in range(100))
    )
    async with aiohttp.ClientSession(auto_decompress=False) as session:
        plain = Api(session, api.server, api.tls)
        async with plain.request("GET", path, headers={"Accept-Encoding": "gzip"}) as answer:
            assert answer.headers["Content-Encoding"] == "gzip"
            packed = json.loads(gzip.decompress(await answer.read()))
        async with plain.request("GET", path, headers={"Accept-Encoding": "identity"}) as answer:
            assert "Content-Encoding" not in answer.headers
            whole = json.loads(await answer.read())
    assert packed["items"] == whole["items"]
    assert len(whole["items"]) == 100
    assert list(whole) == ["kind", "apiVersion", "metadata", "items"]


async def test_discovery_is_not_sent_twice(api: Api) -> None:
    """A client that has the aggregated document is told so."""
    accept = {"Accept": "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"}
    async with api.request("GET", "/apis", headers=accept) as answer:
        assert answer.status == 200
        etag = answer.headers["Etag"]
    async with api.request("GET", "/apis", headers={**accept, "If-None-Match": etag}) as answer:
        assert answer.status == 304
        assert await answer.read() == b""


async def test_openapi_is_cached_by_hash(api: Api) -> None:
    """The index leads to documents whose URL holds their hash; an old hash leads to the new one."""
    _, index = await api.call("GET", "/openapi/v3")
    url = index["paths"]["apis/apps/v1"]["serverRelativeURL"]
    async with api.request("GET", url) as answer:
        assert answer.headers["Cache-Control"] == "public, immutable"
        document = await answer.json()
    assert "io.k8s.api.apps.v1.Deployment" in document["components"]["schemas"]
    async with api.request("GET", "/openapi/v3/apis/apps/v1?hash=OLD", allow_redirects=False) as answer:
        assert (answer.status, answer.headers["Location"]) == (301, url)


async def test_metrics_count_requests(api: Api) -> None:
    """Requests appear under kube-apiserver's names."""
    await api.call("GET", "/api/v1/namespaces/default")
    _, text = await api.call("GET", "/metrics")
    assert 'apiserver_request_total{code="200",component="apiserver"' in text
    assert "apiserver_request_duration_seconds_bucket" in text
    assert "kubehop_hop_client_calls_total" in text


async def test_connection_is_kept_over_errors(pipeline: Cluster) -> None:
    """One connection serves requests one after the other, refused ones too."""
    reader, writer = await asyncio.open_connection(
        "127.0.0.1", pipeline.port, ssl=pipeline.tls(), server_hostname="localhost"
    )
    for path, code in (("/version", b"200"), ("/nothing", b"403"), ("/version", b"200")):
        writer.write(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        head = await reader.readuntil(b"\r\n\r\n")
        assert head.split(b" ", 2)[1] == code
        length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
        await reader.readexactly(length)
    writer.write(b"GET /version HTTP/1.0\r\nHost: localhost\r\n\r\n")
    answer = await reader.read()
    assert b"Connection: close\r\n" in answer
    writer.close()
    await writer.wait_closed()
