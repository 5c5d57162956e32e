"""What kubelets may do."""

from __future__ import annotations

from typing import Any

import pytest

from kubehop.pb.authorization.v1 import DECISION_ALLOW, SELECTOR_OPERATOR_IN, SELECTOR_OPERATOR_NOT_IN
from services.authorization.attributes import Attributes, Requirement, Verdict
from services.authorization.authorizers.node import NodeAuthorizer
from services.authorization.node_graph import NodeGraph, Vertex
from tests.services.authorization.policies import ask

NODE = {"username": "system:node:n1", "groups": ("system:nodes",)}


def pod(
    name: str, node: str = "n1", *, uid: str = "u", spec: dict[str, Any] | None = None, **rest: Any
) -> dict[str, Any]:
    metadata = {"name": name, "namespace": "a", "uid": uid} | rest.pop("metadata", {})
    return {"metadata": metadata, "spec": {"nodeName": node, "serviceAccountName": "sa"} | (spec or {}), **rest}


EVERYTHING = {
    "imagePullSecrets": [{"name": "pull"}],
    "initContainers": [{"env": [{"valueFrom": {"secretKeyRef": {"name": "env-secret"}}}]}],
    "containers": [
        {
            "envFrom": [{"configMapRef": {"name": "from-map"}}, {"secretRef": {"name": "from-secret"}}],
            "env": [{"value": "x"}, {"valueFrom": {"configMapKeyRef": {"name": "env-map"}}}],
        }
    ],
    "volumes": [
        {"name": "v1", "secret": {"secretName": "volume-secret"}},
        {"name": "v2", "configMap": {"name": "volume-map"}},
        {"name": "v3", "persistentVolumeClaim": {"claimName": "claim"}},
        {"name": "v4", "ephemeral": {"volumeClaimTemplate": {}}},
        {"name": "v5", "projected": {"sources": [{"secret": {"name": "p-secret"}}, {"configMap": {"name": "p-map"}}]}},
        {"name": "v6", "csi": {"driver": "d", "nodePublishSecretRef": {"name": "csi-secret"}}},
        {"name": "v7", "azureFile": {"secretName": "azure"}},
        {"name": "v8", "emptyDir": {}},
    ],
    "resourceClaims": [
        {"name": "c1", "resourceClaimName": "direct"},
        {"name": "c2", "resourceClaimTemplateName": "t"},
        {"name": "c3", "resourceClaimTemplateName": "t"},
    ],
}
STATUS = {
    "resourceClaimStatuses": [{"name": "c2", "resourceClaimName": "made"}, {"name": "c3"}],
    "extendedResourceClaimStatus": {"resourceClaimName": "extended"},
}
RELATED = [
    *(
        (Vertex.SECRET, name)
        for name in ("pull", "env-secret", "from-secret", "volume-secret", "p-secret", "csi-secret", "azure")
    ),
    *((Vertex.CONFIG_MAP, name) for name in ("from-map", "env-map", "volume-map", "p-map")),
    *((Vertex.VOLUME_CLAIM, name) for name in ("claim", "own-v4")),
    *((Vertex.RESOURCE_CLAIM, name) for name in ("direct", "made", "extended")),
    (Vertex.SERVICE_ACCOUNT, "sa"),
    (Vertex.POD, "own"),
]


@pytest.fixture
def graph() -> NodeGraph:
    graph = NodeGraph()
    graph.set_pod(pod("own", spec=EVERYTHING, status=STATUS))
    return graph


@pytest.mark.parametrize(("vertex", "name"), RELATED)
def test_a_pod_relates_what_it_refers_to_until_it_is_gone(graph: NodeGraph, vertex: Vertex, name: str) -> None:
    """Every kind of reference counts, for its node alone, and not longer than the pod lives."""
    assert graph.related("n1", vertex, "a", name)
    assert not graph.related("n2", vertex, "a", name)
    assert not graph.related("n1", vertex, "b", name)
    graph.set_pod(pod("other", "n2", spec=EVERYTHING, status=STATUS))
    assert graph.related("n2", vertex, "a", name) is (name != "own" and name != "own-v4")
    graph.remove_pod("a", "own")
    assert not graph.related("n1", vertex, "a", name)
    graph.remove_pod("a", "other")
    assert not graph._nodes_of


def test_a_pod_without_a_node_relates_nothing() -> None:
    """What is not scheduled is nobody's."""
    graph = NodeGraph()
    graph.set_pod(pod("p", ""))
    assert not graph.related("", Vertex.POD, "a", "p")
    graph.set_pod(pod("p", "n1"))
    assert graph.related("n1", Vertex.POD, "a", "p")


