"""What strategies keep, count and refuse."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from kubehop.kinds import catalogue
from kubehop.kinds.strategy import Strategy, Writer, strategy_for


def strategy(group: str, resource: str, version: str = "v1") -> Strategy:
    row = catalogue.lookup(group, version, resource)
    assert row is not None
    return strategy_for(row)


@pytest.fixture
def deployment() -> dict[str, Any]:
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "web", "namespace": "a", "generation": 4, "resourceVersion": "1", "labels": {"x": "y"}},
        "spec": {
            "replicas": 1,
            "selector": {"matchLabels": {"app": "web"}},
            "template": {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [{"name": "c", "image": "i"}]}},
        },
        "status": {"replicas": 1},
    }


@pytest.mark.parametrize("row", catalogue.RESOURCES, ids=lambda row: f"{row.api_version}/{row.name}")
def test_every_strategy_takes_an_almost_empty_object(row):
    """Defaults and preparation never fail on what is missing."""
    made = strategy_for(row)
    obj: dict[str, Any] = {"apiVersion": row.api_version, "kind": row.kind, "metadata": {"name": "a", "uid": "u"}}
    made.default(obj)
    made.prepare_for_create(obj)
    again = copy.deepcopy(obj)
    made.default(again)
    assert again == obj  # defaults of what is filled in already change nothing
    made.prepare_for_update(again, obj)
    made.validate(again)
    made.validate_update(again, obj)


def test_a_new_object_has_no_status_and_the_first_generation(deployment):
    """What a client says of the status of a new object is dropped."""
    strategy("apps", "deployments").prepare_for_create(deployment)
    assert "status" not in deployment
    assert deployment["metadata"]["generation"] == 1


def test_an_update_keeps_the_status_and_counts_changes_of_the_spec(deployment):
    """Labels are no new generation, a changed spec is."""
    deployments = strategy("apps", "deployments")
    labelled = copy.deepcopy(deployment) | {"status": {"replicas": 9}}
    labelled["metadata"]["labels"] = {"x": "z"}
    deployments.prepare_for_update(labelled, deployment)
    assert labelled["status"] == {"replicas": 1}
    assert labelled["metadata"]["generation"] == 4
    scaled = copy.deepcopy(deployment)
    scaled["spec"]["replicas"] = 2
    deployments.prepare_for_update(scaled, deployment)
    assert scaled["metadata"]["generation"] == 5


def test_a_status_update_keeps_everything_else(deployment):
    """Spec and, for deployments, labels do not change through the status subresource."""
    new = copy.deepcopy(deployment) | {"status": {"replicas": 3}, "spec": {}}
    new["metadata"]["labels"] = {"other": "label"}
    strategy("apps", "deployments").prepare_for_update(new, deployment, "status")
    assert new["spec"] == deployment["spec"]
    assert new["status"] == {"replicas": 3}
    assert new["metadata"]["labels"] == {"x": "y"}
    assert new["metadata"]["generation"] == 4


def test_selectors_are_immutable(deployment):
    """A deployment keeps its selector, in kube-apiserver's words."""
    strategy("apps", "deployments").default(deployment)
    new = copy.deepcopy(deployment)
    new["spec"]["selector"] = {"matchLabels": {"app": "web", "tier": "x"}}
    new["spec"]["template"]["metadata"]["labels"]["tier"] = "x"
    (error,) = strategy("apps", "deployments").validate_update(new, deployment)
    assert str(error) == ('spec.selector: Invalid value: {"matchLabels":{"app":"web","tier":"x"}}: field is immutable')


def test_fields_of_stateful_sets_that_may_change():
    """All but a few fields of the spec are fixed."""
    old = {
        "metadata": {"name": "db", "namespace": "a", "resourceVersion": "1"},
        "spec": {
            "serviceName": "db",
            "replicas": 1,
            "selector": {"matchLabels": {"a": "b"}},
            "template": {"metadata": {"labels": {"a": "b"}}, "spec": {"containers": [{"name": "c", "image": "i"}]}},
        },
    }
    sets = strategy("apps", "statefulsets")
    sets.default(old)
    new = copy.deepcopy(old)
    new["spec"]["replicas"] = 3
    assert sets.validate_update(new, old) == []
    new["spec"]["serviceName"] = "other"
    (error,) = sets.validate_update(new, old)
    assert str(error) == (
        "spec: Forbidden: updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template',"
        " 'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are"
        " forbidden"
    )


