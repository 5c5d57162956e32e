"""Stock kubectl reads: version, api-resources, get in all its forms, describe, explain, events, raw."""

from __future__ import annotations

import json
import re

import pytest
import yaml

from tests.support.up import Cluster

MAP = """
apiVersion: v1
kind: ConfigMap
metadata:
  name: {name}
  labels: {{app: {app}}}
data: {{colour: blue}}
"""


@pytest.fixture
def maps(cluster: Cluster, namespace: str) -> str:
    """Two config maps with different labels."""
    cluster.kubectl(
        "-n",
        namespace,
        "create",
        "-f",
        "-",
        stdin="---".join(MAP.format(name=n, app=a) for n, a in (("one", "web"), ("two", "db"))),
    )
    return namespace


def test_version_names_the_server(cluster: Cluster) -> None:
    """kubectl version reports a v1.36 server that says it is kubehop."""
    server = json.loads(cluster.kubectl("version", "-o", "json").stdout)["serverVersion"]
    assert (server["major"], server["minor"]) == ("1", "36")
    assert re.fullmatch(r"v1\.36\.\d+\+kubehop", server["gitVersion"])


def test_cluster_info(cluster: Cluster) -> None:
    """kubectl cluster-info says where the control plane is."""
    assert cluster.server in re.sub(r"\x1b\[[0-9;]*m", "", cluster.kubectl("cluster-info").stdout)


def test_api_resources_and_versions(cluster: Cluster) -> None:
    """kubectl lists the built-in resources with short names and kinds."""
    rows = cluster.kubectl("api-resources", "--no-headers").stdout
    for pattern in (
        r"pods\s+po\s+v1\s+true\s+Pod",
        r"deployments\s+deploy\s+apps/v1\s+true\s+Deployment",
        r"clusterroles\s+rbac.authorization.k8s.io/v1\s+false\s+ClusterRole",
        r"horizontalpodautoscalers\s+hpa\s+autoscaling/v2\s+true\s+HorizontalPodAutoscaler",
    ):
        assert re.search(pattern, rows), pattern
    versions = cluster.kubectl("api-versions").stdout.split()
    assert {"v1", "apps/v1", "autoscaling/v1", "autoscaling/v2", "batch/v1"} <= set(versions)


def test_get_table(cluster: Cluster, maps: str) -> None:
    """The table of config maps has kube-apiserver's columns."""
    lines = cluster.kubectl("-n", maps, "get", "configmaps").stdout.splitlines()
    assert lines[0].split() == ["NAME", "DATA", "AGE"]
    assert [line.split()[:2] for line in lines[1:]] == [["one", "1"], ["two", "1"]]


def test_get_output_forms(cluster: Cluster, maps: str) -> None:
    """yaml, json, wide, name, jsonpath, custom-columns and go-template all read the same object."""
    get = ("-n", maps, "get", "cm", "one", "-o")
    assert yaml.safe_load(cluster.kubectl(*get, "yaml").stdout)["data"] == {"colour": "blue"}
    assert json.loads(cluster.kubectl(*get, "json").stdout)["metadata"]["name"] == "one"
    assert cluster.kubectl(*get, "wide").stdout.split()[:3] == ["NAME", "DATA", "AGE"]
    assert cluster.kubectl(*get, "name").stdout.strip() == "configmap/one"
    assert cluster.kubectl(*get, "jsonpath={.data.colour}").stdout == "blue"
    assert "blue" in cluster.kubectl(*get, "custom-columns=C:.data.colour").stdout
    assert cluster.kubectl(*get, "go-template={{.data.colour}}").stdout == "blue"


def test_get_selectors(cluster: Cluster, maps: str) -> None:
    """Label and field selectors select, over one namespace and over all."""
    assert cluster.kubectl("-n", maps, "get", "cm", "-l", "app=web", "-o", "name").stdout.split() == ["configmap/one"]
    assert cluster.kubectl("-n", maps, "get", "cm", "-l", "app in (web,db),app!=web", "-o", "name").stdout.split() == [
        "configmap/two"
    ]
    by_name = cluster.kubectl("get", "cm", "-A", "--field-selector", f"metadata.name=two,metadata.namespace={maps}")
    assert by_name.stdout.splitlines()[1].split()[:2] == [maps, "two"]


def test_get_in_pages(cluster: Cluster, maps: str) -> None:
    """--chunk-size reads a list page by page."""
    assert len(cluster.kubectl("-n", maps, "get", "cm", "--chunk-size=1", "-o", "name").stdout.split()) == 2


