"""kubectl apply as people use it: both sides, conflicts, pruning, and the annotation of client-side apply."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.clients.deployments import DEPLOYMENT, read
from tests.support.up import Cluster

LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
MAP = """
apiVersion: v1
kind: ConfigMap
metadata: {{name: {name}, labels: {{set: {label}}}}}
data: {{colour: {colour}}}
"""


def maps(*names: str, label: str = "one", colour: str = "blue") -> str:
    return "---".join(MAP.format(name=name, label=label, colour=colour) for name in names)


def names(cluster: Cluster, namespace: str, *flags: str) -> list[str]:
    return cluster.kubectl("-n", namespace, "get", "cm", "-o", "name", *flags).stdout.split()


def managers(cluster: Cluster, namespace: str, what: str) -> list[tuple[str, str]]:
    meta = read(cluster, namespace, what, "--show-managed-fields")["metadata"]
    return [(entry["manager"], entry["operation"]) for entry in meta["managedFields"]]


def test_server_side_owns_what_it_applies(cluster: Cluster, namespace: str) -> None:
    """apply --server-side creates, changes nothing the second time, and removes what it drops."""
    apply = ("-n", namespace, "apply", "--server-side", "--field-manager=me", "-f", "-")
    assert "serverside-applied" in cluster.kubectl(*apply, stdin=DEPLOYMENT).stdout
    before = read(cluster, namespace, "deploy/web")["metadata"]["resourceVersion"]
    cluster.kubectl(*apply, stdin=DEPLOYMENT)
    assert read(cluster, namespace, "deploy/web")["metadata"]["resourceVersion"] == before
    assert managers(cluster, namespace, "deploy/web") == [("me", "Apply")]
    cluster.kubectl(*apply, stdin=DEPLOYMENT.replace('      - {name: side, image: "side:1"}\n', ""))
    containers = read(cluster, namespace, "deploy/web")["spec"]["template"]["spec"]["containers"]
    assert [c["name"] for c in containers] == ["web"]


def test_conflicts_and_force(cluster: Cluster, namespace: str) -> None:
    """A field of another manager is a conflict that names both; --force-conflicts takes it over."""
    apply = ("-n", namespace, "apply", "--server-side", "-f", "-")
    cluster.kubectl(*apply, "--field-manager=one", stdin=maps("a"))
    other = maps("a", colour="red")
    refused = cluster.kubectl(*apply, "--field-manager=two", stdin=other, check=False)
    assert refused.returncode == 1
    assert 'Apply failed with 1 conflict: conflict with "one": .data.colour' in refused.stderr
    cluster.kubectl(*apply, "--field-manager=two", "--force-conflicts", stdin=other)
    assert read(cluster, namespace, "cm/a")["data"] == {"colour": "red"}
    assert managers(cluster, namespace, "cm/a") == [("one", "Apply"), ("two", "Apply")]


def test_from_client_side_to_server_side_and_back(cluster: Cluster, namespace: str) -> None:
    """kubectl hands over what it applied on the client's side, and takes it back."""
    apply = ("-n", namespace, "apply", "-f", "-")
    cluster.kubectl(*apply, stdin=DEPLOYMENT)
    assert managers(cluster, namespace, "deploy/web") == [("kubectl-client-side-apply", "Update")]
    changed = DEPLOYMENT.replace("replicas: 2", "replicas: 3")
    cluster.kubectl(*apply, "--server-side", stdin=changed)
    assert set(managers(cluster, namespace, "deploy/web")) == {("kubectl", "Apply"), ("kubectl-last-applied", "Apply")}
    got = read(cluster, namespace, "deploy/web")
    assert got["spec"]["replicas"] == 3
    assert json.loads(got["metadata"]["annotations"][LAST_APPLIED])["spec"]["replicas"] == 3
    without = changed.replace(", env: [{name: A, value: a}]", "")
    cluster.kubectl(*apply, "--server-side", stdin=without)
    assert "env" not in read(cluster, namespace, "deploy/web")["spec"]["template"]["spec"]["containers"][0]
    assert "configured" in cluster.kubectl(*apply, stdin=DEPLOYMENT).stdout
    assert read(cluster, namespace, "deploy/web")["spec"]["replicas"] == 2


def test_diff_server_side(cluster: Cluster, namespace: str) -> None:
    """diff --server-side shows what the apply would do, by a dry run that stores nothing."""
    apply = ("-n", namespace, "apply", "--server-side", "-f", "-")
    cluster.kubectl(*apply, stdin=maps("a"))
    diff = ("-n", namespace, "diff", "--server-side", "-f", "-")
    assert cluster.kubectl(*diff, stdin=maps("a"), check=False).returncode == 0
    shown = cluster.kubectl(*diff, stdin=maps("a", "new", colour="red"), check=False)
    assert shown.returncode == 1, shown.stderr
    assert "-  colour: blue\n+  colour: red" in shown.stdout
    assert "+  name: new" in shown.stdout
    assert names(cluster, namespace, "-l", "set=one") == ["configmap/a"]


@pytest.mark.parametrize("dry", ["client", "server"])
def test_apply_dry_run(cluster: Cluster, namespace: str, dry: str) -> None:
    """Either dry run shows the object and stores nothing."""
    made = cluster.kubectl("-n", namespace, "apply", f"--dry-run={dry}", "-f", "-", "-o", "json", stdin=maps("a"))
    assert json.loads(made.stdout)["data"] == {"colour": "blue"}
    assert names(cluster, namespace, "-l", "set=one") == []