def test_immutable_config_maps_and_secrets():
    """What was declared immutable stays, declaration and data."""
    old = {
        "metadata": {"name": "c", "namespace": "a", "resourceVersion": "1"},
        "immutable": True,
        "data": {"a": "b"},
    }
    new = {"metadata": old["metadata"], "data": {"a": "c"}}
    assert [str(error) for error in strategy("", "configmaps").validate_update(new, old)] == [
        "immutable: Forbidden: field is immutable when `immutable` is set",
        "data: Forbidden: field is immutable when `immutable` is set",
    ]


def test_secret_texts_become_bytes():
    """stringData is merged into data and goes."""
    secret: dict[str, Any] = {"metadata": {"name": "s"}, "stringData": {"a": "1"}, "data": {"b": "Mg=="}}
    strategy("", "secrets").default(secret)
    assert secret["data"] == {"a": "MQ==", "b": "Mg=="}
    assert secret["type"] == "Opaque"
    assert "stringData" not in secret


def test_namespaces_are_labelled_active_and_held():
    """A namespace carries its name as a label and a finalizer that keeps it until it is empty."""
    namespaces = strategy("", "namespaces")
    namespace: dict[str, Any] = {"metadata": {"name": "a"}}
    namespaces.default(namespace)
    namespaces.prepare_for_create(namespace)
    assert namespace["metadata"]["labels"] == {"kubernetes.io/metadata.name": "a"}
    assert namespace["status"] == {"phase": "Active"}
    assert namespaces.holds(namespace)
    namespaces.on_delete(namespace)
    assert namespace["status"] == {"phase": "Terminating"}
    emptied = copy.deepcopy(namespace) | {"spec": {"finalizers": []}}
    namespaces.prepare_for_update(emptied, namespace, "finalize")
    assert not namespaces.holds(emptied)
    assert emptied["status"] == {"phase": "Terminating"}


@pytest.mark.parametrize(
    ("resources", "expected"),
    [
        ([{}], "BestEffort"),
        ([{"requests": {"cpu": "1"}}], "Burstable"),
        ([{"requests": {"cpu": "1", "memory": "1Gi"}, "limits": {"cpu": "1000m", "memory": "1Gi"}}], "Guaranteed"),
        ([{"requests": {"cpu": "1", "memory": "1Gi"}, "limits": {"cpu": "1", "memory": "1Gi"}}, {}], "Burstable"),
        ([{"requests": {"example.com/gpu": "1"}}], "BestEffort"),
    ],
)
def test_quality_of_service(resources, expected):
    """The class follows requests and limits of cpu and memory."""
    pod: dict[str, Any] = {
        "metadata": {"name": "p"},
        "spec": {"containers": [{"name": str(i), "resources": one} for i, one in enumerate(resources)]},
    }
    strategy("", "pods").prepare_for_create(pod)
    assert pod["status"] == {"phase": "Pending", "qosClass": expected}


@pytest.mark.parametrize(
    ("spec", "status", "requested", "expected"),
    [
        ({"nodeName": "n", "terminationGracePeriodSeconds": 20}, {}, None, 20),
        ({"nodeName": "n", "terminationGracePeriodSeconds": 20}, {}, 5, 5),
        ({"nodeName": "n"}, {}, -1, 1),
        ({}, {}, 30, 0),
        ({"nodeName": "n"}, {"phase": "Failed"}, None, 0),
    ],
)
def test_grace_periods_of_pods(spec, status, requested, expected):
    """A pod waits as long as it asks for, unless nothing runs."""
    pod = {"metadata": {"name": "p"}, "spec": spec, "status": status}
    assert strategy("", "pods").grace_period(pod, requested) == expected
    assert strategy("", "configmaps").grace_period({}, 5) is None


def test_pods_change_their_images_and_little_else():
    """Another image is fine, another command is not."""
    old = {
        "metadata": {"name": "p", "namespace": "a", "resourceVersion": "1"},
        "spec": {"containers": [{"name": "c", "image": "a:1"}]},
    }
    pods = strategy("", "pods")
    pods.default(old)
    new = copy.deepcopy(old)
    new["spec"]["containers"][0]["image"] = "a:2"
    assert pods.validate_update(new, old) == []
    new["spec"]["containers"][0]["command"] = ["x"]
    (error,) = pods.validate_update(new, old)
    assert str(error).startswith("spec: Forbidden: pod updates may not change fields other than")
    new["spec"]["containers"] = []
    texts = [str(error) for error in pods.validate_update(new, old)]
    assert texts == [
        "spec.containers: Required value",
        "spec.containers: Forbidden: pod updates may not add or remove containers",
    ]


