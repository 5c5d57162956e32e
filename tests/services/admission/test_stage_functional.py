"""The stage as a process of its own: over a unix socket, with the real storage stage and etcd behind it."""

from __future__ import annotations

import asyncio
import contextlib
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

import orjson
import pytest

from gateway.hooks import StoredObjects
from kubehop.hop.calls import NO_CONTEXT
from kubehop.hop.client import StageClient
from kubehop.pb.admission.v1 import (
    DECISION_ALLOWED,
    DECISION_DENIED,
    OPERATION_CREATE,
    AdmissionRpcs,
    MutateRequest,
    MutateResponse,
    ValidateRequest,
)
from services.admission import registry
from tests.services.admission.pods import pod
from tests.services.admission.requests import message, namespace
from tests.support import stages

READY_SECONDS = 20


@pytest.fixture
async def pipeline() -> AsyncIterator[tuple[StageClient, StoredObjects]]:
    """The admission stage, and the objects behind it. A short directory, for socket paths are short."""
    with (
        tempfile.TemporaryDirectory(prefix="kh-") as name,
        stages.etcd(Path(name)) as etcd,
        stages.stage("services.storage", Path(name) / "storage.sock", "--etcd-servers", etcd) as storage,
        stages.stage(
            "services.authorization", Path(name) / "authorization.sock", "--storage", storage.listen
        ) as authorization,
        stages.stage(
            "services.admission",
            Path(name) / "admission.sock",
            *("--storage", storage.listen, "--authorization", authorization.listen),
            *("--enable-admission-plugins", "AlwaysPullImages"),
        ) as admission,
    ):
        to_storage = StageClient("storage", [storage.listen])
        to_admission = StageClient("admission", [admission.listen])
        await to_storage.connect()
        await to_admission.connect()
        try:
            await to_storage.wait_ready(READY_SECONDS)
            await to_admission.wait_ready(READY_SECONDS)
            yield to_admission, StoredObjects(to_storage)
        finally:
            await to_admission.close()
            await to_storage.close()


async def mutate(stage: StageClient, resource: str, obj: dict, namespace: str) -> MutateResponse:
    attributes = message(OPERATION_CREATE, resource, obj=obj, namespace=namespace, name=obj["metadata"]["name"])
    return await stage.call(AdmissionRpcs.MUTATE, MutateRequest(attributes=attributes), NO_CONTEXT)


async def test_what_is_written_is_seen_before_the_next_decision(pipeline):
    """A namespace that was just made, an account that was just made: both count at once, a hundred times."""
    stage, objects = pipeline
    for number in range(100):
        name = f"n{number}"
        await objects.create("", "namespaces", namespace(name))
        account = {"kind": "ServiceAccount", "apiVersion": "v1", "metadata": {"name": "web", "namespace": name}}
        await objects.create("", "serviceaccounts", account)
        answer = await mutate(stage, "pods", pod(serviceAccountName="web"), name)
        assert answer.decision == DECISION_ALLOWED, answer


async def test_a_pod_passes_the_whole_chain(pipeline):
    """Every plugin that acted is in the evidence, in order, with the patch of its own change."""
    stage, objects = pipeline
    await objects.create("", "namespaces", namespace("n"))
    account = {"kind": "ServiceAccount", "apiVersion": "v1", "metadata": {"name": "default", "namespace": "n"}}
    await objects.create("", "serviceaccounts", account)
    answer = await mutate(stage, "pods", pod(), "n")
    assert answer.decision == DECISION_ALLOWED
    changed = [result.name for result in answer.plugins if result.patch]
    assert changed == ["ServiceAccount", "AlwaysPullImages", "Priority", "DefaultTolerationSeconds"]
    spec = orjson.loads(answer.object)["spec"]
    assert spec["priority"] == 0
    assert spec["containers"][0]["imagePullPolicy"] == "Always"
    attributes = message(OPERATION_CREATE, "pods", namespace="n", name="p")
    attributes.object = answer.object
    validated = await stage.call(AdmissionRpcs.VALIDATE, ValidateRequest(attributes=attributes), NO_CONTEXT)
    assert validated.decision == DECISION_ALLOWED


