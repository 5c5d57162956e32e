"""Conversion between served versions, and the scale subresource."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as some

from kubehop.kinds import catalogue, convert, scaling
from kubehop.kinds.resource import Resource


def row(group: str, version: str, resource: str) -> Resource:
    found = catalogue.lookup(group, version, resource)
    assert found is not None
    return found


AUTOSCALER = row("autoscaling", "v1", "horizontalpodautoscalers")
NEW_EVENT = row("events.k8s.io", "v1", "events")


def test_an_old_autoscaler_is_stored_as_a_new_one():
    """The share of cpu becomes a metric."""
    old = {
        "apiVersion": "autoscaling/v1",
        "kind": "HorizontalPodAutoscaler",
        "metadata": {"name": "h"},
        "spec": {"maxReplicas": 3, "targetCPUUtilizationPercentage": 70},
    }
    stored = convert.to_storage(old, AUTOSCALER)
    assert stored["apiVersion"] == "autoscaling/v2"
    target = {"type": "Utilization", "averageUtilization": 70}
    assert stored["spec"] == {
        "maxReplicas": 3,
        "metrics": [{"type": "Resource", "resource": {"name": "cpu", "target": target}}],
    }


_QUANTITY = some.sampled_from(["1", "500m", "2Gi"])
_TARGET = some.one_of(
    some.builds(lambda n: {"type": "Utilization", "averageUtilization": n}, some.integers(1, 200)),
    some.builds(lambda q: {"type": "AverageValue", "averageValue": q}, _QUANTITY),
)
_IDENTITY = some.builds(
    lambda name, labels: {"name": name, **({"selector": {"matchLabels": labels}} if labels else {})},
    some.sampled_from(["rps", "queue"]),
    some.one_of(some.none(), some.just({"a": "b"})),
)
_METRIC = some.one_of(
    some.builds(lambda n, t: {"type": "Resource", "resource": {"name": n, "target": t}}, some.just("memory"), _TARGET),
    some.builds(
        lambda t: {"type": "ContainerResource", "containerResource": {"name": "cpu", "container": "c", "target": t}},
        _TARGET,
    ),
    some.builds(
        lambda m, q: {"type": "Pods", "pods": {"metric": m, "target": {"type": "AverageValue", "averageValue": q}}},
        _IDENTITY,
        _QUANTITY,
    ),
    some.builds(
        lambda m, q: {"type": "External", "external": {"metric": m, "target": {"type": "Value", "value": q}}},
        _IDENTITY,
        _QUANTITY,
    ),
    some.builds(
        lambda m, q: {
            "type": "Object",
            "object": {
                "metric": m,
                "describedObject": {"kind": "Service", "name": "s", "apiVersion": "v1"},
                "target": {"type": "Value", "value": q},
            },
        },
        _IDENTITY,
        _QUANTITY,
    ),
)
_CPU = some.builds(
    lambda n: {
        "type": "Resource",
        "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": n}},
    },
    some.integers(1, 200),
)


@given(
    cpu=some.lists(_CPU, max_size=1),
    metrics=some.lists(_METRIC, max_size=4),
    behavior=some.one_of(some.none(), some.just({"scaleUp": {"stabilizationWindowSeconds": 5}})),
    conditions=some.lists(some.just({"type": "AbleToScale", "status": "True"}), max_size=1),
    annotations=some.one_of(some.none(), some.just({"mine": "x"})),
)
def test_nothing_is_lost_on_the_way_through_the_old_version(cpu, metrics, behavior, conditions, annotations):
    """A v2 autoscaler that was seen as v1 is the same as before."""
    spec: dict[str, Any] = {"maxReplicas": 3, "scaleTargetRef": {"kind": "Deployment", "name": "d"}}
    if cpu or metrics:
        spec["metrics"] = cpu + metrics
    if behavior:
        spec["behavior"] = behavior
    status: dict[str, Any] = {"currentMetrics": None, "desiredReplicas": 0, "currentReplicas": 1}
    if conditions:
        status["conditions"] = conditions
    meta: dict[str, Any] = {"name": "h"} | ({"annotations": annotations} if annotations else {})
    stored = {
        "apiVersion": "autoscaling/v2",
        "kind": "HorizontalPodAutoscaler",
        "metadata": meta,
        "spec": spec,
        "status": status,
    }
    assert convert.to_storage(convert.to_served(stored, AUTOSCALER), AUTOSCALER) == stored


def test_unreadable_annotations_are_passed_over():
    """What another wrote into the annotations that carry v2's fields does no harm."""
    old = {
        "apiVersion": "autoscaling/v1",
        "metadata": {"annotations": {"autoscaling.alpha.kubernetes.io/metrics": "{not json", "mine": "x"}},
        "spec": {"maxReplicas": 1},
    }
    stored = convert.to_storage(old, AUTOSCALER)
    assert "metrics" not in stored["spec"]
    assert stored["metadata"]["annotations"] == {"mine": "x"}


