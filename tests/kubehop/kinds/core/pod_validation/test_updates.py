"""What may change in a pod, and what may not."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from tests.kubehop.kinds.validating import changed, filled, strategy

PODS = strategy("", "pods")
SPEC: dict[str, Any] = {
    "serviceAccountName": "default",
    "containers": [
        {"name": "c", "image": "i", "resources": {"requests": {"cpu": "1"}, "limits": {"cpu": "2", "memory": "1Gi"}}}
    ],
}


def update(subresource: str = "", before: Any = None, **after: Any) -> list[str]:
    old = filled(PODS, {**SPEC, **(before or {})})
    new = copy.deepcopy(old)
    for key, value in after.items():
        (new if key == "status" else new["spec"])[key] = value
    return changed(PODS, old, new, subresource)


def test_images_deadlines_and_tolerations_may_change():
    """What may change is taken."""
    containers = copy.deepcopy(SPEC["containers"])
    old = filled(PODS, SPEC)
    new = copy.deepcopy(old)
    new["spec"]["containers"][0]["image"] = "other"
    new["spec"]["activeDeadlineSeconds"] = 5
    new["spec"]["tolerations"] = [{"key": "a", "operator": "Exists"}]
    assert changed(PODS, old, new) == []
    assert containers == SPEC["containers"]


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ({}, {"nodeName": "n"}, "spec: Forbidden: pod updates may not change fields other than"),
        ({"activeDeadlineSeconds": 5}, {"activeDeadlineSeconds": 6},
         "spec.activeDeadlineSeconds: Invalid value: 6: must be less than or equal to previous value"),
        ({"tolerations": [{"key": "a", "operator": "Exists"}]}, {"tolerations": []},
         "spec.tolerations: Forbidden: existing toleration can not be modified except its tolerationSeconds"),
        ({"schedulingGates": [{"name": "a"}]}, {"schedulingGates": [{"name": "b"}]},
         "spec.schedulingGates[0].name: Forbidden: only deletion is allowed, but found new scheduling gate 'b'"),
        ({"schedulingGates": [{"name": "a"}], "nodeSelector": {"x": "y"}}, {"nodeSelector": {"x": "z"}},
         'spec.nodeSelector: Invalid value: {"x":"z"}: only additions to spec.nodeSelector are allowed'),
    ],
)  # fmt: skip
def test_other_changes_are_refused(before, after, expected):
    """Everything else is refused, in kube-apiserver's words."""
    (error,) = update(before=before, **after)
    assert error.startswith(expected)


def test_a_pod_that_waits_may_be_narrowed():
    """Further labels of nodes may be wanted while gates hold the pod back, gates may go."""
    gated = {"schedulingGates": [{"name": "a"}], "nodeSelector": {"x": "y"}}
    assert update(before=gated, nodeSelector={"x": "y", "z": "w"}, schedulingGates=[]) == []


def test_debugging_containers_stay_as_they_are():
    """They are added, never changed."""
    first = {"name": "d", "image": "i", "imagePullPolicy": "Always", "terminationMessagePolicy": "File"}
    old = filled(PODS, SPEC)
    old["spec"]["ephemeralContainers"] = [first]
    new = copy.deepcopy(old)
    new["spec"]["ephemeralContainers"].append({**first, "name": "e"})
    assert changed(PODS, old, new, "ephemeralcontainers") == []
    new["spec"]["ephemeralContainers"][0]["image"] = "j"
    (error,) = changed(PODS, old, new, "ephemeralcontainers")
    assert error.startswith(
        'spec.ephemeralContainers: Forbidden: existing ephemeral containers "d" may not be changed\n'
    )


@pytest.mark.parametrize(
    ("resources", "expected"),
    [
        ({"requests": {"cpu": "1500m"}, "limits": {"cpu": "2", "memory": "2Gi"}}, []),
        ({"requests": {"cpu": "1"}, "limits": {"cpu": "2"}},
         ["spec.containers[0].resources.limits: Forbidden: resource limits cannot be removed"]),
        ({"requests": {"cpu": "1", "example.com/g": 1}, "limits": {"cpu": "2", "memory": "1Gi", "example.com/g": 1}},
         ["spec: Forbidden: only cpu and memory resources are mutable"]),
        ({"requests": {"cpu": "2", "memory": "1Gi"}, "limits": {"cpu": "2", "memory": "1Gi"}},
         ['spec: Invalid value: "Burstable": Pod QOS Class may not change as a result of resizing']),
    ],
)  # fmt: skip
def test_resources_change_by_resize(resources, expected):
    """Cpu and memory may change, and the class of service may not."""
    whole = {"requests": {"memory": "512Mi", **resources["requests"]}, "limits": resources["limits"]}
    before = {"containers": [{**SPEC["containers"][0], "resources": {
        "requests": {"cpu": "1", "memory": "512Mi"}, "limits": {"cpu": "2", "memory": "1Gi"},
    }}]}  # fmt: skip
    old = filled(PODS, {**SPEC, **before})
    new = copy.deepcopy(old)
    new["spec"]["containers"][0]["resources"] = whole
    assert changed(PODS, old, new, "resize") == expected


def test_a_status_that_contradicts_itself():
    """Addresses, ended containers and the class of service."""
    old = filled(PODS, {**SPEC, "restartPolicy": "Never"})
    old["status"]["containerStatuses"] = [{"name": "c", "state": {"terminated": {"exitCode": 1}}}]
    new = copy.deepcopy(old)
    new["status"]["containerStatuses"] = [{"name": "c", "state": {"running": {}}}]
    new["status"].update(qosClass="Guaranteed", podIP="x", podIPs=[{"ip": "x"}], hostIPs=[{"ip": "10.0.0.1"}])
    assert changed(PODS, old, new, "status") == [
        'status.qosClass: Invalid value: "Guaranteed": field is immutable',
        "status.containerStatuses[0].state: Forbidden: may not be transitioned to non-terminated state",
        'status.podIPs[0]: Invalid value: "x": must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)',
        'status.hostIPs[0].ip: Invalid value: "10.0.0.1": must be equal to `hostIP`',
    ]
