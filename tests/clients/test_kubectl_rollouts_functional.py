"""kubectl rollout on a deployment whose status and replica sets the test writes, as the controllers would."""

from __future__ import annotations

import json
import subprocess
from typing import Any

import pytest

from tests.clients.deployments import DEPLOYMENT, read, set_status
from tests.support.up import Cluster, kubectl_binary

REVISION = "deployment.kubernetes.io/revision"
CAUSE = "kubernetes.io/change-cause"


def replica_set(deployment: dict[str, Any], revision: int, image: str) -> str:
    """What the deployment controller makes of a deployment's template."""
    meta, spec = deployment["metadata"], deployment["spec"]
    name = f"web-{revision:010d}"
    labels = {"app": "web", "pod-template-hash": f"{revision:010d}"}
    template = json.loads(json.dumps(spec["template"]))
    template["metadata"]["labels"] = labels
    template["spec"]["containers"][0]["image"] = image
    owner = {
        "apiVersion": "apps/v1", "kind": "Deployment", "name": "web", "uid": meta["uid"],
        "controller": True, "blockOwnerDeletion": True,
    }  # fmt: skip
    return json.dumps({
        "apiVersion": "apps/v1",
        "kind": "ReplicaSet",
        "metadata": {
            "name": name,
            "labels": labels,
            "annotations": {REVISION: str(revision), CAUSE: f"to {image}"},
            "ownerReferences": [owner],
        },
        "spec": {"replicas": 0, "selector": {"matchLabels": labels}, "template": template},
    })  # fmt: skip


@pytest.fixture
def web(cluster: Cluster, namespace: str) -> str:
    """A deployment at its second revision, with the replica sets of both."""
    cluster.kubectl("-n", namespace, "apply", "-f", "-", stdin=DEPLOYMENT.replace("nginx:1", "nginx:2"))
    cluster.kubectl("-n", namespace, "annotate", "deploy/web", f"{REVISION}=2")
    deployment = read(cluster, namespace, "deploy/web")
    for revision in (1, 2):
        text = replica_set(deployment, revision, f"nginx:{revision}")
        cluster.kubectl("-n", namespace, "create", "-f", "-", stdin=text)
    return namespace


def image(cluster: Cluster, namespace: str) -> str:
    template = read(cluster, namespace, "deploy/web")["spec"]["template"]
    return str(template["spec"]["containers"][0]["image"])


def test_history(cluster: Cluster, web: str) -> None:
    """rollout history lists the revisions with their causes, and shows the template of one."""
    lines = cluster.kubectl("-n", web, "rollout", "history", "deploy/web").stdout.splitlines()
    assert [line.split(None, 1) for line in lines if line[:1].isdigit()] == [["1", "to nginx:1"], ["2", "to nginx:2"]]
    one = cluster.kubectl("-n", web, "rollout", "history", "deploy/web", "--revision=1").stdout
    assert "nginx:1" in one
    assert "nginx:2" not in one


@pytest.mark.parametrize("flags", [(), ("--to-revision=1",)])
def test_undo(cluster: Cluster, web: str, flags: tuple[str, ...]) -> None:
    """rollout undo puts the earlier template back, without the hash that the controller adds."""
    assert "rolled back" in cluster.kubectl("-n", web, "rollout", "undo", "deploy/web", *flags).stdout
    assert image(cluster, web) == "nginx:1"
    labels = read(cluster, web, "deploy/web")["spec"]["template"]["metadata"]["labels"]
    assert labels == {"app": "web"}


def test_undo_dry_run(cluster: Cluster, web: str) -> None:
    """rollout undo --dry-run=server changes nothing."""
    cluster.kubectl("-n", web, "rollout", "undo", "deploy/web", "--dry-run=server")
    assert image(cluster, web) == "nginx:2"


def test_restart_pause_resume(cluster: Cluster, web: str) -> None:
    """restart stamps the template; a paused deployment refuses a restart and an undo until it is resumed."""
    cluster.kubectl("-n", web, "rollout", "restart", "deploy/web")
    template = read(cluster, web, "deploy/web")["spec"]["template"]
    assert "kubectl.kubernetes.io/restartedAt" in template["metadata"]["annotations"]
    cluster.kubectl("-n", web, "rollout", "pause", "deploy/web")
    assert read(cluster, web, "deploy/web")["spec"]["paused"] is True
    assert "paused" in cluster.kubectl("-n", web, "rollout", "restart", "deploy/web", check=False).stderr
    assert "paused" in cluster.kubectl("-n", web, "rollout", "undo", "deploy/web", check=False).stderr
    cluster.kubectl("-n", web, "rollout", "resume", "deploy/web")
    assert "paused" not in read(cluster, web, "deploy/web")["spec"]


def test_status_follows_the_controller(cluster: Cluster, web: str) -> None:
    """rollout status waits for the replicas that the status tells of, and ends when they are there."""
    generation = read(cluster, web, "deploy/web")["metadata"]["generation"]
    counts = {"replicas": 2, "updatedReplicas": 1, "observedGeneration": generation}
    set_status(cluster, web, "deploy/web", counts)
    command = [kubectl_binary(), "--kubeconfig", str(cluster.kubeconfig), "-n", web]
    with subprocess.Popen(
        [*command, "rollout", "status", "deploy/web", "--timeout=30s"], stdout=subprocess.PIPE, text=True
    ) as following:
        assert following.stdout is not None
        assert "1 out of 2 new replicas have been updated" in following.stdout.readline()
        counts["updatedReplicas"] = 2
        set_status(cluster, web, "deploy/web", counts | {"readyReplicas": 2, "availableReplicas": 2})
        rest = following.communicate(timeout=30)[0]
        assert 'deployment "web" successfully rolled out' in rest
        assert following.returncode == 0


def test_status_of_a_failed_rollout(cluster: Cluster, web: str) -> None:
    """rollout status ends with an error where the status says that the deadline passed."""
    generation = read(cluster, web, "deploy/web")["metadata"]["generation"]
    condition = {"type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded", "message": "late"}
    set_status(cluster, web, "deploy/web", {"observedGeneration": generation, "conditions": [condition]})
    done = cluster.kubectl("-n", web, "rollout", "status", "deploy/web", check=False)
    assert done.returncode == 1
    assert 'deployment "web" exceeded its progress deadline' in done.stderr


def test_describe_shows_the_replica_sets(cluster: Cluster, web: str) -> None:
    """describe finds the replica sets by selector and owner."""
    text = cluster.kubectl("-n", web, "describe", "deploy/web").stdout
    assert "web-0000000002" in text
    assert "web-0000000001" in text
