"""kubectl's verbs for single kinds: nodes, services, scaling, pods, tokens; and what deleting leaves behind."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator

import pytest

from tests.clients.deployments import DEPLOYMENT, read, set_status
from tests.support.up import Cluster, kubectl_binary


@pytest.fixture
def web(cluster: Cluster, namespace: str) -> str:
    """A deployment `web` in a fresh namespace."""
    cluster.kubectl("-n", namespace, "create", "-f", "-", stdin=DEPLOYMENT)
    return namespace


@pytest.fixture
def node(cluster: Cluster, namespace: str) -> Iterator[str]:
    """A node of the test's own."""
    body = {"apiVersion": "v1", "kind": "Node", "metadata": {"name": namespace}}
    cluster.kubectl("create", "-f", "-", stdin=json.dumps(body))
    yield namespace
    cluster.kubectl("delete", "node", namespace)


@pytest.mark.parametrize(
    ("cascade", "finalizers"), [("orphan", ["orphan"]), ("foreground", ["foregroundDeletion"]), ("background", None)]
)
def test_delete_cascade(cluster: Cluster, web: str, cascade: str, finalizers: list[str] | None) -> None:
    """Orphaning and foreground deletion leave the object to the garbage collector; background deletes at once."""
    cluster.kubectl("-n", web, "delete", "deploy/web", f"--cascade={cascade}", "--wait=false")
    if finalizers is None:
        assert cluster.kubectl("-n", web, "get", "deploy/web", check=False).returncode == 1
        return
    meta = read(cluster, web, "deploy/web")["metadata"]
    assert meta["finalizers"] == finalizers
    assert meta["deletionTimestamp"]
    assert meta["deletionGracePeriodSeconds"] == 0
    cluster.kubectl("-n", web, "patch", "deploy/web", "--type=merge", "-p", '{"metadata":{"finalizers":null}}')
    assert cluster.kubectl("-n", web, "get", "deploy/web", check=False).returncode == 1