def test_a_mirror_pod_relates_only_itself() -> None:
    """A node could make it up, so that it gives nothing."""
    graph = NodeGraph()
    graph.set_pod(pod("m", spec=EVERYTHING, metadata={"annotations": {"kubernetes.io/config.mirror": "x"}}))
    assert graph.related("n1", Vertex.POD, "a", "m")
    assert not graph.related("n1", Vertex.SECRET, "a", "pull")


def test_claims_that_are_made_later_are_related_then(graph: NodeGraph) -> None:
    """A status update with a new resource claim is taken in, others cost nothing."""
    assert not graph.related("n1", Vertex.RESOURCE_CLAIM, "a", "late")
    later = {"resourceClaimStatuses": [{"name": "c3", "resourceClaimName": "late"}]}
    graph.set_pod(pod("own", spec=EVERYTHING, status=later))
    assert graph.related("n1", Vertex.RESOURCE_CLAIM, "a", "late")
    assert not graph.related("n1", Vertex.RESOURCE_CLAIM, "a", "made")


def test_a_claim_relates_its_volume_and_that_its_secrets(graph: NodeGraph) -> None:
    """pod -> claim -> volume -> secret; a controller's secrets are not the node's."""
    csi = {
        "nodeStageSecretRef": {"namespace": "sec", "name": "stage"},
        "controllerPublishSecretRef": {"namespace": "sec", "name": "controller"},
    }
    claimed = {"metadata": {"name": "pv"}, "spec": {"claimRef": {"namespace": "a", "name": "claim"}, "csi": csi}}
    graph.set_volume(claimed)
    assert graph.related("n1", Vertex.VOLUME, "", "pv")
    assert not graph.related("n2", Vertex.VOLUME, "", "pv")
    assert graph.related("n1", Vertex.SECRET, "sec", "stage")
    assert not graph.related("n1", Vertex.SECRET, "sec", "controller")
    azure = {"azureFile": {"secretName": "share"}}
    graph.set_volume({"metadata": {"name": "pv"}, "spec": {"claimRef": {"namespace": "a", "name": "claim"}} | azure})
    assert graph.related("n1", Vertex.SECRET, "a", "share")
    assert not graph.related("n1", Vertex.SECRET, "sec", "stage")
    graph.set_volume({"metadata": {"name": "pv"}, "spec": {"csi": csi}})
    assert not graph.related("n1", Vertex.VOLUME, "", "pv")


def test_attachments_and_slices_name_their_node_themselves(graph: NodeGraph) -> None:
    """They belong to the node that they name."""
    graph.set_owner(Vertex.VOLUME_ATTACHMENT, "va", "n1")
    assert graph.related("n1", Vertex.VOLUME_ATTACHMENT, "", "va")
    graph.set_owner(Vertex.VOLUME_ATTACHMENT, "va", "")
    assert not graph.related("n1", Vertex.VOLUME_ATTACHMENT, "", "va")


def selecting(field: str, value: str, operator: int = SELECTOR_OPERATOR_IN) -> dict[str, Any]:
    return {"field_selector": (Requirement(field, operator, (value,)),)}


