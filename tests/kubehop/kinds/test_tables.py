"""The tables of the built-in kinds, against kube-apiserver's recorded ones."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from kubehop.kinds import catalogue, tables
from kubehop.kinds.printing import DOCUMENTED, selector_text

GOLDEN: dict[str, Any] = json.loads(
    (Path(__file__).parents[2] / "conformance" / "golden" / "api-tables.json").read_text()
)
NOW = 1_700_000_000.0


def printer(group: str, resource: str, version: str = "v1"):
    row = catalogue.lookup(group, version, resource)
    assert row is not None
    return tables.columns_for(row)


@pytest.mark.parametrize("row", catalogue.RESOURCES, ids=lambda row: f"{row.api_version}/{row.name}")
def test_every_kind_prints_an_empty_object(row):
    """Printing never fails on what is missing, and every column has a cell."""
    columns = tables.columns_for(row)
    cells = columns.cells({"metadata": {"name": "a"}}, NOW)
    assert "a" in cells
    # IP addresses have one cell more than columns in kube-apiserver too
    assert len(cells) == len(columns.columns) + (row.name == "ipaddresses")
    assert not any(column.description.startswith(DOCUMENTED) for column in columns.columns)
    json.dumps(cells)


@pytest.mark.parametrize("row", catalogue.RESOURCES, ids=lambda row: f"{row.api_version}/{row.name}")
def test_documented_columns_name_fields_that_exist(row):
    """Descriptions that stand for a field's own are found in the catalogue."""
    missing = [column.name for column in tables.columns_for(row).columns if not column.description]
    # kube-apiserver asks for fields that have no description there either
    assert missing == (["Handler"] if row.name == "runtimeclasses" else [])


@pytest.mark.parametrize(
    ("step", "group", "resource"),
    [
        ("configmap-table", "", "configmaps"),
        ("empty-list", "", "secrets"),
        ("pod-table", "", "pods"),
        ("deployment", "apps", "deployments"),
        ("service-table", "", "services"),
        ("service-account-table", "", "serviceaccounts"),
        ("namespace-table", "", "namespaces"),
    ],
)
def test_columns_equal_the_recorded_ones(step, group, resource):
    """Names, types, formats and priorities are those of kube-apiserver."""
    columns = [column.definition() for column in printer(group, resource).columns]
    for column in columns:
        del column["description"]
    assert columns == GOLDEN[step]["body"]["columnDefinitions"]


def test_a_crashing_pod():
    """A container that waits says why, and restarts are counted."""
    pod = {
        "metadata": {"name": "p"},
        "spec": {"nodeName": "n-1", "containers": [{"name": "a"}, {"name": "b"}]},
        "status": {
            "phase": "Running",
            "podIPs": [{"ip": "10.0.0.7"}],
            "containerStatuses": [
                {"name": "a", "ready": True, "restartCount": 0, "state": {"running": {}}},
                {"name": "b", "ready": False, "restartCount": 2, "state": {"waiting": {"reason": "CrashLoopBackOff"}}},
            ],
        },
    }
    cells = printer("", "pods").cells(pod, NOW)
    golden = GOLDEN["pod-table-crashing"]["body"]
    assert {f"rows.0.cells.{i}": cell for i, cell in enumerate(cells) if i != 4} == golden


