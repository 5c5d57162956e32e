"""Webhooks, with a real one over TLS in another process: what it is asked, what its answers do, and how calls fail."""

from __future__ import annotations

import asyncio
import base64
import datetime as dt
import json
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from kubehop.cli import certificates
from kubehop.machinery.status import StatusError
from services.admission.chain import Chain
from services.admission.plugins.webhooks import MutatingAdmissionWebhook, ValidatingAdmissionWebhook
from services.admission.plugins.webhooks.calls import Caller
from tests.services.admission.pods import refusal
from tests.services.admission.requests import DictCluster, create, delete, namespace, update

Object = dict[str, Any]
GROUP = "admissionregistration.k8s.io"


class Webhook(NamedTuple):
    """Where the webhook listens, and who vouches for it."""

    port: int
    bundle: str

    def client(self, path: str) -> Object:
        return {"url": f"https://127.0.0.1:{self.port}{path}", "caBundle": self.bundle}


def pem(authority: certificates.Authority) -> str:
    return base64.b64encode(authority.certificate.public_bytes(Encoding.PEM)).decode()


@pytest.fixture(scope="module")
def webhook(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Webhook]:
    """A webhook in a process of its own."""
    directory = tmp_path_factory.mktemp("webhook")
    now = dt.datetime.now(tz=dt.UTC)
    authority = certificates.new_authority("webhooks", now)
    key = certificates.new_key()
    subject = certificates.Subject("hook", server=True, names=("127.0.0.1", "hook.ns.svc"))
    certificate = certificates.issue(authority, subject, key.public_key(), now)
    certificates.write_certificate(directory / "hook.crt", certificate)
    certificates.write_key(directory / "hook.key", key)
    module = "tests.services.admission.plugins.webhook_server"
    command = [sys.executable, "-m", module, str(directory / "hook.crt"), str(directory / "hook.key")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=Path(__file__).parents[4]) as process:
        assert process.stdout is not None
        try:
            yield Webhook(int(process.stdout.readline()), pem(authority))
        finally:
            process.kill()


@pytest.fixture
def cluster() -> DictCluster:
    return DictCluster().hold("", "namespaces", namespace("ns", labels={"team": "red"}))


@pytest.fixture
async def caller(cluster: DictCluster) -> AsyncIterator[Caller]:
    made = Caller(cluster)
    yield made
    await made.close()
    await asyncio.sleep(0.1)  # connections that were given up end with their peer's last word


def hook(client: Object, name: str = "h.example.com", **extra: Any) -> Object:
    """A webhook that sees configmaps and deployments, as the API has defaulted it."""
    rule = {"apiGroups": ["*"], "apiVersions": ["*"], "operations": ["*"], "resources": ["configmaps", "deployments"]}
    return {
        "name": name,
        "clientConfig": client,
        "rules": [{**rule, "scope": "*"}],
        "failurePolicy": "Fail",
        "matchPolicy": "Equivalent",
        "sideEffects": "None",
        "timeoutSeconds": 2,
        "admissionReviewVersions": ["v1"],
        "namespaceSelector": {},
        "objectSelector": {},
        **extra,
    }


def configured(cluster: DictCluster, kind: str, *hooks: Object, name: str = "c", version: str = "1") -> None:
    configuration = {"metadata": {"name": name, "resourceVersion": version}, "webhooks": list(hooks)}
    cluster.hold(GROUP, f"{kind}webhookconfigurations", configuration)


def config_map(**rest: Any) -> Any:
    obj = {"kind": "ConfigMap", "apiVersion": "v1", "metadata": {"name": "a", "namespace": "ns"}}
    return create("configmaps", obj, namespace="ns", **rest)


async def validated(cluster: DictCluster, caller: Caller, asked: Any, *hooks: Object) -> str:
    configured(cluster, "validating", *hooks)
    return await refusal(ValidatingAdmissionWebhook(cluster, caller).validate, asked)


