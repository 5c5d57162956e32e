"""NodeRestriction: what a kubelet may write, and that everybody else is left alone."""

from __future__ import annotations

from typing import Any

import pytest

from services.admission.plugins.node_restriction import NodeRestriction
from tests.services.admission.pods import pod, refusal
from tests.services.admission.requests import DictCluster, create, delete, update

Object = dict[str, Any]
KUBELET: Object = {"user": "system:node:n1", "groups": ("system:nodes", "system:authenticated")}
NODE = {"metadata": {"name": "n1", "uid": "u1"}}


def mirror(**spec: Any) -> Object:
    owner = {"apiVersion": "v1", "kind": "Node", "name": "n1", "uid": "u1", "controller": True}
    meta = {"annotations": {"kubernetes.io/config.mirror": "x"}, "ownerReferences": [owner]}
    return pod(metadata=meta, nodeName="n1", **spec)


@pytest.fixture
def plugin() -> NodeRestriction:
    here = pod("here", metadata={"namespace": "ns", "name": "here", "uid": "p1"}, nodeName="n1")
    there = pod("there", metadata={"namespace": "ns", "name": "there", "uid": "p2"}, nodeName="n2")
    return NodeRestriction(DictCluster().hold("", "nodes", NODE).hold("", "pods", here, there))


async def test_others_are_left_alone(plugin: NodeRestriction) -> None:
    """Users that are no nodes may write what they are authorized to."""
    assert not await refusal(plugin.admit, create("pods", pod(), namespace="ns"))
    assert not await refusal(plugin.admit, create("pods", pod(), namespace="ns", user="system:node:n1"))


@pytest.mark.parametrize(
    ("obj", "said"),
    [
        (mirror(), ""),
        (pod(nodeName="n1"), 'pod does not have "kubernetes.io/config.mirror" annotation'),
        (mirror() | {"spec": {"nodeName": "n2"}}, "with spec.nodeName set to itself"),
        (mirror(serviceAccountName="s"), "reference a service account"),
        (mirror(volumes=[{"name": "v", "secret": {"secretName": "s"}}]), "reference secrets"),
        (mirror(volumes=[{"name": "v", "configMap": {"name": "c"}}]), "reference configmaps"),
        (mirror(volumes=[{"name": "v", "persistentVolumeClaim": {"claimName": "c"}}]), "persistentvolumeclaims"),
    ],
)
async def test_mirror_pods_alone_are_created(plugin: NodeRestriction, obj: Object, said: str) -> None:
    """A node creates mirror pods of its own that refer to nothing else."""
    found = await refusal(plugin.admit, create("pods", obj, namespace="ns", **KUBELET))
    assert said in found
    assert bool(said) == bool(found)


async def test_own_pods_alone_are_deleted_and_evicted(plugin: NodeRestriction) -> None:
    """Pods of other nodes are none of its business."""
    assert not await refusal(plugin.admit, delete("pods", "here", namespace="ns", **KUBELET))
    assert "can only delete pods" in await refusal(plugin.admit, delete("pods", "there", namespace="ns", **KUBELET))
    evict = create("pods", {"metadata": {"name": "there"}}, namespace="ns", subresource="eviction", **KUBELET)
    assert "can only evict pods" in await refusal(plugin.admit, evict)
    exec_ = create("pods", {}, name="here", namespace="ns", subresource="binding", **KUBELET)
    assert 'unexpected pod subresource "binding"' in await refusal(plugin.admit, exec_)


async def test_status_of_pods(plugin: NodeRestriction) -> None:
    """The status of its own pods, and with it no labels."""
    old = pod("here", nodeName="n1")
    asked = update("pods", {**old, "status": {}}, old, namespace="ns", subresource="status", **KUBELET)
    assert not await refusal(plugin.admit, asked)
    labelled = pod("here", nodeName="n1", metadata={"name": "here", "labels": {"a": "b"}})
    asked = update("pods", labelled, old, namespace="ns", subresource="status", **KUBELET)
    assert "cannot update labels through pod status" in await refusal(plugin.admit, asked)


async def test_own_node_with_labels_of_kubelets(plugin: NodeRestriction) -> None:
    """Its own node, without the labels and taints that steer work."""
    assert not await refusal(plugin.admit, create("nodes", NODE, **KUBELET))
    other = {"metadata": {"name": "n2"}}
    assert 'is not allowed to modify node "n2"' in await refusal(plugin.admit, create("nodes", other, **KUBELET))
    marks = {"kubernetes.io/hostname": "n1", "node-restriction.kubernetes.io/x": "y", "mine": "too"}
    labelled = {"metadata": {"name": "n1", "labels": marks}}
    assert (await refusal(plugin.admit, create("nodes", labelled, **KUBELET))).endswith(
        'node "n1" is not allowed to set the following labels: node-restriction.kubernetes.io/x'
    )
    tainted = {**NODE, "spec": {"taints": [{"key": "a"}]}}
    assert "not allowed to modify taints" in await refusal(plugin.admit, update("nodes", NODE, tainted, **KUBELET))


async def test_leases_and_csi_nodes_by_name(plugin: NodeRestriction) -> None:
    """Those that bear its name, in their place."""
    lease = {"group": "coordination.k8s.io", **KUBELET}
    assert not await refusal(plugin.admit, create("leases", NODE, namespace="kube-node-lease", **lease))
    assert "system namespace" in await refusal(plugin.admit, create("leases", NODE, namespace="ns", **lease))
    asked = create("csinodes", {"metadata": {"name": "n2"}}, group="storage.k8s.io", **KUBELET)
    assert "can only access CSINode" in await refusal(plugin.admit, asked)


async def test_tokens_are_bound_to_own_pods(plugin: NodeRestriction) -> None:
    """A node gets tokens for its own pods alone."""

    async def asking(name: str, uid: str) -> str:
        bound = {"apiVersion": "v1", "kind": "Pod", "name": name, "uid": uid}
        review = {"spec": {"boundObjectRef": bound}}
        asked = create(
            "serviceaccounts", review, name="d", namespace="ns", subresource="token", kind="TokenRequest", **KUBELET
        )
        return await refusal(plugin.admit, asked)

    assert not await asking("here", "p1")
    assert "does not match the UID in record" in await asking("here", "p9")
    assert "scheduled on a different node" in await asking("there", "p2")
    assert "without a uid" in await asking("here", "")


async def test_claims_and_slices(plugin: NodeRestriction) -> None:
    """Of claims what nodes report, of resource slices its own."""
    old = {"metadata": {"name": "c"}, "status": {"phase": "Bound"}}
    new = {"metadata": {"name": "c"}, "status": {"phase": "Bound", "capacity": {"storage": "1Gi"}}}
    where: Object = {"namespace": "ns", "subresource": "status", **KUBELET}
    assert not await refusal(plugin.admit, update("persistentvolumeclaims", new, old, **where))
    lost = {"metadata": {"name": "c"}, "status": {"phase": "Lost"}}
    assert "is not allowed to update fields" in await refusal(
        plugin.admit, update("persistentvolumeclaims", lost, old, **where)
    )
    slice_ = {"metadata": {"name": "s"}, "spec": {"nodeName": "n2"}}
    asked = create("resourceslices", slice_, group="resource.k8s.io", **KUBELET)
    assert "can only create ResourceSlice" in await refusal(plugin.admit, asked)
