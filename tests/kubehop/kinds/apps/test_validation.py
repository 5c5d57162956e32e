"""Workloads, autoscalers and budgets: what is refused, and what their statuses may say."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from kubehop.kinds.strategy import Strategy
from tests.kubehop.kinds.validating import changed, filled, refused, strategy

LABELS = {"app": "a"}
TEMPLATE = {"metadata": {"labels": LABELS}, "spec": {"containers": [{"name": "c", "image": "i"}]}}
SELECTED: dict[str, Any] = {"selector": {"matchLabels": LABELS}, "template": TEMPLATE}
REFERENCE = {"maxReplicas": 2, "scaleTargetRef": {"kind": "Deployment", "name": "a"}}


@pytest.mark.parametrize(
    ("group", "resource", "version", "spec", "expected"),
    [
        ("apps", "deployments", "v1", {**SELECTED, "strategy": {"type": "Blue"}}, [
            ('spec.strategy: Unsupported value: {"Type":"Blue","RollingUpdate":null}: supported values: "Recreate", '
             '"RollingUpdate"'),
        ]),
        ("apps", "deployments", "v1", {**SELECTED, "progressDeadlineSeconds": 3, "minReadySeconds": 3}, [
            "spec.progressDeadlineSeconds: Invalid value: 3: must be greater than minReadySeconds",
        ]),
        ("apps", "daemonsets", "v1", {**SELECTED, "updateStrategy": {"rollingUpdate": {"maxSurge": 1}}}, [
            ("spec.updateStrategy.rollingUpdate.maxSurge: Invalid value: 1: may not be set when maxUnavailable is "
             "non-zero"),
        ]),
        ("apps", "statefulsets", "v1", {**SELECTED, "updateStrategy": {"rollingUpdate": {"maxUnavailable": 0}}}, [
            "spec.updateStrategy.rollingUpdate.maxUnavailable: Invalid value: 0: cannot be 0",
        ]),
        ("", "replicationcontrollers", "v1", {}, [
            "spec.selector: Required value", "spec.template: Required value",
        ]),
        ("autoscaling", "horizontalpodautoscalers", "v2", {"minReplicas": 3, **REFERENCE}, [
            "spec.maxReplicas: Invalid value: 2: must be greater than or equal to `minReplicas`",
        ]),
        ("autoscaling", "horizontalpodautoscalers", "v2", {**REFERENCE, "metrics": [{"type": "Pods"}]}, [
            "spec.metrics[0].pods: Required value: must populate information for the given metric source",
        ]),
        ("autoscaling", "horizontalpodautoscalers", "v2", {**REFERENCE, "behavior": {"scaleUp": {"policies": [
            {"type": "Pods", "value": 0, "periodSeconds": 2000},
        ]}}}, [
            "spec.behavior.scaleUp.policies[0].value: Invalid value: 0: must be greater than zero",
            "spec.behavior.scaleUp.policies[0].periodSeconds: Invalid value: 2000: must be less than or equal to 1800",
        ]),
        ("policy", "poddisruptionbudgets", "v1", {"minAvailable": 1, "maxUnavailable": "x%"}, [
            ('spec: Invalid value: {"MinAvailable":1,"Selector":null,"MaxUnavailable":"x%",'
             '"UnhealthyPodEvictionPolicy":null}: minAvailable and maxUnavailable cannot be both set'),
            ('spec.maxUnavailable: Invalid value: "x%": a valid percent string must be a numeric string followed by an '
             "ending '%' (e.g. '1%',  or '93%', regex used for validation is '[0-9]+%')"),
        ]),
    ],
)  # fmt: skip
def test_specs_that_are_refused(group, resource, version, spec, expected):
    """One rule each, worded as kube-apiserver words it."""
    assert refused(strategy(group, resource, version), spec) == expected


def test_claims_of_a_stateful_set_are_volumes_of_its_pods():
    """A container may mount what a claim brings."""
    mounting = copy.deepcopy(TEMPLATE)
    mounting["spec"]["containers"][0]["volumeMounts"] = [{"name": "data", "mountPath": "/d"}]  # type: ignore[index]
    sets = strategy("apps", "statefulsets")
    claims = [{"metadata": {"name": "data"}, "spec": {"accessModes": ["ReadWriteOnce"]}}]
    assert refused(sets, {**SELECTED, "template": mounting, "volumeClaimTemplates": claims}) == []
    assert refused(sets, {**SELECTED, "template": mounting}) == [
        'spec.template.spec.containers[0].volumeMounts[0].name: Not found: "data"'
    ]


def status_errors(made: Strategy, before: Any, after: Any) -> list[str]:
    old = filled(made, SELECTED) | {"status": before}
    return changed(made, old, copy.deepcopy(old) | {"status": after}, "status")


def test_statuses_count_pods_that_fit_together():
    """No part is larger than the whole, and collisions are never forgotten."""
    deployments, sets = strategy("apps", "deployments"), strategy("apps", "statefulsets")
    assert status_errors(
        deployments, {"collisionCount": 2}, {"replicas": 1, "readyReplicas": 2, "collisionCount": 1}
    ) == [
        "status.readyReplicas: Invalid value: 2: cannot be greater than status.replicas",
        "status.collisionCount: Invalid value: 1: cannot be decremented",
    ]
    assert status_errors(sets, {}, {"replicas": 2, "availableReplicas": 1}) == [
        "status.availableReplicas: Invalid value: 1: cannot be greater than status.readyReplicas"
    ]


def test_a_name_that_is_no_label_is_warned_of():
    """Pods are named after their workload, so its name had better be a DNS label."""
    deployments = strategy("apps", "deployments")
    obj = filled(deployments, SELECTED, metadata={"name": "a.b"})
    assert deployments.validate(obj) == []
    assert deployments.warnings(obj) == [
        (
            "metadata.name: this is used in Pod names and hostnames, which can result in surprising behavior; a DNS "
            "label is recommended: [must not contain dots]"
        )
    ]
    assert deployments.warnings(obj, copy.deepcopy(obj)) == []