async def test_what_a_webhook_is_asked(webhook: Webhook, cluster: DictCluster, caller: Caller) -> None:
    """The request of the AdmissionReview is that of kube-apiserver, member by member."""
    asked = config_map(options={"kind": "CreateOptions", "apiVersion": "meta.k8s.io/v1"}, groups=("a", "b"))
    assert not await validated(cluster, caller, asked, hook(webhook.client("/echo")))
    request = json.loads(asked.annotations["h.example.com/request"])
    assert request.pop("uid")
    kind, resource = {"group": "", "version": "v1"}, {"group": "", "version": "v1", "resource": "configmaps"}
    assert request == {
        "kind": {**kind, "kind": "ConfigMap"},
        "resource": resource,
        "requestKind": {**kind, "kind": "ConfigMap"},
        "requestResource": resource,
        "name": "a",
        "namespace": "ns",
        "operation": "CREATE",
        "userInfo": {"username": "alice", "groups": ["a", "b"]},
        "object": {"kind": "ConfigMap", "apiVersion": "v1", "metadata": {"name": "a", "namespace": "ns"}},
        "oldObject": None,
        "dryRun": False,
        "options": {"kind": "CreateOptions", "apiVersion": "meta.k8s.io/v1"},
    }
    assert asked.annotations["h.example.com/path"] == "/echo?timeout=2s"


async def test_denial_is_told_in_the_webhooks_words(webhook: Webhook, cluster: DictCluster, caller: Caller) -> None:
    """Code and reason are the webhook's, the message says which webhook it was."""
    configured(cluster, "validating", hook(webhook.client("/deny")))
    with pytest.raises(StatusError) as denied:
        await ValidatingAdmissionWebhook(cluster, caller).validate(config_map())
    assert (denied.value.code, denied.value.reason) == (418, "Teapot")
    assert denied.value.message == 'admission webhook "h.example.com" denied the request: no such thing'


async def test_warnings_notes_and_kept_connections(webhook: Webhook, cluster: DictCluster, caller: Caller) -> None:
    """Warnings go to the client, annotations to the audit under the webhook's name; the connection is used again."""
    counts = set()
    for _ in range(5):
        asked = config_map()
        assert not await validated(cluster, caller, asked, hook(webhook.client("/warn")))
        assert asked.warnings == ["careful"]
        assert asked.annotations["h.example.com/said"] == "careful"
        counts.add(asked.annotations["h.example.com/connections"])
    assert len(counts) == 1


FAILURES = {
    "/hang": ": context deadline exceeded",
    "/drip": ": context deadline exceeded",
    "/reset": 'Post "https://127.0.0.1:',
    "/garbage": "couldn't get version/kind; json parse error: ",
    "/huge": "webhook response exceeds the limit of 3145728 bytes",
    "/error": 'an error on the server ("out of order") has prevented the request from succeeding',
}


@pytest.mark.parametrize("path", FAILURES)
async def test_calls_that_fail(webhook: Webhook, cluster: DictCluster, caller: Caller, path: str) -> None:
    """Within the webhook's time the request is refused, with the reason."""
    began = time.monotonic()
    said = await validated(cluster, caller, config_map(), hook(webhook.client(path), timeoutSeconds=1))
    assert said.startswith('Internal error occurred: failed calling webhook "h.example.com": failed to call webhook: ')
    assert FAILURES[path] in said
    assert time.monotonic() - began < 3


async def test_failing_open_is_noted(webhook: Webhook, cluster: DictCluster, caller: Caller) -> None:
    """What passed only because a webhook failed can be found in the audit."""
    asked = config_map()
    assert not await validated(cluster, caller, asked, hook(webhook.client("/garbage"), failurePolicy="Ignore"))
    key = "failed-open.validating.webhook.admission.k8s.io/round_0_index_0"
    assert asked.annotations == {key: "h.example.com"}


async def test_certificates_that_nobody_vouches_for(webhook: Webhook, cluster: DictCluster, caller: Caller) -> None:
    """A wrong authority or a wrong name ends the call, in Go's words; so does a port where nobody listens."""
    stranger = pem(certificates.new_authority("stranger", dt.datetime.now(tz=dt.UTC)))
    said = await validated(cluster, caller, config_map(), hook({**webhook.client("/"), "caBundle": stranger}))
    assert said.endswith("tls: failed to verify certificate: x509: certificate signed by unknown authority")
    cluster = DictCluster().hold("", "namespaces", namespace("ns"))
    client = {**webhook.client("/"), "url": f"https://localhost:{webhook.port}/"}
    assert "x509: certificate is not valid for localhost" in await validated(
        cluster, caller, config_map(), hook(client)
    )
    cluster = DictCluster().hold("", "namespaces", namespace("ns"))
    refused = await validated(cluster, caller, config_map(), hook({"url": "https://127.0.0.1:1/validate"}))
    assert refused == (
        'Internal error occurred: failed calling webhook "h.example.com": failed to call webhook: Post'
        ' "https://127.0.0.1:1/validate?timeout=2s": dial tcp 127.0.0.1:1: connect: connection refused'
    )


