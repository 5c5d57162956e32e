"""ServiceAccount: accounts that exist, tokens mounted once, pull secrets, mirrors, mountable secrets."""

from __future__ import annotations

import pytest

from services.admission.plugins.service_account import MOUNT_PATH, VOLUME_PREFIX, ServiceAccount
from tests.services.admission.pods import pod, refusal
from tests.services.admission.requests import DictCluster, create, update


def account(name, **rest):
    return {"metadata": {"name": name, "namespace": "n"}, **rest}


async def no_sleep(_seconds):
    return None


def plugin(*accounts):
    cluster = DictCluster().hold("", "serviceaccounts", *accounts)
    return ServiceAccount(cluster, sleep=no_sleep)


async def test_a_pod_runs_as_default_with_its_token_mounted():
    """Account in both fields, one projected volume, a mount in every container, init containers included."""
    attributes = create(
        "pods", pod(initContainers=[{"name": "i"}], containers=[{"name": "a"}, {"name": "b"}]), namespace="n"
    )
    change = await plugin(account("default")).admit(attributes)
    assert change.summary == "runs as default, token mounted"
    spec = attributes.object["spec"]
    assert spec["serviceAccountName"] == spec["serviceAccount"] == "default"
    (volume,) = spec["volumes"]
    assert volume["name"].startswith(VOLUME_PREFIX)
    assert volume["projected"]["defaultMode"] == 420
    assert [list(source) for source in volume["projected"]["sources"]] == [
        ["serviceAccountToken"],
        ["configMap"],
        ["downwardAPI"],
    ]
    mount = {"name": volume["name"], "readOnly": True, "mountPath": MOUNT_PATH}
    for container in (*spec["initContainers"], *spec["containers"]):
        assert container["volumeMounts"] == [mount]


@pytest.mark.parametrize(
    ("of_pod", "of_account", "mounted"),
    [(None, None, True), (False, True, False), (True, False, True), (None, False, False)],
)
async def test_the_pod_decides_on_the_token_before_the_account(of_pod, of_account, mounted):
    """automountServiceAccountToken of the pod, then that of the account, then yes."""
    spec = {} if of_pod is None else {"automountServiceAccountToken": of_pod}
    rest = {} if of_account is None else {"automountServiceAccountToken": of_account}
    attributes = create("pods", pod(**spec), namespace="n")
    await plugin(account("default", **rest)).admit(attributes)
    assert bool(attributes.object["spec"].get("volumes")) is mounted


async def test_a_container_with_a_mount_of_its_own_is_left_alone():
    """Only the container without one gets the token."""
    own = {"name": "v", "mountPath": MOUNT_PATH}
    containers = [{"name": "c", "volumeMounts": [own]}, {"name": "d"}]
    attributes = create("pods", pod(containers=containers, volumes=[{"name": "v", "emptyDir": {}}]), namespace="n")
    await plugin(account("default")).admit(attributes)
    first, second = attributes.object["spec"]["containers"]
    assert first["volumeMounts"] == [own]
    assert second["volumeMounts"][0]["mountPath"] == MOUNT_PATH
    assert len(attributes.object["spec"]["volumes"]) == 2


async def test_pull_secrets_come_from_the_account_unless_the_pod_has_its_own():
    """The pod's own list wins."""
    puller = plugin(account("puller", imagePullSecrets=[{"name": "regcred"}], automountServiceAccountToken=False))
    attributes = create("pods", pod(serviceAccountName="puller"), namespace="n")
    await puller.admit(attributes)
    assert attributes.object["spec"]["imagePullSecrets"] == [{"name": "regcred"}]
    attributes = create("pods", pod(serviceAccountName="puller", imagePullSecrets=[{"name": "own"}]), namespace="n")
    await puller.admit(attributes)
    assert attributes.object["spec"]["imagePullSecrets"] == [{"name": "own"}]


@pytest.mark.parametrize("name", ["default", "nope"])
async def test_a_missing_account_is_refused(name):
    """The words of kube-apiserver, in both phases."""
    expected = f'pods "p" is forbidden: error looking up service account n/{name}: serviceaccount "{name}" not found'
    attributes = create("pods", pod(serviceAccountName=name), namespace="n")
    assert await refusal(plugin().admit, attributes) == expected
    assert await refusal(plugin().validate, attributes) == expected