def test_get_missing(cluster: Cluster, namespace: str) -> None:
    """A missing object is kubectl's NotFound and exit status 1."""
    done = cluster.kubectl("-n", namespace, "get", "cm", "nobody", check=False)
    assert done.returncode == 1
    assert done.stderr.strip() == 'Error from server (NotFound): configmaps "nobody" not found'


def test_describe(cluster: Cluster, maps: str) -> None:
    """kubectl describe shows data and labels."""
    text = cluster.kubectl("-n", maps, "describe", "cm", "one").stdout
    assert "app=web" in text
    assert "blue" in text


@pytest.mark.parametrize(
    "what",
    [
        "pods",
        "deployments.spec.template",
        "service.spec.ports",
        "cronjob",
        "networkpolicy",
        "hpa.spec.metrics",
        "pdb",
        "ingress.spec.rules",
        "clusterrole",
        "pvc",
    ],
)
def test_explain_recursive(cluster: Cluster, what: str) -> None:
    """kubectl explain --recursive prints the fields with their types."""
    text = cluster.kubectl("explain", what, "--recursive").stdout
    assert "FIELDS:" in text or "FIELD:" in text
    assert re.search(r"<(string|integer|boolean|map\[string\]string|\[\]\w+|\w+)>", text)


def test_explain_every_kind(cluster: Cluster) -> None:
    """No kind that api-resources lists is unknown to explain."""
    rows = [line.split() for line in cluster.kubectl("api-resources", "--no-headers").stdout.splitlines()]
    assert len(rows) > 50
    for row in rows:
        name, version, kind = row[0], row[-3], row[-1]
        text = cluster.kubectl("explain", name, "--api-version", version).stdout
        assert re.search(rf"KIND:\s+{kind}\n", text), f"{name} of {version}"


def test_raw(cluster: Cluster) -> None:
    """get --raw passes the answer through."""
    assert cluster.kubectl("get", "--raw", "/healthz").stdout == "ok"
    assert json.loads(cluster.kubectl("get", "--raw", "/api/v1/namespaces/default").stdout)["kind"] == "Namespace"
    assert "[+]ping ok" in cluster.kubectl("get", "--raw", "/readyz?verbose").stdout


def test_events(cluster: Cluster, namespace: str) -> None:
    """kubectl events lists events of both API groups."""
    cluster.kubectl(
        "-n",
        namespace,
        "create",
        "-f",
        "-",
        stdin=f"""
apiVersion: v1
kind: Event
metadata: {{name: something, namespace: {namespace}}}
involvedObject: {{kind: ConfigMap, name: one, namespace: {namespace}, apiVersion: v1}}
reason: Seen
message: it was seen
type: Normal
firstTimestamp: "2024-01-01T00:00:00Z"
lastTimestamp: "2024-01-01T00:00:00Z"
count: 1
""",
    )
    assert "it was seen" in cluster.kubectl("-n", namespace, "events").stdout
    assert "Seen" in cluster.kubectl("-n", namespace, "get", "events.events.k8s.io").stdout
    assert "it was seen" in cluster.kubectl("-n", namespace, "get", "events").stdout


def test_bootstrap_objects(cluster: Cluster) -> None:
    """What kube-apiserver makes by itself is there."""
    names = cluster.kubectl("get", "ns", "-o", "name").stdout.split()
    assert {f"namespace/{n}" for n in ("default", "kube-system", "kube-public", "kube-node-lease")} <= set(names)
    assert "10.96.0.1" in cluster.kubectl("get", "service", "kubernetes").stdout
    assert "system-node-critical" in cluster.kubectl("get", "priorityclasses").stdout
    roles = cluster.kubectl("get", "clusterroles", "-o", "name").stdout
    assert "cluster-admin" in roles
    assert "system:controller:deployment-controller" in roles
    assert "cluster-admin" in cluster.kubectl("get", "clusterrolebindings", "-o", "wide").stdout


def test_auth(cluster: Cluster) -> None:
    """auth whoami and can-i answer for the admin."""
    assert "system:masters" in cluster.kubectl("auth", "whoami").stdout
    assert cluster.kubectl("auth", "can-i", "delete", "nodes").stdout.strip() == "yes"
    denied = cluster.kubectl("auth", "can-i", "delete", "nodes", "--as", "nobody", check=False)
    assert denied.stdout.strip() == "no"
    assert "*.*" in cluster.kubectl("auth", "can-i", "--list").stdout
