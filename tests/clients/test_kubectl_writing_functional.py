"""Stock kubectl writes: create, apply, diff, label, annotate, patch, replace, edit, scale, set, delete, wait."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from tests.clients.deployments import DEPLOYMENT, read
from tests.support.up import Cluster, kubectl_binary


@pytest.fixture
def web(cluster: Cluster, namespace: str) -> str:
    """A deployment `web` applied in a fresh namespace."""
    cluster.kubectl("-n", namespace, "apply", "-f", "-", stdin=DEPLOYMENT)
    return namespace


GENERATORS = {
    "configmap": ["configmap", "x", "--from-literal=a=b"],
    "secret generic": ["secret", "generic", "x", "--from-literal=a=b"],
    "secret docker-registry": ["secret", "docker-registry", "x", "--docker-username=u", "--docker-password=p"],
    "secret tls": ["secret", "tls", "x", "--cert", "CERT", "--key", "KEY"],
    "deployment": ["deployment", "x", "--image=nginx", "--replicas=3", "--port=80"],
    "job": ["job", "x", "--image=busybox", "--", "true"],
    "cronjob": ["cronjob", "x", "--image=busybox", "--schedule=*/5 * * * *"],
    "service clusterip": ["service", "clusterip", "x", "--tcp=80:8080"],
    "service nodeport": ["service", "nodeport", "x", "--tcp=80:8080"],
    "service loadbalancer": ["service", "loadbalancer", "x", "--tcp=80:8080"],
    "service externalname": ["service", "externalname", "x", "--external-name=example.com"],
    "ingress": ["ingress", "x", "--rule=a.example/path*=svc:80"],
    "role": ["role", "x", "--verb=get,list", "--resource=pods,deployments.apps"],
    "rolebinding": ["rolebinding", "x", "--role=x", "--user=alice"],
    "serviceaccount": ["serviceaccount", "x"],
    "quota": ["quota", "x", "--hard=pods=3,cpu=2"],
    "poddisruptionbudget": ["poddisruptionbudget", "x", "--selector=app=web", "--min-available=1"],
}
CLUSTER_GENERATORS = {
    "namespace": ["namespace", "NAME"],
    "clusterrole": ["clusterrole", "NAME", "--verb=get", "--resource=pods"],
    "clusterrole non-resource": ["clusterrole", "NAME", "--verb=get", "--non-resource-url=/logs/*"],
    "clusterrole aggregated": ["clusterrole", "NAME", "--aggregation-rule=a=b"],
    "clusterrolebinding": ["clusterrolebinding", "NAME", "--clusterrole=view", "--group=developers"],
    "priorityclass": ["priorityclass", "NAME", "--value=1000", "--description=important"],
}


@pytest.mark.parametrize("generator", GENERATORS)
def test_create_generator(cluster: Cluster, namespace: str, generator: str, tmp_path: Path) -> None:
    """Each generator of kubectl create makes an object that reads back."""
    cert, key = tmp_path / "tls.crt", tmp_path / "tls.key"
    if "tls" in generator:
        subprocess.run(
            [
                "openssl",
                "req",
                "-x509",
                "-newkey",
                "rsa:2048",
                "-nodes",
                "-subj",
                "/CN=x",
                "-keyout",
                str(key),
                "-out",
                str(cert),
            ],
            check=True,
            capture_output=True,
        )
    words = [str(cert) if w == "CERT" else str(key) if w == "KEY" else w for w in GENERATORS[generator]]
    made = (
        cluster.kubectl("-n", namespace, "create", *words, "-o", "name")
        if "--" not in words
        else cluster.kubectl(
            "-n", namespace, "create", *words[: words.index("--")], "-o", "name", *words[words.index("--") :]
        )
    )
    assert read(cluster, namespace, made.stdout.strip())["metadata"]["name"] == "x"


@pytest.mark.parametrize("generator", CLUSTER_GENERATORS)
def test_create_cluster_generator(cluster: Cluster, namespace: str, generator: str) -> None:
    """The generators of cluster-scoped kinds too."""
    name = f"{namespace}-{generator.replace(' ', '-')}"
    words = [name if w == "NAME" else w for w in CLUSTER_GENERATORS[generator]]
    made = cluster.kubectl("create", *words, "-o", "name").stdout.strip()
    assert cluster.kubectl("get", made, "-o", "jsonpath={.metadata.name}").stdout == name


def test_create_token_and_refusals(cluster: Cluster, namespace: str) -> None:
    """Creating twice is AlreadyExists, with kubectl's words."""
    cluster.kubectl("-n", namespace, "create", "configmap", "x")
    again = cluster.kubectl("-n", namespace, "create", "configmap", "x", check=False)
    assert again.returncode == 1
    assert 'configmaps "x" already exists' in again.stderr