NOT_RELATED = "no relationship found between node 'n1' and this object"
COORDINATION = {"api_group": "coordination.k8s.io"}
STORAGE = {"api_group": "storage.k8s.io"}
RESOURCE = {"api_group": "resource.k8s.io"}


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        (ask("get", "secrets", namespace="a", name="pull", **NODE), True),
        (ask("watch", "secrets", namespace="a", name="pull", **NODE), True),
        (ask("get", "secrets", namespace="a", name="other", **NODE), NOT_RELATED),
        (ask("list", "secrets", namespace="a", **NODE), "No Object name found"),
        (ask("list", "secrets", name="pull", **NODE), "can only read namespaced object of this type"),
        (ask("update", "secrets", namespace="a", name="pull", **NODE), "can only read resources of this type"),
        (ask("get", "configmaps/x", namespace="a", name="env-map", **NODE), "cannot read subresource"),
        (ask("get", "persistentvolumeclaims", namespace="a", name="claim", **NODE), True),
        (
            ask("list", "persistentvolumeclaims", namespace="a", **NODE),
            "can only get individual resources of this type",
        ),
        (ask("patch", "persistentvolumeclaims/status", namespace="a", name="claim", **NODE), True),
        (
            ask("get", "persistentvolumeclaims/status", namespace="a", name="claim", **NODE),
            "can only get/update/patch this type",
        ),
        (ask("get", "persistentvolumes/status", name="pv", **NODE), "cannot get subresource"),
        (ask("get", "resourceclaims", namespace="a", name="direct", **RESOURCE, **NODE), True),
        (ask("create", "serviceaccounts/token", namespace="a", name="sa", **NODE), True),
        (ask("create", "serviceaccounts/token", namespace="a", name="x", **NODE), NOT_RELATED),
        (
            ask("create", "serviceaccounts", namespace="a", name="sa", **NODE),
            "can only create token subresource of serviceaccount",
        ),
        (
            ask("delete", "serviceaccounts", namespace="a", name="sa", **NODE),
            "can only create tokens for individual service accounts",
        ),
        (ask("get", "serviceaccounts", namespace="a", name="sa", **NODE), True),
        (ask("get", "leases", namespace="kube-node-lease", name="n1", **COORDINATION, **NODE), True),
        (ask("create", "leases", namespace="kube-node-lease", **COORDINATION, **NODE), True),
        (
            ask("get", "leases", namespace="kube-node-lease", name="n2", **COORDINATION, **NODE),
            "can only access node lease with the same name as the requesting node",
        ),
        (
            ask("get", "leases", namespace="a", name="n1", **COORDINATION, **NODE),
            'can only access leases in the "kube-node-lease" system namespace',
        ),
        (
            ask("list", "leases", namespace="kube-node-lease", **COORDINATION, **NODE),
            "can only get, create, update, patch, or delete a node lease",
        ),
        (ask("patch", "csinodes", name="n1", **STORAGE, **NODE), True),
        (
            ask("get", "csinodes", name="n2", **STORAGE, **NODE),
            "can only access CSINode with the same name as the requesting node",
        ),
        (ask("get", "csinodes/x", name="n1", **STORAGE, **NODE), "cannot authorize CSINode subresources"),
        (ask("list", "csinodes", **STORAGE, **NODE), "can only get, create, update, patch, or delete a CSINode"),
        (ask("create", "resourceslices", **RESOURCE, **NODE), True),
        (ask("list", "resourceslices", **RESOURCE, **NODE, **selecting("nodeName", "n1")), True),
        (
            ask("list", "resourceslices", **RESOURCE, **NODE),
            "can only list/watch/deletecollection resourceslices with nodeName field selector",
        ),
        (ask("get", "resourceslices", name="s", **RESOURCE, **NODE), NOT_RELATED),
        (ask("get", "nodes", name="n1", **NODE), True),
        (ask("get", "nodes", name="n2", **NODE), "node 'n1' cannot read 'n2', only its own Node object"),
        (ask("list", "nodes", **NODE), "node 'n1' cannot read all nodes, only its own Node object"),
        (ask("create", "nodes", **NODE), True),
        (ask("patch", "nodes/status", name="n1", **NODE), True),
        (ask("delete", "nodes", name="n1", **NODE), ""),
        (ask("get", "pods", namespace="a", name="own", **NODE), True),
        (ask("get", "pods", namespace="a", name="other", **NODE), NOT_RELATED),
        (ask("list", "pods", **NODE, **selecting("spec.nodeName", "n1")), True),
        (
            ask("list", "pods", **NODE, **selecting("spec.nodeName", "n2")),
            "can only list/watch pods with spec.nodeName field selector",
        ),
        (
            ask("list", "pods", **NODE, **selecting("spec.nodeName", "n1", SELECTOR_OPERATOR_NOT_IN)),
            "can only list/watch pods with spec.nodeName field selector",
        ),
        (ask("watch", "pods", namespace="a", name="own", **NODE), True),
        (ask("delete", "pods", namespace="a", name="whatever", **NODE), True),
        (ask("create", "pods/eviction", namespace="a", name="whatever", **NODE), True),
        (ask("get", "pods/log", namespace="a", name="own", **NODE), ""),
        (ask("list", "services", **NODE), True),
        (ask("list", "deployments", api_group="apps", namespace="a", **NODE), ""),
        (ask("get", path="/healthz", **NODE), ""),
        (ask("get", "nodes", name="n1", username="system:node:n1"), ""),
        (ask("get", "nodes", name="n1", username="n1", groups=("system:nodes",)), ""),
        (
            ask("get", "nodes", username="system:node:", groups=("system:nodes",)),
            'unknown node for user "system:node:"',
        ),
    ],
)
def test_a_node_may_do_what_kube_apiserver_lets_it(graph: NodeGraph, question: Attributes, answer: bool | str) -> None:
    """Allowed, or the reason word for word."""
    verdict = NodeAuthorizer(graph).authorize(question)
    assert isinstance(verdict, Verdict)
    if answer is True:
        assert verdict.decision == DECISION_ALLOW
    else:
        assert verdict.decision != DECISION_ALLOW
        assert verdict.reason == answer


def test_rules_of_a_node_cannot_be_listed() -> None:
    """They depend on the objects; for everybody else there is nothing to list."""
    authorizer = NodeAuthorizer(NodeGraph())
    rules = authorizer.rules(NODE["username"], NODE["groups"], "a")
    assert rules.incomplete
    assert list(rules.errors) == ["node authorizer does not support user rule resolution"]
    assert not authorizer.rules("alice", (), "a").incomplete
