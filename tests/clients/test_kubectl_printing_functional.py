"""How kubectl get prints: columns of one's own, templates, sorting, labels, pages, parts of objects."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from tests.clients.deployments import DEPLOYMENT, set_status
from tests.support.up import Cluster

COUNT = 7
MAP = """
apiVersion: v1
kind: ConfigMap
metadata: {{name: m{number}, labels: {{parity: {parity}, app: maps}}}}
data: {{rank: "{rank}"}}
"""


@pytest.fixture(scope="module")
def maps(cluster: Cluster) -> str:
    """A namespace with some config maps; nobody changes them."""
    cluster.kubectl("create", "namespace", "printing")
    text = "---".join(
        MAP.format(number=n, parity="even" if n % 2 == 0 else "odd", rank=COUNT - n) for n in range(COUNT)
    )
    cluster.kubectl("-n", "printing", "create", "-f", "-", stdin=text)
    cluster.kubectl("-n", "printing", "create", "-f", "-", stdin=DEPLOYMENT)
    return "printing"


def get(cluster: Cluster, *args: str) -> str:
    return cluster.kubectl("-n", "printing", "get", *args).stdout


def test_custom_columns(cluster: Cluster, maps: str, tmp_path: Path) -> None:
    """custom-columns, from the command line and from a file, without headers on demand."""
    columns = "custom-columns=NAME:.metadata.name,RANK:.data.rank,NONE:.data.nothing"
    lines = get(cluster, "cm", "-l", "app=maps", "-o", columns).splitlines()
    assert lines[0].split() == ["NAME", "RANK", "NONE"]
    assert lines[1].split() == ["m0", "7", "<none>"]
    assert len(lines) == COUNT + 1
    file = tmp_path / "columns"
    file.write_text("NAME RANK\n.metadata.name .data.rank\n")
    assert get(cluster, "cm", "m1", "-o", f"custom-columns-file={file}").split() == ["NAME", "RANK", "m1", "6"]
    assert get(cluster, "cm", "m1", "-o", columns, "--no-headers").split() == ["m1", "6", "<none>"]


def test_templates(cluster: Cluster, maps: str, tmp_path: Path) -> None:
    """go-template and jsonpath over lists, from the command line and from files."""
    template = "{{range .items}}{{.metadata.name}}={{.data.rank}} {{end}}"
    assert get(cluster, "cm", "-l", "parity=odd", "-o", f"go-template={template}") == "m1=6 m3=4 m5=2 "
    file = tmp_path / "template"
    file.write_text(template)
    assert get(cluster, "cm", "-l", "parity=odd", "-o", f"go-template-file={file}") == "m1=6 m3=4 m5=2 "
    path = '{range .items[?(@.data.rank=="4")]}{.metadata.name}{"\\n"}{end}'
    assert get(cluster, "cm", "-o", f"jsonpath={path}") == "m3\n"
    assert get(cluster, "deploy/web", "-o", "jsonpath={.spec.template.spec.containers[*].image}") == "nginx:1 side:1"


@pytest.mark.parametrize("key", [".data.rank", "{.data.rank}"])
def test_sorted(cluster: Cluster, maps: str, key: str) -> None:
    """--sort-by sorts tables and other forms."""
    rows = get(cluster, "cm", "-l", "app=maps", "--sort-by", key, "--no-headers").splitlines()
    assert [row.split()[0] for row in rows] == [f"m{n}" for n in reversed(range(COUNT))]
    listed = json.loads(get(cluster, "cm", "-l", "app=maps", "--sort-by", key, "-o", "json"))
    assert [one["metadata"]["name"] for one in listed["items"]] == [f"m{n}" for n in reversed(range(COUNT))]


def test_labels(cluster: Cluster, maps: str) -> None:
    """--show-labels and -L add columns that the table's metadata feeds."""
    lines = get(cluster, "cm", "m0", "m1", "--show-labels").splitlines()
    assert lines[0].split()[-1] == "LABELS"
    assert lines[1].split()[-1] == "app=maps,parity=even"
    lines = get(cluster, "cm", "m0", "m1", "-L", "parity,absent").splitlines()
    assert lines[0].split()[-2:] == ["PARITY", "ABSENT"]
    assert lines[2].split()[-1] == "odd"


@pytest.mark.parametrize("size", [1, 3, 500, 0])
def test_pages(cluster: Cluster, maps: str, size: int) -> None:
    """Pages of any size make the same list, as tables too."""
    flags = ("-l", "app=maps", f"--chunk-size={size}")
    assert get(cluster, "cm", *flags, "-o", "name").split() == [f"configmap/m{n}" for n in range(COUNT)]
    assert len(get(cluster, "cm", *flags).splitlines()) == COUNT + 1


def test_several_kinds(cluster: Cluster, maps: str) -> None:
    """One get over several kinds, by list, by category and with --show-kind."""
    found = get(cluster, "deploy/web", "cm/m0", "-o", "name").split()
    assert found == ["deployment.apps/web", "configmap/m0"]
    assert "deployment.apps/web" in get(cluster, "all")
    assert get(cluster, "deploy", "--show-kind", "--no-headers").startswith("deployment.apps/web ")


def test_wide_and_status(cluster: Cluster, maps: str) -> None:
    """Wide columns, and the columns that speak of the status."""
    set_status(cluster, maps, "deploy/web", {"replicas": 2, "readyReplicas": 1, "updatedReplicas": 2})
    lines = get(cluster, "deploy", "web", "-o", "wide").splitlines()
    assert lines[0].split() == [
        "NAME", "READY", "UP-TO-DATE", "AVAILABLE", "AGE", "CONTAINERS", "IMAGES", "SELECTOR",
    ]  # fmt: skip
    row = lines[1].split()
    assert row[:4] == ["web", "1/2", "2", "0"]
    assert row[5:] == ["web,side", "nginx:1,side:1", "app=web"]
    scale = json.loads(get(cluster, "deploy", "web", "--subresource=scale", "-o", "json"))
    assert (scale["kind"], scale["spec"], scale["status"]["replicas"]) == ("Scale", {"replicas": 2}, 2)
    assert "web" in get(cluster, "deploy", "web", "--subresource=status")


def test_other_forms(cluster: Cluster, maps: str) -> None:
    """YAML, KYAML and managed fields, and silence about what is not there."""
    assert yaml.safe_load(get(cluster, "cm", "m2", "-o", "kyaml"))["data"] == {"rank": "5"}
    assert "managedFields" not in get(cluster, "cm", "m2", "-o", "yaml")
    assert "managedFields" in get(cluster, "cm", "m2", "-o", "yaml", "--show-managed-fields")
    assert get(cluster, "cm", "nobody", "--ignore-not-found") == ""


def test_field_selectors_and_namespaces(cluster: Cluster, maps: str) -> None:
    """--field-selector with != and all namespaces; an unsupported field is the server's error."""
    rest = get(cluster, "cm", "-l", "app=maps", "--field-selector=metadata.name!=m0", "-o", "name").split()
    assert len(rest) == COUNT - 1
    done = cluster.kubectl("get", "cm", "-A", "--field-selector=data.rank=1", check=False)
    assert '"data.rank" is not a known field selector: only "metadata.name", "metadata.namespace"' in done.stderr