def test_run_dry(cluster: Cluster, namespace: str) -> None:
    """A server-side dry run answers the object and stores nothing."""
    made = cluster.kubectl("-n", namespace, "create", "configmap", "x", "--dry-run=server", "-o", "json")
    assert json.loads(made.stdout)["metadata"]["uid"]
    assert cluster.kubectl("-n", namespace, "get", "cm", "x", check=False).returncode == 1


def test_apply_again_changes_nothing(cluster: Cluster, web: str) -> None:
    """Applying the same manifest twice keeps the resource version."""
    before = read(cluster, web, "deploy/web")["metadata"]["resourceVersion"]
    assert "unchanged" in cluster.kubectl("-n", web, "apply", "-f", "-", stdin=DEPLOYMENT).stdout
    assert read(cluster, web, "deploy/web")["metadata"]["resourceVersion"] == before


def test_apply_a_change(cluster: Cluster, web: str) -> None:
    """A changed manifest is merged by the containers' names; what it drops goes."""
    changed = DEPLOYMENT.replace('      - {name: side, image: "side:1"}\n', "").replace("nginx:1", "nginx:2")
    assert "configured" in cluster.kubectl("-n", web, "apply", "-f", "-", stdin=changed).stdout
    containers = read(cluster, web, "deploy/web")["spec"]["template"]["spec"]["containers"]
    assert [(c["name"], c["image"]) for c in containers] == [("web", "nginx:2")]
    assert read(cluster, web, "deploy/web")["metadata"]["generation"] == 2


def test_diff(cluster: Cluster, web: str) -> None:
    """kubectl diff shows the change that apply would make, and exits 1."""
    assert cluster.kubectl("-n", web, "diff", "-f", "-", stdin=DEPLOYMENT, check=False).returncode == 0
    changed = cluster.kubectl(
        "-n", web, "diff", "-f", "-", stdin=DEPLOYMENT.replace("replicas: 2", "replicas: 5"), check=False
    )
    assert changed.returncode == 1, changed.stderr
    assert "+  replicas: 5" in changed.stdout
    assert read(cluster, web, "deploy/web")["spec"]["replicas"] == 2


def test_label_and_annotate(cluster: Cluster, web: str) -> None:
    """Labels and annotations are set, overwritten on demand and removed."""
    cluster.kubectl("-n", web, "label", "deploy/web", "tier=front")
    refused = cluster.kubectl("-n", web, "label", "deploy/web", "tier=back", check=False)
    assert "--overwrite is false" in refused.stderr
    cluster.kubectl("-n", web, "label", "deploy/web", "tier=back", "--overwrite")
    cluster.kubectl("-n", web, "annotate", "deploy", "--all", "note=hello")
    meta = read(cluster, web, "deploy/web")["metadata"]
    assert meta["labels"]["tier"] == "back"
    assert meta["annotations"]["note"] == "hello"
    cluster.kubectl("-n", web, "label", "deploy/web", "tier-")
    assert "tier" not in read(cluster, web, "deploy/web")["metadata"].get("labels", {})