def test_events_have_other_names_in_the_newer_group():
    """A core event is regarding something, with a note."""
    core = {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {"name": "e"},
        "involvedObject": {"kind": "Pod"},
        "message": "placed",
        "count": 2,
        "reportingComponent": "",
        "reportingInstance": "",
        "source": {},
        "firstTimestamp": None,
        "lastTimestamp": None,
        "eventTime": None,
    }
    newer = convert.to_served(core, NEW_EVENT)
    assert newer["apiVersion"] == "events.k8s.io/v1"
    assert (newer["regarding"], newer["note"], newer["deprecatedCount"]) == ({"kind": "Pod"}, "placed", 2)
    assert "reportingController" not in newer
    assert convert.to_storage(newer, NEW_EVENT) == core


def test_kinds_of_one_form_change_their_version_alone():
    """Mutating policies are stored under the version of the release before."""
    policies = row("admissionregistration.k8s.io", "v1", "mutatingadmissionpolicies")
    stored = convert.to_storage({"apiVersion": "admissionregistration.k8s.io/v1", "spec": {"a": 1}}, policies)
    assert stored == {"apiVersion": "admissionregistration.k8s.io/v1beta1", "spec": {"a": 1}}
    assert convert.to_served(stored, policies)["apiVersion"] == "admissionregistration.k8s.io/v1"
    assert convert.needed(policies)
    assert not convert.needed(row("apps", "v1", "deployments"))


def test_a_scale_and_back():
    """A Scale shows replicas and selector, and writes replicas."""
    deployment = {
        "kind": "Deployment",
        "metadata": {"name": "d", "namespace": "a", "resourceVersion": "5", "labels": {"x": "y"}},
        "spec": {"replicas": 2, "selector": {"matchLabels": {"app": "web"}}},
        "status": {"replicas": 1},
    }
    scale = scaling.read(deployment)
    assert scale == {
        "kind": "Scale",
        "apiVersion": "autoscaling/v1",
        "metadata": {"name": "d", "namespace": "a", "resourceVersion": "5"},
        "spec": {"replicas": 2},
        "status": {"replicas": 1, "selector": "app=web"},
    }
    scale["spec"]["replicas"] = 4
    scale["metadata"]["resourceVersion"] = "4"
    written = scaling.write(scale, deployment)
    assert written["spec"]["replicas"] == 4
    assert written["metadata"]["resourceVersion"] == "4"
    assert deployment["spec"]["replicas"] == 2
    (error,) = scaling.validate({"spec": {"replicas": -1}})
    assert str(error) == "spec.replicas: Invalid value: -1: must be greater than or equal to 0"


def test_the_scale_of_a_replication_controller():
    """Its selector is a plain map, and zero replicas are not written."""
    controller = {"kind": "ReplicationController", "metadata": {"name": "r"}, "spec": {"selector": {"a": "b"}}}
    assert scaling.read(controller)["status"] == {"replicas": 0, "selector": "a=b"}
    assert scaling.read(controller)["spec"] == {}