@pytest.mark.parametrize(
    ("status", "spec", "metadata", "ready", "reason", "restarts"),
    [
        ({"phase": "Pending"}, {}, {}, "0/1", "Pending", "0"),
        ({"phase": "Running"}, {}, {"deletionTimestamp": "x"}, "0/1", "Terminating", "0"),
        ({"phase": "Running", "reason": "NodeLost"}, {}, {"deletionTimestamp": "x"}, "0/1", "Unknown", "0"),
        (
            {"phase": "Pending", "conditions": [{"type": "PodScheduled", "reason": "SchedulingGated"}]},
            {},
            {},
            "0/1",
            "SchedulingGated",
            "0",
        ),
        (
            {"phase": "Pending", "initContainerStatuses": [{"name": "i", "state": {"waiting": {}}}]},
            {"initContainers": [{"name": "i"}]},
            {},
            "0/1",
            "Init:0/1",
            "0",
        ),
        (
            {"phase": "Pending", "initContainerStatuses": [{"name": "i", "state": {"terminated": {"exitCode": 3}}}]},
            {"initContainers": [{"name": "i"}]},
            {},
            "0/1",
            "Init:ExitCode:3",
            "0",
        ),
        (
            {
                "phase": "Running",
                "initContainerStatuses": [{"name": "i", "started": True, "ready": True, "restartCount": 1}],
                "containerStatuses": [
                    {
                        "name": "c",
                        "ready": True,
                        "restartCount": 2,
                        "state": {"running": {}},
                        "lastState": {"terminated": {"finishedAt": "2023-11-14T22:13:10Z"}},
                    }
                ],
            },
            {"initContainers": [{"name": "i", "restartPolicy": "Always"}]},
            {},
            "2/2",
            "Running",
            "3 (10s ago)",
        ),
        (
            {"phase": "Failed", "containerStatuses": [{"name": "c", "state": {"terminated": {"signal": 9}}}]},
            {},
            {},
            "0/1",
            "Signal:9",
            "0",
        ),
    ],
)
def test_pod_states(status, spec, metadata, ready, reason, restarts):
    """Readiness, reason and restarts of a pod follow its containers' states."""
    pod = {
        "metadata": {"name": "p", **metadata},
        "spec": {"containers": [{"name": "c"}], **spec},
        "status": status,
    }
    cells = printer("", "pods").cells(pod, NOW)
    assert cells[1:4] == [ready, reason, restarts]


@pytest.mark.parametrize(
    ("spec", "status", "external", "ports"),
    [
        ({"type": "ClusterIP"}, {}, "<none>", "<none>"),
        (
            {"type": "NodePort", "ports": [{"port": 80, "nodePort": 30080, "protocol": "TCP"}]},
            {},
            "<none>",
            "80:30080/TCP",
        ),
        ({"type": "LoadBalancer"}, {}, "<pending>", "<none>"),
        ({"type": "LoadBalancer"}, {"loadBalancer": {"ingress": [{"ip": "1.2.3.4"}]}}, "1.2.3.4", "<none>"),
        ({"type": "ExternalName", "externalName": "example.com"}, {}, "example.com", "<none>"),
    ],
)
def test_services(spec, status, external, ports):
    """The external address depends on the type."""
    cells = printer("", "services").cells({"metadata": {"name": "s"}, "spec": spec, "status": status}, NOW)
    assert (cells[3], cells[4]) == (external, ports)


def test_an_autoscaler():
    """Targets show the current value and the wanted one, two at most."""
    utilization = {
        "type": "Resource",
        "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 80}},
    }
    autoscaler = {
        "metadata": {"name": "h"},
        "spec": {
            "scaleTargetRef": {"kind": "Deployment", "name": "web"},
            "minReplicas": 1,
            "maxReplicas": 5,
            "metrics": [utilization] * 3,
        },
        "status": {"currentMetrics": [{"resource": {"current": {"averageUtilization": 20}}}]},
    }
    cells = printer("autoscaling", "horizontalpodautoscalers", "v2").cells(autoscaler, NOW)
    assert cells[1:6] == ["Deployment/web", "cpu: 20%/80%, cpu: <unknown>/80% + 1 more...", "1", 5, 0]


def test_selectors_are_written_as_queries():
    """Requirements come sorted by key, values sorted."""
    selector = {
        "matchLabels": {"b": "1"},
        "matchExpressions": [
            {"key": "a", "operator": "In", "values": ["y", "x"]},
            {"key": "c", "operator": "DoesNotExist"},
        ],
    }
    assert selector_text(selector) == "a in (x,y),b=1,!c"
    assert selector_text({}) == "<none>"


def test_quota_lines_are_split_in_requests_and_limits():
    """Limits have a column of their own."""
    quota = {
        "metadata": {"name": "compute"},
        "status": {"hard": {"pods": "2", "limits.memory": "1Gi"}, "used": {"pods": "1", "limits.memory": "576Mi"}},
    }
    assert printer("", "resourcequotas").cells(quota, NOW)[1:3] == ["pods: 1/2", "limits.memory: 576Mi/1Gi"]


def test_a_scale_is_printed():
    """The scale subresource has a table too."""
    scale = {"metadata": {"name": "d"}, "spec": {"replicas": 3}, "status": {"replicas": 1}}
    assert tables.scale_printer().cells(scale, NOW) == ["d", 3, 1, "<unknown>"]