async def test_the_account_default_is_waited_for():
    """A namespace that was just made gets its account a moment later."""
    cluster = DictCluster()

    async def made_meanwhile(_seconds):
        cluster.hold("", "serviceaccounts", account("default"))

    attributes = create("pods", pod(), namespace="n")
    await ServiceAccount(cluster, sleep=made_meanwhile).admit(attributes)
    assert attributes.object["spec"]["serviceAccountName"] == "default"


async def test_the_deprecated_field_names_the_account_too():
    """serviceAccount alone is enough."""
    attributes = create("pods", pod(serviceAccount="plain"), namespace="n")
    await plugin(account("plain")).admit(attributes)
    assert attributes.object["spec"]["serviceAccountName"] == "plain"


@pytest.mark.parametrize(
    ("spec", "problem"),
    [
        ({"serviceAccountName": "plain"}, "a mirror pod may not reference service accounts"),
        ({"imagePullSecrets": [{"name": "s"}]}, "a mirror pod may not reference secrets"),
        (
            {"containers": [{"name": "c", "envFrom": [{"secretRef": {"name": "s"}}]}]},
            "a mirror pod may not reference secrets",
        ),
        ({"volumes": [{"name": "v", "secret": {"secretName": "s"}}]}, "a mirror pod may not reference secrets"),
        (
            {"volumes": [{"name": "v", "projected": {"sources": [{"serviceAccountToken": {"path": "t"}}]}}]},
            "a mirror pod may not use ServiceAccountToken volume projections",
        ),
        ({}, ""),
    ],
)
async def test_mirror_pods(spec, problem):
    """A mirror is not changed, and may not reach for secrets."""
    mirror = pod(metadata={"annotations": {"kubernetes.io/config.mirror": "abc"}}, **spec)
    attributes = create("pods", mirror, namespace="n")
    said = await refusal(plugin(account("default")).admit, attributes)
    assert said == (f'pods "p" is forbidden: {problem}' if problem else "")
    assert "serviceAccount" not in attributes.object["spec"]


@pytest.mark.parametrize(
    ("spec", "problem"),
    [
        (
            {"volumes": [{"name": "v", "secret": {"secretName": "x"}}]},
            (
                'volume with secret.secretName="x" is not allowed because service account strict does not'
                " reference that secret"
            ),
        ),
        (
            {
                "initContainers": [
                    {"name": "i", "env": [{"name": "E", "valueFrom": {"secretKeyRef": {"name": "x", "key": "k"}}}]}
                ]
            },
            (
                'init container i with envVar E referencing secret.secretName="x" is not allowed because service'
                " account strict does not reference that secret"
            ),
        ),
        (
            {"imagePullSecrets": [{"name": "ok"}, {"name": "x"}]},
            (
                'imagePullSecrets[1].name="x" is not allowed because service account strict does not reference that'
                " imagePullSecret"
            ),
        ),
        ({"volumes": [{"name": "v", "secret": {"secretName": "mine"}}]}, ""),
    ],
)
async def test_an_account_may_limit_the_secrets_of_its_pods(spec, problem):
    """The annotation kubernetes.io/enforce-mountable-secrets."""
    strict = account("strict", secrets=[{"name": "mine"}], imagePullSecrets=[{"name": "ok"}])
    strict["metadata"]["annotations"] = {"kubernetes.io/enforce-mountable-secrets": "true"}
    attributes = create("pods", pod(serviceAccountName="strict", **spec), namespace="n")
    said = await refusal(plugin(strict).admit, attributes)
    assert said == (f'pods "p" is forbidden: {problem}' if problem else "")


async def test_ephemeral_containers_are_checked_on_update_and_nothing_else_is():
    """Only the subresource ephemeralcontainers is looked at on update."""
    strict = account("strict")
    strict["metadata"]["annotations"] = {"kubernetes.io/enforce-mountable-secrets": "1"}
    debug = {"name": "d", "env": [{"name": "E", "valueFrom": {"secretKeyRef": {"name": "x", "key": "k"}}}]}
    new = pod(serviceAccountName="strict", ephemeralContainers=[debug])
    checked = update("pods", new, pod(), namespace="n", subresource="ephemeralcontainers")
    assert "ephemeral container d with envVar E" in await refusal(plugin(strict).validate, checked)
    assert await refusal(plugin().validate, update("pods", new, pod(), namespace="n")) == ""