async def test_answers_to_other_questions(webhook: Webhook, cluster: DictCluster, caller: Caller) -> None:
    """An answer has to be to the question that was asked, and a validating webhook may not patch."""
    said = await validated(cluster, caller, config_map(), hook(webhook.client("/other-uid")))
    assert 'received invalid webhook response: expected response.uid="' in said
    cluster = DictCluster().hold("", "namespaces", namespace("ns"))
    said = await validated(cluster, caller, config_map(), hook(webhook.client("/label")))
    assert said.endswith("validating webhook may not return response.patch")


async def test_services_resolve_to_their_endpoints(webhook: Webhook, cluster: DictCluster, caller: Caller) -> None:
    """A service is reached at a ready endpoint under its own name; one that is missing is told."""
    client = {"service": {"namespace": "ns", "name": "hook", "path": "/warn"}, "caBundle": webhook.bundle}
    said = await validated(cluster, caller, config_map(), hook(client))
    assert said.endswith('Post "https://hook.ns.svc:443/warn?timeout=2s": service "hook" not found')
    service = {"metadata": {"name": "hook", "namespace": "ns"}, "spec": {"clusterIP": "None", "ports": [{"port": 443}]}}
    endpoints = {
        "metadata": {"name": "hook-1", "namespace": "ns", "labels": {"kubernetes.io/service-name": "hook"}},
        "ports": [{"port": webhook.port}],
        "endpoints": [
            {"addresses": ["127.0.0.2"], "conditions": {"ready": False}},
            {"addresses": ["127.0.0.1"], "conditions": {"ready": True}},
        ],
    }
    cluster.hold("", "services", service).hold("discovery.k8s.io", "endpointslices", endpoints)
    asked = config_map()
    assert not await validated(cluster, caller, asked, hook(client))
    assert asked.warnings == ["careful"]


@pytest.mark.parametrize(
    ("extra", "called"),
    [
        ({}, True),
        ({"namespaceSelector": {"matchLabels": {"team": "red"}}}, True),
        ({"namespaceSelector": {"matchLabels": {"team": "blue"}}}, False),
        ({"objectSelector": {"matchLabels": {"x": "y"}}}, False),
        ({"rules": [{"apiGroups": [""], "apiVersions": ["v1"], "operations": ["UPDATE"], "resources": ["*"]}]}, False),
        (
            {"rules": [{"apiGroups": [""], "apiVersions": ["v1"], "operations": ["*"], "resources": ["*/status"]}]},
            False,
        ),
        (
            {
                "rules": [
                    {
                        "apiGroups": [""],
                        "apiVersions": ["v1"],
                        "operations": ["*"],
                        "resources": ["*/*"],
                        "scope": "Namespaced",
                    }
                ]
            },
            True,
        ),
        (
            {
                "rules": [
                    {
                        "apiGroups": [""],
                        "apiVersions": ["v1"],
                        "operations": ["*"],
                        "resources": ["*"],
                        "scope": "Cluster",
                    }
                ]
            },
            False,
        ),
    ],
)
async def test_who_is_asked(
    webhook: Webhook, cluster: DictCluster, caller: Caller, extra: Object, called: bool
) -> None:
    """Rules, scopes and selectors say which requests a webhook sees."""
    said = await validated(cluster, caller, config_map(), hook(webhook.client("/deny"), **extra))
    assert bool(said) == called


async def test_dry_runs_need_a_webhook_without_side_effects(
    webhook: Webhook, cluster: DictCluster, caller: Caller
) -> None:
    """A webhook that may have side effects is not called for a rehearsal; the request is refused."""
    said = await validated(cluster, caller, config_map(dry_run=True), hook(webhook.client("/warn"), sideEffects="Some"))
    assert said == 'admission webhook "h.example.com" does not support dry run'


async def test_patches_change_the_object(webhook: Webhook, cluster: DictCluster, caller: Caller) -> None:
    """A mutating webhook's JSON patch is applied and noted for the audit."""
    configured(cluster, "mutating", hook(webhook.client("/label")))
    asked = config_map()
    outcome = await Chain([MutatingAdmissionWebhook(cluster, caller)]).mutate(asked)
    assert outcome.changed
    assert asked.object["metadata"]["labels"] == {"seen": "yes"}
    assert json.loads(asked.annotations["mutation.webhook.admission.k8s.io/round_0_index_0"]) == {
        "configuration": "c", "webhook": "h.example.com", "mutated": True,
    }  # fmt: skip
    assert "patch.webhook.admission.k8s.io/round_0_index_0" in asked.annotations