async def test_refusals_over_the_wire(pipeline):
    """A missing and a terminating namespace."""
    stage, objects = pipeline
    config_map = {"metadata": {"name": "a"}}
    answer = await mutate(stage, "configmaps", config_map, "missing")
    assert answer.decision == DECISION_DENIED
    assert (answer.denial.code, answer.denial.message) == (404, 'namespaces "missing" not found')
    await objects.create("", "namespaces", namespace("going", "Terminating"))
    answer = await mutate(stage, "configmaps", config_map, "going")
    assert (answer.denial.code, answer.denial.reason) == (403, "Forbidden")
    assert orjson.loads(answer.denial.details)["causes"][0]["reason"] == "NamespaceTerminating"


async def test_the_stage_describes_itself(pipeline):
    """Its plugins are its capabilities."""
    stage, _ = pipeline
    description = await stage.describe()
    assert description.contract == "kubehop.admission.v1"
    assert set(registry.select(["AlwaysPullImages"], []).names) <= set(description.capabilities)


@pytest.mark.parametrize(
    ("flags", "problem"),
    [
        (["--enable-admission-plugins", "Nope"], 'enable-admission-plugins plugin "Nope" is unknown'),
        (["--enable-admission-plugins", "ImagePolicyWebhook"], "is not built into kubehop yet"),
        (
            ["--enable-admission-plugins", "LimitRanger", "--disable-admission-plugins", "LimitRanger"],
            "[LimitRanger] in enable-admission-plugins and disable-admission-plugins overlapped",
        ),
    ],
)
def test_flags_that_cannot_be_followed_end_the_process(flags, problem):
    """One clear line and exit status 2."""
    command = [sys.executable, "-m", "services.admission", "--listen", "unix:/nowhere", "--storage", "unix:/nowhere"]
    command += ["--authorization", "unix:/nowhere"]
    done = subprocess.run([*command, *flags], capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 2
    assert problem in done.stderr


async def test_no_quota_is_overrun_through_two_stages():
    """Fifty creations at once, through two stages over real storage, against a quota of ten: exactly ten pass."""
    with (
        tempfile.TemporaryDirectory(prefix="kh-") as name,
        stages.etcd(Path(name)) as etcd,
        stages.stage("services.storage", Path(name) / "storage.sock", "--etcd-servers", etcd) as storage,
        stages.stage(
            "services.authorization", Path(name) / "authorization.sock", "--storage", storage.listen
        ) as authorization,
        contextlib.ExitStack() as running,
    ):
        flags = ("--storage", storage.listen, "--authorization", authorization.listen)
        listening = [
            running.enter_context(stages.stage("services.admission", Path(name) / f"admission-{n}.sock", *flags)).listen
            for n in range(2)
        ]
        async with contextlib.AsyncExitStack() as clients:
            to_storage, *stages_ = [StageClient("client", [listen]) for listen in (storage.listen, *listening)]
            for client in (to_storage, *stages_):
                await client.connect()
                clients.push_async_callback(client.close)
                await client.wait_ready(READY_SECONDS)
            objects = StoredObjects(to_storage)
            await objects.create("", "namespaces", namespace("ns"))
            quota = {
                "kind": "ResourceQuota",
                "apiVersion": "v1",
                "metadata": {"name": "q", "namespace": "ns"},
                "spec": {"hard": {"configmaps": "10"}},
                "status": {"hard": {"configmaps": "10"}, "used": {"configmaps": "0"}},
            }
            await objects.create("", "resourcequotas", quota)
            await asyncio.sleep(0.5)  # as in kube-apiserver, a new quota is enforced once the watch has brought it

            async def one(number: int) -> bool:
                obj = {"metadata": {"name": f"c{number}", "namespace": "ns"}}
                attributes = message(OPERATION_CREATE, "configmaps", obj=obj, namespace="ns", name=f"c{number}")
                request = ValidateRequest(attributes=attributes)
                answer = await stages_[number % 2].call(AdmissionRpcs.VALIDATE, request, NO_CONTEXT)
                if answer.decision == DECISION_DENIED:
                    assert "exceeded quota: q, requested: configmaps=1" in answer.denial.message
                return answer.decision == DECISION_ALLOWED

            admitted = await asyncio.gather(*(one(number) for number in range(50)))
            assert sum(admitted) == 10
            stored = await objects.get("", "resourcequotas", "ns", "q")
            assert stored is not None
            assert stored["status"]["used"] == {"configmaps": "10"}
