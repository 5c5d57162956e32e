"""The authorization stage as a real process over a real storage stage, asked over its hop."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import grpc
import orjson
import pytest

from kubehop.hop.client import StageClient
from kubehop.hop.errors import HopError
from kubehop.pb.authentication.v1 import UserInfo
from kubehop.pb.authorization.v1 import (
    DECISION_ALLOW,
    DECISION_NO_OPINION,
    Attributes,
    AuthorizationRpcs,
    AuthorizeRequest,
    AuthorizeResponse,
    RulesRequest,
)
from kubehop.pb.storage.v1 import CreateRequest, DeleteRequest, Key, StorageRpcs
from tests.services.authorization.policies import RBAC, binding, role, rule, user
from tests.support.stages import StageProcess, etcd, stage

SECONDS = 20


@asynccontextmanager
async def client_of(process: StageProcess, name: str) -> AsyncIterator[StageClient]:
    hop = StageClient(name, [process.listen])
    await hop.connect()
    try:
        await hop.wait_ready(SECONDS)
        yield hop
    finally:
        await hop.close()


class Cluster:
    """Storage and authorization as processes, with clients of both."""

    def __init__(self, storage: StageProcess, objects: StageClient, authz: StageProcess, hop: StageClient) -> None:
        self.storage_process = storage
        self.objects = objects
        self.process = authz
        self.hop = hop

    async def create(self, resource: str, obj: dict[str, Any], group: str = RBAC) -> None:
        metadata = obj["metadata"]
        key = Key(group=group, resource=resource, namespace=metadata.get("namespace", ""), name=metadata["name"])
        await self.objects.call(StorageRpcs.CREATE, CreateRequest(key=key, object=orjson.dumps(obj)))

    async def delete(self, resource: str, name: str, namespace: str = "", group: str = RBAC) -> None:
        key = Key(group=group, resource=resource, namespace=namespace, name=name)
        await self.objects.call(StorageRpcs.DELETE, DeleteRequest(key=key))

    async def ask(self, username: str, verb: str, resource: str, *groups: str, **attributes: Any) -> AuthorizeResponse:
        asked = Attributes(verb=verb, resource_request=True, resource=resource, **attributes)
        request = AuthorizeRequest(user=UserInfo(username=username, groups=groups), attributes=asked)
        return await self.hop.call(AuthorizationRpcs.AUTHORIZE, request)

    async def until(self, decision: int, *question: str, **attributes: Any) -> float:
        """Ask until the answer has this decision; return the seconds that it took."""
        started = time.monotonic()
        async with asyncio.timeout(SECONDS):
            while (await self.ask(*question, **attributes)).decision != decision:
                await asyncio.sleep(0.005)
        return time.monotonic() - started


@pytest.fixture(scope="module")
def etcd_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with etcd(tmp_path_factory.mktemp("etcd")) as url:
        yield url


@asynccontextmanager
async def running(directory: Path, etcd_url: str, *flags: str) -> AsyncIterator[Cluster]:
    storage_flags = ("--etcd-servers", etcd_url)
    socket = directory / "storage.sock"
    with stage("services.storage", socket, *storage_flags) as storage:
        authz_flags = ("--storage", storage.listen, *flags)
        with stage("services.authorization", directory / "authz.sock", *authz_flags) as authz:
            async with client_of(storage, "storage") as objects, client_of(authz, "authorization") as hop:
                yield Cluster(storage, objects, authz, hop)


@pytest.fixture
async def cluster(tmp_path: Path, etcd_url: str) -> AsyncIterator[Cluster]:
    async with running(tmp_path, etcd_url) as cluster:
        yield cluster


async def test_decisions_follow_the_objects_in_storage(cluster: Cluster) -> None:
    """A binding takes effect, and its end too, within a second of the write; with reason and evidence."""
    question = ("carol", "get", "pods")
    where = {"namespace": "default", "name": "web"}
    assert (await cluster.ask(*question, **where)).decision == DECISION_NO_OPINION
    await cluster.create("roles", role("reader", rule(["get"], ["pods"]), namespace="default") | _type("Role"))
    bound = binding("readers", "reader", user("carol"), namespace="default", kind="Role") | _type("RoleBinding")
    await cluster.create("rolebindings", bound)
    assert await cluster.until(DECISION_ALLOW, *question, **where) < 1
    allowed = await cluster.ask(*question, **where)
    assert allowed.authorizer == "RBAC"
    assert allowed.reason == 'RBAC: allowed by RoleBinding "readers/default" of Role "reader" to User "carol"'
    assert [each.authorizer for each in allowed.evidence] == ["PrivilegedGroup", "Node", "RBAC"]
    evidence = allowed.evidence[-1]
    assert (evidence.binding, evidence.role) == ("RoleBinding/default/readers", "Role/default/reader")
    assert orjson.loads(evidence.rule) == {"verbs": ["get"], "apiGroups": [""], "resources": ["pods"]}
    denied = await cluster.ask("carol", "delete", "pods", namespace="default", name="web")
    assert denied.evidence[-1].near_misses[0].lacking == "verb"
    rules = await cluster.hop.call(
        AuthorizationRpcs.RULES, RulesRequest(user=UserInfo(username="carol"), namespace="default")
    )
    assert [list(each.resources) for each in rules.resource_rules] == [["pods"]]
    await cluster.delete("rolebindings", "readers", "default")
    assert await cluster.until(DECISION_NO_OPINION, *question, **where) < 1
    await cluster.delete("roles", "reader", "default")


async def test_nodes_read_what_their_pods_use(cluster: Cluster) -> None:
    """A pod on a node relates its secrets to that node and no other."""
    question = ("system:node:n1", "get", "secrets", "system:nodes")
    where = {"namespace": "default", "name": "used"}
    before = await cluster.ask(*question, **where)
    assert before.reason == "no relationship found between node 'n1' and this object"
    spec = {"nodeName": "n1", "volumes": [{"name": "s", "secret": {"secretName": "used"}}]}
    pod = {
        "metadata": {"name": "p", "namespace": "default", "uid": "1"},
        "spec": spec,
        "apiVersion": "v1",
        "kind": "Pod",
    }
    await cluster.create("pods", pod, group="")
    assert await cluster.until(DECISION_ALLOW, *question, **where) < 1
    other = await cluster.ask("system:node:n2", "get", "secrets", "system:nodes", **where)
    assert other.decision == DECISION_NO_OPINION
    await cluster.delete("pods", "p", "default", group="")
    assert await cluster.until(DECISION_NO_OPINION, *question, **where) < 1


@pytest.fixture
async def impatient(tmp_path: Path, etcd_url: str) -> AsyncIterator[Cluster]:
    """A cluster whose authorization stage trusts its rules for two seconds only."""
    async with running(tmp_path, etcd_url, "--max-staleness", "2s") as cluster:
        yield cluster


async def test_without_storage_nothing_is_decided_beyond_the_bound(impatient: Cluster) -> None:
    """While storage hangs, old rules stay in force for the bound; then the stage answers UNAVAILABLE."""
    masters = ("root", "get", "pods", "system:masters")
    assert (await impatient.ask(*masters)).decision == DECISION_ALLOW
    impatient.storage_process.pause()
    try:
        started = time.monotonic()
        assert (await impatient.ask(*masters)).decision == DECISION_ALLOW
        refused: HopError | None = None
        async with asyncio.timeout(SECONDS):
            while refused is None:
                try:
                    await impatient.ask(*masters)
                    await asyncio.sleep(0.02)
                except HopError as error:
                    refused = error
        assert refused.code is grpc.StatusCode.UNAVAILABLE
        assert 0.5 < time.monotonic() - started < 6
        async with asyncio.timeout(SECONDS):
            while await impatient.hop.health():
                await asyncio.sleep(0.02)
    finally:
        impatient.storage_process.go_on()
    started = time.monotonic()
    await impatient.hop.wait_ready(SECONDS)
    assert (await impatient.ask(*masters)).decision == DECISION_ALLOW
    assert time.monotonic() - started < 4


async def test_not_serving_before_the_rules_are_there(tmp_path: Path) -> None:
    """Until every replica is synced the stage is not healthy, and a bold caller gets UNAVAILABLE."""
    with stage("services.authorization", tmp_path / "a.sock", "--storage", f"unix:{tmp_path / 'none.sock'}") as process:
        async with asyncio.timeout(SECONDS):
            while not (tmp_path / "a.sock").exists():
                await asyncio.sleep(0.02)
        async with grpc.aio.insecure_channel(process.listen) as channel:
            call = channel.unary_unary(AuthorizationRpcs.AUTHORIZE.path)
            with pytest.raises(grpc.aio.AioRpcError) as refused:
                await call(AuthorizeRequest().SerializeToString(), wait_for_ready=True, timeout=SECONDS)
            assert refused.value.code() is grpc.StatusCode.UNAVAILABLE
        assert process.process.poll() is None


async def test_modes_are_asked_in_their_order(tmp_path: Path, etcd_url: str) -> None:
    """AlwaysDeny before AlwaysAllow still allows, as in kube-apiserver; the evidence has both."""
    async with running(tmp_path, etcd_url, "--authorization-mode", "AlwaysDeny,AlwaysAllow") as cluster:
        answer = await cluster.ask("anybody", "get", "pods")
        assert answer.decision == DECISION_ALLOW
        assert [each.authorizer for each in answer.evidence] == ["PrivilegedGroup", "AlwaysDeny", "AlwaysAllow"]
        assert answer.evidence[1].reason == "Everything is forbidden."


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        (("--authorization-mode", "RBAC,Magic"), '"Magic" is not a valid mode'),
        (("--authorization-mode", "RBAC,RBAC"), "more than once"),
        (("--authorization-mode", ","), "at least one authorization-mode must be passed"),
        (("--max-staleness", "0"), "must be at least 1s"),
        (("--storage", ""), "name at least one address"),
    ],
)
def test_what_the_operator_must_correct_ends_with_status_2(tmp_path: Path, flags: tuple[str, str], said: str) -> None:
    """A bad mode or flag gets a clear line and exit status 2."""
    given = [*flags, "--listen", f"unix:{tmp_path / 's.sock'}"]
    if "--storage" not in flags:
        given += ["--storage", f"unix:{tmp_path / 'storage.sock'}"]
    done = subprocess.run(
        [sys.executable, "-m", "services.authorization", *given],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert done.returncode == 2
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def _type(kind: str) -> dict[str, str]:
    return {"apiVersion": f"{RBAC}/v1", "kind": kind}