def test_delete_waits_for_finalizers(cluster: Cluster, namespace: str) -> None:
    """delete returns when the last finalizer is gone."""
    body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "held", "finalizers": ["example.com/hold"]}}
    cluster.kubectl("-n", namespace, "create", "-f", "-", stdin=json.dumps(body))
    command = [kubectl_binary(), "--kubeconfig", str(cluster.kubeconfig), "-n", namespace, "delete", "cm/held"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as deleting:
        assert deleting.stdout is not None
        assert 'configmap "held" deleted' in deleting.stdout.readline()
        assert read(cluster, namespace, "cm/held")["metadata"]["deletionTimestamp"]
        assert deleting.poll() is None
        cluster.kubectl(
            "-n", namespace, "patch", "cm/held", "--type=json", "-p", '[{"op":"remove","path":"/metadata/finalizers"}]'
        )
        deleting.communicate(timeout=30)
        assert deleting.returncode == 0


def test_delete_now_and_forced(cluster: Cluster, namespace: str) -> None:
    """--now and --force shorten a pod's grace period; --dry-run=server deletes nothing."""
    cluster.kubectl("-n", namespace, "create", "serviceaccount", "default")
    for name in ("a", "b"):
        cluster.kubectl("-n", namespace, "run", name, "--image=nginx")
    cluster.kubectl("-n", namespace, "delete", "pod", "a", "--dry-run=server")
    assert "deletionTimestamp" not in read(cluster, namespace, "pod/a")["metadata"]
    cluster.kubectl("-n", namespace, "delete", "pod", "a", "--now")
    cluster.kubectl("-n", namespace, "delete", "pod", "b", "--force", "--grace-period=0")
    assert cluster.kubectl("-n", namespace, "get", "pods", "-o", "name").stdout == ""


def test_delete_all_of_a_kind(cluster: Cluster, namespace: str) -> None:
    """delete --all and --field-selector delete what they choose."""
    for name in ("a", "b", "c"):
        cluster.kubectl("-n", namespace, "create", "secret", "generic", name)
    cluster.kubectl("-n", namespace, "delete", "secrets", "--field-selector=metadata.name=b")
    assert cluster.kubectl("-n", namespace, "get", "secrets", "-o", "name").stdout.split() == ["secret/a", "secret/c"]
    cluster.kubectl("-n", namespace, "delete", "secrets", "--all")
    assert cluster.kubectl("-n", namespace, "get", "secrets", "-o", "name").stdout == ""


def test_cordon_and_taint(cluster: Cluster, node: str) -> None:
    """cordon, uncordon, drain and taint change the node's spec."""
    cluster.kubectl("cordon", node)
    assert read(cluster, "default", f"node/{node}")["spec"]["unschedulable"] is True
    assert "SchedulingDisabled" in cluster.kubectl("get", "node", node).stdout
    cluster.kubectl("uncordon", node)
    assert "unschedulable" not in read(cluster, "default", f"node/{node}")["spec"]
    cluster.kubectl("taint", "nodes", node, "dedicated=gpu:NoSchedule", "old:NoExecute")
    taints = {taint["key"]: taint["effect"] for taint in read(cluster, "default", f"node/{node}")["spec"]["taints"]}
    assert taints["dedicated"] == "NoSchedule"
    assert taints["old"] == "NoExecute"
    cluster.kubectl("taint", "nodes", node, "dedicated=cpu:NoSchedule", "--overwrite")
    cluster.kubectl("taint", "nodes", node, "old-")
    kept = {t["key"]: t.get("value") for t in read(cluster, "default", f"node/{node}")["spec"]["taints"]}
    assert kept["dedicated"] == "cpu"
    assert "old" not in kept
    assert "drained" in cluster.kubectl("drain", node, "--ignore-daemonsets", "--timeout=20s").stdout
    cluster.kubectl("label", "node", node, "node-role.kubernetes.io/worker=")
    assert "worker" in cluster.kubectl("get", "node", node).stdout


@pytest.mark.parametrize("verb", ["label", "annotate"])
def test_preconditions_of_label_and_annotate(cluster: Cluster, namespace: str, verb: str) -> None:
    """--resource-version makes the change conditional; --list and --overwrite work."""
    cluster.kubectl("-n", namespace, "create", "configmap", "a")
    before = read(cluster, namespace, "cm/a")["metadata"]["resourceVersion"]
    cluster.kubectl("-n", namespace, verb, "cm/a", "k=v", f"--resource-version={before}")
    stale = cluster.kubectl(
        "-n", namespace, verb, "cm/a", "k=w", "--overwrite", f"--resource-version={before}", check=False
    )
    assert stale.returncode == 1
    assert "the object has been modified; please apply your changes to the latest version and try again" in stale.stderr
    cluster.kubectl("-n", namespace, verb, "cm/a", "k=w", "--overwrite")
    assert "k=w" in cluster.kubectl("-n", namespace, verb, "cm/a", "--list").stdout
    cluster.kubectl("-n", namespace, verb, "cm", "--all", "k-")


def test_expose(cluster: Cluster, web: str) -> None:
    """expose makes a service with the deployment's selector, and a second one of the first."""
    cluster.kubectl("-n", web, "expose", "deploy/web", "--port=80", "--target-port=8080")
    spec = read(cluster, web, "service/web")["spec"]
    assert spec["selector"] == {"app": "web"}
    assert (spec["ports"][0]["port"], spec["ports"][0]["targetPort"]) == (80, 8080)
    cluster.kubectl("-n", web, "expose", "service/web", "--name=outside", "--port=81", "--type=NodePort")
    assert spec["clusterIP"].startswith("10.96.")
    outside = read(cluster, web, "service/outside")["spec"]
    assert outside["type"] == "NodePort"
    assert 30000 <= outside["ports"][0]["nodePort"] <= 32767


def test_autoscale(cluster: Cluster, web: str) -> None:
    """autoscale makes an autoscaler that both versions show."""
    cluster.kubectl("-n", web, "autoscale", "deploy/web", "--min=1", "--max=4", "--cpu=70%")
    assert (
        read(cluster, web, "horizontalpodautoscalers.v1.autoscaling/web")["spec"]["targetCPUUtilizationPercentage"]
        == 70
    )
    metric = read(cluster, web, "horizontalpodautoscalers.v2.autoscaling/web")["spec"]["metrics"][0]
    assert metric["resource"]["target"] == {"type": "Utilization", "averageUtilization": 70}
    assert "Deployment/web" in cluster.kubectl("-n", web, "get", "hpa").stdout


def test_run(cluster: Cluster, namespace: str) -> None:
    """run makes a pod; a label, an environment and a command go into it."""
    cluster.kubectl("-n", namespace, "create", "serviceaccount", "default")
    cluster.kubectl(
        "-n", namespace, "run", "p", "--image=busybox", "--labels=a=b", "--env=X=y", "--restart=Never",
        "--command", "--", "sleep", "1",
    )  # fmt: skip
    pod = read(cluster, namespace, "pod/p")
    assert pod["metadata"]["labels"] == {"a": "b"}
    assert pod["spec"]["containers"][0]["command"] == ["sleep", "1"]
    assert pod["spec"]["restartPolicy"] == "Never"
    assert pod["status"]["phase"] == "Pending"


def test_scale_and_patch_scale(cluster: Cluster, web: str) -> None:
    """patch --subresource=scale and edit --subresource=status write through the subresource."""
    patch = ("-n", web, "patch", "deploy/web", "--type=merge")
    cluster.kubectl(*patch, "--subresource=scale", "-p", '{"spec":{"replicas":6}}')
    assert read(cluster, web, "deploy/web")["spec"]["replicas"] == 6
    set_status(cluster, web, "deploy/web", {"replicas": 1, "readyReplicas": 1})
    editor = {"EDITOR": "sed -i 's/readyReplicas: 1/readyReplicas: 0/'"}
    cluster.kubectl("-n", web, "edit", "deploy/web", "--subresource=status", env=editor)
    assert "readyReplicas" not in read(cluster, web, "deploy/web")["status"]
    got = read(cluster, web, "deploy/web")
    got["status"] = {"replicas": 3}
    cluster.kubectl("-n", web, "replace", "--subresource=status", "-f", "-", stdin=json.dumps(got))
    assert read(cluster, web, "deploy/web")["status"]["replicas"] == 3


def test_wait_in_all_forms(cluster: Cluster, web: str) -> None:
    """wait for conditions that are true or of a value, for jsonpaths, for creation; and its time-out."""
    condition = {"type": "Available", "status": "False", "reason": "R", "message": "m"}
    set_status(cluster, web, "deploy/web", {"readyReplicas": 1, "replicas": 2, "conditions": [condition]})
    wait = ("-n", web, "wait", "deploy/web", "--timeout=10s")
    cluster.kubectl(*wait, "--for=condition=Available=False")
    cluster.kubectl(*wait, "--for=jsonpath={.status.readyReplicas}=1")
    cluster.kubectl(*wait, "--for=jsonpath={.spec.selector}")
    cluster.kubectl(*wait, "--for=create")
    late = cluster.kubectl("-n", web, "wait", "deploy/web", "--for=condition=Available", "--timeout=1s", check=False)
    assert "timed out waiting for the condition on deployments/web" in late.stderr


def test_set_selector_and_subject(cluster: Cluster, web: str) -> None:
    """set selector and set subject change services and bindings."""
    cluster.kubectl("-n", web, "create", "service", "clusterip", "s", "--tcp=80")
    cluster.kubectl("-n", web, "set", "selector", "service", "s", "app=other")
    assert read(cluster, web, "service/s")["spec"]["selector"] == {"app": "other"}
    cluster.kubectl("-n", web, "create", "rolebinding", "b", "--clusterrole=view", "--user=alice")
    cluster.kubectl("-n", web, "set", "subject", "rolebinding", "b", "--group=people", "--serviceaccount=x:y")
    kinds = [subject["kind"] for subject in read(cluster, web, "rolebinding/b")["subjects"]]
    assert sorted(kinds) == ["Group", "ServiceAccount", "User"]


def test_auth_reconcile(cluster: Cluster, namespace: str) -> None:
    """auth reconcile creates roles and adds what is missing."""
    role: dict[str, object] = {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role"}
    role["metadata"] = {"name": "r", "namespace": namespace}
    rules = [{"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]}]
    command = ("auth", "reconcile", "-f", "-")
    cluster.kubectl(*command, stdin=json.dumps(role | {"rules": rules}))
    rules.append({"apiGroups": [""], "resources": ["secrets"], "verbs": ["list"]})
    cluster.kubectl(*command, stdin=json.dumps(role | {"rules": rules}))
    assert len(read(cluster, namespace, "role/r")["rules"]) == 2