@pytest.mark.parametrize(
    ("kind", "patch"),
    [
        ("json", '[{"op":"replace","path":"/spec/replicas","value":7}]'),
        ("merge", '{"spec":{"replicas":7}}'),
        ("strategic", '{"spec":{"replicas":7,"template":{"spec":{"containers":[{"name":"side","image":"side:2"}]}}}}'),
    ],
)
def test_patch(cluster: Cluster, web: str, kind: str, patch: str) -> None:
    """The three patch types change what they name and nothing else."""
    cluster.kubectl("-n", web, "patch", "deploy", "web", "--type", kind, "-p", patch)
    spec = read(cluster, web, "deploy/web")["spec"]
    assert spec["replicas"] == 7
    images = {c["name"]: c["image"] for c in spec["template"]["spec"]["containers"]}
    assert images == {"web": "nginx:1", "side": "side:2" if kind == "strategic" else "side:1"}


def test_patch_subresource(cluster: Cluster, web: str) -> None:
    """A status patch changes the status alone."""
    cluster.kubectl(
        "-n",
        web,
        "patch",
        "deploy",
        "web",
        "--subresource=status",
        "--type=merge",
        "-p",
        '{"status":{"replicas":2,"readyReplicas":1},"spec":{"replicas":9}}',
    )
    got = read(cluster, web, "deploy/web")
    assert got["status"]["readyReplicas"] == 1
    assert got["spec"]["replicas"] == 2


def test_replace(cluster: Cluster, web: str) -> None:
    """replace puts a whole object; with a stale resource version it is a conflict."""
    got = read(cluster, web, "deploy/web")
    got["spec"]["replicas"] = 4
    cluster.kubectl("-n", web, "replace", "-f", "-", stdin=json.dumps(got))
    assert read(cluster, web, "deploy/web")["spec"]["replicas"] == 4
    stale = cluster.kubectl("-n", web, "replace", "-f", "-", stdin=json.dumps(got), check=False)
    assert "the object has been modified; please apply your changes to the latest version and try again" in stale.stderr


def test_replace_force(cluster: Cluster, web: str) -> None:
    """replace --force deletes and creates anew."""
    before = read(cluster, web, "deploy/web")["metadata"]["uid"]
    cluster.kubectl("-n", web, "replace", "--force", "-f", "-", stdin=DEPLOYMENT)
    assert read(cluster, web, "deploy/web")["metadata"]["uid"] != before


def test_edit(cluster: Cluster, web: str) -> None:
    """edit stores what the editor made of the object."""
    cluster.kubectl("-n", web, "edit", "deploy", "web", env={"EDITOR": "sed -i s/nginx:1/nginx:9/"})
    assert read(cluster, web, "deploy/web")["spec"]["template"]["spec"]["containers"][0]["image"] == "nginx:9"


def test_scale(cluster: Cluster, web: str) -> None:
    """scale goes through the scale subresource, with its precondition."""
    cluster.kubectl("-n", web, "scale", "deploy/web", "--replicas=5")
    assert read(cluster, web, "deploy/web")["spec"]["replicas"] == 5
    wrong = cluster.kubectl("-n", web, "scale", "deploy/web", "--current-replicas=1", "--replicas=3", check=False)
    assert wrong.returncode == 1
    assert read(cluster, web, "deploy/web")["spec"]["replicas"] == 5


def test_set(cluster: Cluster, web: str) -> None:
    """set image, env, resources and serviceaccount patch the template."""
    cluster.kubectl("-n", web, "set", "image", "deploy/web", "web=nginx:3")
    cluster.kubectl("-n", web, "set", "env", "deploy/web", "-c", "web", "B=b")
    cluster.kubectl("-n", web, "set", "resources", "deploy/web", "-c", "web", "--limits=cpu=1,memory=64Mi")
    cluster.kubectl("-n", web, "set", "serviceaccount", "deploy/web", "robot")
    pod = read(cluster, web, "deploy/web")["spec"]["template"]["spec"]
    container = pod["containers"][0]
    assert container["image"] == "nginx:3"
    assert {e["name"] for e in container["env"]} == {"A", "B"}
    assert container["resources"]["limits"] == {"cpu": "1", "memory": "64Mi"}
    assert pod["serviceAccountName"] == "robot"