def test_a_service_keeps_what_was_allocated():
    """An update that says nothing of the address and the node ports leaves them."""
    old = {
        "metadata": {"name": "s", "namespace": "a", "resourceVersion": "1"},
        "spec": {
            "type": "NodePort",
            "clusterIP": "10.96.0.7",
            "clusterIPs": ["10.96.0.7"],
            "ipFamilies": ["IPv4"],
            "ipFamilyPolicy": "SingleStack",
            "ports": [{"name": "a", "port": 80, "protocol": "TCP", "targetPort": 80, "nodePort": 30080}],
        },
    }
    made = strategy("", "services")
    ports = [{"name": name, "port": port, "protocol": "TCP"} for name, port in (("a", 80), ("b", 81))]
    new: dict[str, Any] = {"metadata": old["metadata"], "spec": {"type": "NodePort", "ports": ports}}
    made.default(old)
    made.default(new)
    made.prepare_for_update(new, old)
    assert new["spec"]["clusterIP"] == "10.96.0.7"
    assert new["spec"]["ports"][0]["nodePort"] == 30080
    assert "nodePort" not in new["spec"]["ports"][1]
    assert made.validate_update(new, old) == []
    back = copy.deepcopy(old)
    back["spec"]["type"] = "ClusterIP"
    made.prepare_for_update(back, old)
    assert "nodePort" not in back["spec"]["ports"][0]
    moved = copy.deepcopy(old)
    moved["spec"]["clusterIP"] = "10.96.0.8"
    (error,) = made.validate_update(moved, old)
    text = 'spec.clusterIPs: Invalid value: ["10.96.0.7"]: first value must match `clusterIP`'
    assert str(error) == text


def test_signing_requests_say_who_asks():
    """The requester is written down, whatever the client says."""
    request: dict[str, Any] = {"metadata": {"name": "r"}, "spec": {"username": "root", "uid": "0"}}
    strategy("certificates.k8s.io", "certificatesigningrequests").prepare_for_create(
        request, Writer("jane", groups=("devs",))
    )
    assert request["spec"] == {"username": "jane", "groups": ["devs"]}


def test_approval_and_status_are_kept_apart():
    """The approval path issues no certificate, the status path keeps approval as it is; nothing is taken back."""
    requests = strategy("certificates.k8s.io", "certificatesigningrequests")
    approved = {"type": "Approved", "status": "True", "lastUpdateTime": "t", "lastTransitionTime": "t"}
    failed = {**approved, "type": "Failed"}
    old = {"metadata": {"name": "r"}, "spec": {}, "status": {"conditions": [failed]}}
    new: dict[str, Any] = {"metadata": {}, "spec": {}, "status": {"conditions": [approved], "certificate": "x"}}
    requests.prepare_for_update(new, old, "approval")
    assert new["status"] == {"conditions": [approved]}
    texts = [str(error) for error in requests.validate_update(new, old, "approval")]
    assert 'status.conditions: Forbidden: updates may not remove a condition of type "Failed"' in texts
    old["status"]["conditions"] = [approved]
    again = {"metadata": {}, "status": {"conditions": [{**approved, "message": "m"}], "certificate": "x"}}
    requests.prepare_for_update(again, old, "status")
    assert again["status"]["conditions"] == [approved]


def test_reset_fields_name_what_a_path_cannot_change():
    """Nobody comes to own a field through a path that drops it."""
    deployments = strategy("apps", "deployments")
    assert deployments.reset_fields() == (("status",),)
    assert deployments.reset_fields("status") == (("spec",), ("metadata", "labels"))
    assert strategy("", "configmaps").reset_fields() == ()


def test_role_references_are_fixed():
    """A binding stays with its role."""
    bindings = strategy("rbac.authorization.k8s.io", "rolebindings")
    old = {
        "metadata": {"name": "b", "namespace": "a", "resourceVersion": "1"},
        "roleRef": {"kind": "Role", "name": "x"},
    }
    bindings.default(old)
    new = copy.deepcopy(old)
    new["roleRef"]["name"] = "y"
    (error,) = bindings.validate_update(new, old)
    assert str(error) == (
        'roleRef: Invalid value: {"APIGroup":"rbac.authorization.k8s.io","Kind":"Role","Name":"y"}:'
        " cannot change roleRef"
    )