async def test_patches_that_make_no_object_are_refused(webhook: Webhook, cluster: DictCluster, caller: Caller) -> None:
    """A patch that cannot be applied, or whose result is not of the kind, is 500 whatever the failure policy says."""
    deployment = {"kind": "Deployment", "apiVersion": "apps/v1", "metadata": {"name": "d"}, "spec": {}}
    for path in ("/nonsense", "/bad-patch"):
        configured(cluster, "mutating", hook(webhook.client(path), failurePolicy="Ignore"), version=path)
        asked = create("deployments", deployment, group="apps", namespace="ns")
        outcome = await Chain([MutatingAdmissionWebhook(cluster, caller)]).mutate(asked)
        assert outcome.denial is not None
        assert outcome.denial.code == 500
        assert asked.object == deployment


async def test_webhooks_are_asked_again_when_they_want_to(
    webhook: Webhook, cluster: DictCluster, caller: Caller
) -> None:
    """A later change makes those with reinvocationPolicy IfNeeded see the object once more, and no others."""
    configured(
        cluster,
        "mutating",
        hook(webhook.client("/count"), name="a.example.com", reinvocationPolicy="IfNeeded"),
        hook(webhook.client("/label"), name="b.example.com"),
    )
    asked = config_map()
    await Chain([MutatingAdmissionWebhook(cluster, caller)]).mutate(asked)
    assert asked.object["metadata"]["annotations"] == {"count": "2"}
    rounds = sorted(key for key in asked.annotations if key.startswith("mutation."))
    assert [key.partition("/")[2] for key in rounds] == ["round_0_index_0", "round_0_index_1", "round_1_index_0"]


async def test_configurations_are_never_asked_about(webhook: Webhook, cluster: DictCluster, caller: Caller) -> None:
    """A webhook cannot keep anybody from taking it away."""
    everything = [{"apiGroups": ["*"], "apiVersions": ["*"], "operations": ["*"], "resources": ["*/*"]}]
    asked = delete("validatingwebhookconfigurations", "c", group=GROUP, kind="ValidatingWebhookConfiguration")
    assert not await validated(cluster, caller, asked, hook(webhook.client("/deny"), rules=everything))


async def test_equivalents_are_converted(webhook: Webhook, cluster: DictCluster, caller: Caller) -> None:
    """With matchPolicy Equivalent a webhook that knows autoscaling/v2 sees what was written as v1."""
    rules = [{"apiGroups": ["autoscaling"], "apiVersions": ["v2"], "operations": ["*"],
              "resources": ["horizontalpodautoscalers"]}]  # fmt: skip
    scaler = {
        "kind": "HorizontalPodAutoscaler",
        "apiVersion": "autoscaling/v1",
        "metadata": {"name": "s", "namespace": "ns"},
        "spec": {"maxReplicas": 3, "targetCPUUtilizationPercentage": 80, "scaleTargetRef": {"kind": "X", "name": "x"}},
    }
    where = {"group": "autoscaling", "namespace": "ns", "kind": "HorizontalPodAutoscaler"}
    asked = update("horizontalpodautoscalers", scaler, scaler, **where)
    assert not await validated(cluster, caller, asked, hook(webhook.client("/echo"), rules=rules))
    request = json.loads(asked.annotations["h.example.com/request"])
    assert request["kind"]["version"] == "v2"
    assert request["requestKind"]["version"] == "v1"
    assert request["object"]["spec"]["metrics"][0]["resource"]["target"]["averageUtilization"] == 80
    asked = update("horizontalpodautoscalers", scaler, scaler, **where)
    exact = hook(webhook.client("/deny"), rules=rules, matchPolicy="Exact")
    assert not await validated(DictCluster().hold("", "namespaces", namespace("ns")), caller, asked, exact)


async def test_one_that_hangs_slows_nobody_else(webhook: Webhook, cluster: DictCluster, caller: Caller) -> None:
    """While one webhook is waited for, requests that it does not concern, and other webhooks, go on."""
    configured(cluster, "validating", hook(webhook.client("/hang"), objectSelector={"matchLabels": {"slow": "yes"}}),
               hook(webhook.client("/warn"), name="quick.example.com"))  # fmt: skip
    plugin = ValidatingAdmissionWebhook(cluster, caller)
    slow = config_map()
    slow.object["metadata"]["labels"] = {"slow": "yes"}
    waiting = asyncio.create_task(refusal(plugin.validate, slow))
    began = time.monotonic()
    await asyncio.gather(*(plugin.validate(config_map()) for _ in range(10)))
    assert time.monotonic() - began < 1.5
    assert not waiting.done()
    assert "context deadline exceeded" in await waiting