def test_delete_forms(cluster: Cluster, namespace: str) -> None:
    """delete by name, by file and by label."""
    for name in ("a", "b", "c"):
        cluster.kubectl("-n", namespace, "create", "configmap", name)
    cluster.kubectl("-n", namespace, "label", "cm", "b", "c", "kind=pair")
    assert 'configmap "a" deleted' in cluster.kubectl("-n", namespace, "delete", "cm", "a").stdout
    cluster.kubectl("-n", namespace, "delete", "cm", "-l", "kind=pair")
    assert cluster.kubectl("-n", namespace, "get", "cm", "-o", "name").stdout == ""
    cluster.kubectl("-n", namespace, "apply", "-f", "-", stdin=DEPLOYMENT)
    cluster.kubectl("-n", namespace, "delete", "-f", "-", stdin=DEPLOYMENT)
    assert cluster.kubectl("-n", namespace, "get", "deploy", "-o", "name").stdout == ""


def test_wait(cluster: Cluster, web: str) -> None:
    """wait sees a condition that appears while it waits, a jsonpath, and a deletion."""
    command = [
        kubectl_binary(),
        "--kubeconfig",
        str(cluster.kubeconfig),
        "-n",
        web,
        "wait",
        "deploy/web",
        "--for=condition=Available",
        "--timeout=20s",
    ]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as waiting:
        cluster.kubectl(
            "-n",
            web,
            "patch",
            "deploy",
            "web",
            "--subresource=status",
            "--type=merge",
            "-p",
            json.dumps(
                {
                    "status": {
                        "conditions": [
                            {
                                "type": "Available",
                                "status": "True",
                                "lastTransitionTime": "2024-01-01T00:00:00Z",
                                "lastUpdateTime": "2024-01-01T00:00:00Z",
                                "reason": "R",
                                "message": "m",
                            }
                        ]
                    }
                }
            ),
        )
        assert "condition met" in waiting.communicate(timeout=30)[0]
    cluster.kubectl("-n", web, "wait", "deploy/web", "--for=jsonpath={.spec.replicas}=2", "--timeout=10s")
    cluster.kubectl("-n", web, "delete", "deploy", "web", "--wait=false")
    cluster.kubectl("-n", web, "wait", "deploy/web", "--for=delete", "--timeout=10s")


def test_watch(cluster: Cluster, namespace: str) -> None:
    """get -w prints a line for each change, as tables."""
    command = [
        kubectl_binary(),
        "--kubeconfig",
        str(cluster.kubeconfig),
        "-n",
        namespace,
        "get",
        "cm",
        "-w",
        "--output-watch-events",
    ]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, bufsize=1) as watching:
        assert watching.stdout is not None
        try:
            cluster.kubectl("-n", namespace, "create", "configmap", "seen")
            lines = [watching.stdout.readline().split() for _ in range(2)]
            assert lines[0] == ["EVENT", "NAME", "DATA", "AGE"]
            assert lines[1][:3] == ["ADDED", "seen", "0"]
            cluster.kubectl("-n", namespace, "patch", "cm", "seen", "--type=merge", "-p", '{"data":{"a":"b"}}')
            assert watching.stdout.readline().split()[:3] == ["MODIFIED", "seen", "1"]
            cluster.kubectl("-n", namespace, "delete", "cm", "seen")
            assert watching.stdout.readline().split()[:2] == ["DELETED", "seen"]
        finally:
            watching.terminate()


def test_unknown_field_is_refused(cluster: Cluster, namespace: str) -> None:
    """kubectl's strict field validation is the server's."""
    bad = DEPLOYMENT.replace("replicas: 2", "replica: 2")
    done = cluster.kubectl("-n", namespace, "create", "-f", "-", stdin=bad, check=False)
    assert done.returncode == 1
    assert 'unknown field "spec.replica"' in done.stderr
    warned = cluster.kubectl("-n", namespace, "create", "-f", "-", "--validate=warn", stdin=bad)
    assert 'Warning: unknown field "spec.replica"' in warned.stderr