def test_prune_by_label(cluster: Cluster, namespace: str) -> None:
    """apply --prune -l deletes what the label selects and the files no longer name."""
    apply = ("-n", namespace, "apply", "--prune", "-l", "set=one", "--prune-allowlist=core/v1/ConfigMap", "-f", "-")
    cluster.kubectl(*apply, stdin=maps("a", "b"))
    cluster.kubectl("-n", namespace, "apply", "-f", "-", stdin=maps("other", label="two"))
    assert "configmap/b pruned" in cluster.kubectl(*apply, stdin=maps("a")).stdout
    assert names(cluster, namespace, "-l", "set") == ["configmap/a", "configmap/other"]


def test_prune_by_apply_set(cluster: Cluster, namespace: str) -> None:
    """apply --prune --applyset keeps the set in its parent and deletes what leaves the set."""
    apply = ("-n", namespace, "apply", "--prune", "--applyset=configmaps/parent", "-f", "-")
    alpha = {"KUBECTL_APPLYSET": "true"}
    cluster.kubectl(*apply, "--server-side", "--force-conflicts", stdin=maps("a", "b"), env=alpha)
    parent = read(cluster, namespace, "cm/parent")["metadata"]
    assert parent["labels"]["applyset.kubernetes.io/id"].startswith("applyset-")
    assert parent["annotations"]["applyset.kubernetes.io/contains-group-kinds"] == "ConfigMap"
    assert "configmap/b pruned" in cluster.kubectl(*apply, "--server-side", stdin=maps("a"), env=alpha).stdout
    assert names(cluster, namespace, "-l", "set=one") == ["configmap/a"]


def test_last_applied_is_shown_edited_and_set(cluster: Cluster, namespace: str, tmp_path: Path) -> None:
    """view-, edit- and set-last-applied read and write the annotation alone."""
    cluster.kubectl("-n", namespace, "apply", "-f", "-", stdin=maps("a"))
    shown = cluster.kubectl("-n", namespace, "apply", "view-last-applied", "cm/a", "-o", "json")
    assert json.loads(shown.stdout)["data"] == {"colour": "blue"}
    cluster.kubectl("-n", namespace, "apply", "edit-last-applied", "cm/a", env={"EDITOR": "sed -i s/blue/green/"})
    got = read(cluster, namespace, "cm/a")
    assert json.loads(got["metadata"]["annotations"][LAST_APPLIED])["data"] == {"colour": "green"}
    assert got["data"] == {"colour": "blue"}
    manifest = tmp_path / "a.yaml"
    manifest.write_text(maps("a", colour="white"))
    cluster.kubectl("-n", namespace, "apply", "set-last-applied", "-f", str(manifest))
    got = read(cluster, namespace, "cm/a")
    assert json.loads(got["metadata"]["annotations"][LAST_APPLIED])["data"] == {"colour": "white"}
    cluster.kubectl("-n", namespace, "create", "configmap", "bare")
    manifest.write_text(maps("bare"))
    cluster.kubectl("-n", namespace, "apply", "set-last-applied", "-f", str(manifest), "--create-annotation=true")
    assert LAST_APPLIED in read(cluster, namespace, "cm/bare")["metadata"]["annotations"]


def test_save_config(cluster: Cluster, namespace: str) -> None:
    """edit --save-config and create --save-config write the annotation that a later apply compares with."""
    cluster.kubectl("-n", namespace, "create", "configmap", "a", "--from-literal=colour=blue", "--save-config")
    cluster.kubectl(
        "-n", namespace, "edit", "cm/a", "--save-config", env={"EDITOR": "sed -i 's/colour: blue/colour: red/'"}
    )
    got = read(cluster, namespace, "cm/a")
    assert got["data"] == {"colour": "red"}
    assert json.loads(got["metadata"]["annotations"][LAST_APPLIED])["data"] == {"colour": "red"}


def test_edit_that_the_server_refuses(cluster: Cluster, namespace: str) -> None:
    """A refused edit says so and keeps the object."""
    cluster.kubectl("-n", namespace, "apply", "-f", "-", stdin=maps("a"))
    editor = {"EDITOR": "sed -i 's/    set: one/    set: not one/'"}
    done = cluster.kubectl("-n", namespace, "edit", "cm/a", env=editor, check=False)
    assert done.returncode == 1
    assert 'configmaps "a" is invalid' in done.stderr
    assert read(cluster, namespace, "cm/a")["metadata"]["labels"] == {"set": "one"}


def test_apply_status(cluster: Cluster, namespace: str) -> None:
    """apply --subresource=status owns fields of the status under its own name."""
    cluster.kubectl("-n", namespace, "apply", "-f", "-", stdin=DEPLOYMENT)
    head = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"}}
    status = json.dumps(head | {"status": {"readyReplicas": 2, "replicas": 2}})
    cluster.kubectl(
        "-n", namespace, "apply", "--server-side", "--subresource=status", "--field-manager=c", "-f", "-", stdin=status
    )
    assert read(cluster, namespace, "deploy/web")["status"]["readyReplicas"] == 2
    assert ("c", "Apply") in managers(cluster, namespace, "deploy/web")
