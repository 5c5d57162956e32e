"""Plugins of pods and nodes that need little: tolerations, taints, pulls, affinities, selectors, topology, runtimes."""

from __future__ import annotations

import pytest

from services.admission.plugins.always_pull_images import AlwaysPullImages
from services.admission.plugins.default_toleration_seconds import DefaultTolerationSeconds
from services.admission.plugins.extended_resource_toleration import ExtendedResourceToleration
from services.admission.plugins.limit_pod_hard_anti_affinity_topology import LimitPodHardAntiAffinityTopology
from services.admission.plugins.pod_node_selector import ANNOTATION, PodNodeSelector
from services.admission.plugins.pod_topology_labels import PodTopologyLabels
from services.admission.plugins.runtime_class import RuntimeClass
from services.admission.plugins.taint_nodes_by_condition import TaintNodesByCondition
from services.admission.pods import merge_tolerations
from tests.services.admission.pods import pod, refusal
from tests.services.admission.requests import DictCluster, create, namespace, update

NOT_READY = {
    "key": "node.kubernetes.io/not-ready",
    "operator": "Exists",
    "effect": "NoExecute",
    "tolerationSeconds": 300,
}
UNREACHABLE = {**NOT_READY, "key": "node.kubernetes.io/unreachable"}
OWN = {**NOT_READY, "tolerationSeconds": 30}
NO_SCHEDULE = {"key": "node.kubernetes.io/unreachable", "operator": "Exists", "effect": "NoSchedule"}
EVERYTHING = {"operator": "Exists"}


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ([], [NOT_READY, UNREACHABLE]),
        ([OWN], [OWN, UNREACHABLE]),
        ([EVERYTHING], [EVERYTHING]),
        ([NO_SCHEDULE], [NO_SCHEDULE, NOT_READY, UNREACHABLE]),
        (
            [UNREACHABLE, {"key": "x", "operator": "Exists"}],
            [UNREACHABLE, {"key": "x", "operator": "Exists"}, NOT_READY],
        ),
    ],
)
async def test_default_tolerations(given, expected):
    """What the pod lacks is added at the end, what it says stays."""
    attributes = create("pods", pod(tolerations=given), namespace="n")
    await DefaultTolerationSeconds().admit(attributes)
    assert attributes.object["spec"]["tolerations"] == expected


@pytest.mark.parametrize(
    ("taints", "added"),
    [
        (None, True),
        ([{"key": "dedicated", "value": "gpu", "effect": "NoSchedule"}], True),
        ([{"key": "node.kubernetes.io/not-ready", "effect": "NoSchedule"}], False),
        ([{"key": "node.kubernetes.io/not-ready", "effect": "NoExecute"}], True),
    ],
)
async def test_new_nodes_are_tainted_as_not_ready(taints, added):
    """Once, and beside the taints that they bring."""
    node = {"metadata": {"name": "node"}, "spec": {"taints": taints} if taints else {}}
    attributes = create("nodes", node)
    await TaintNodesByCondition().admit(attributes)
    new = [{"key": "node.kubernetes.io/not-ready", "effect": "NoSchedule"}] if added else []
    assert attributes.object["spec"]["taints"] == [*(taints or []), *new]


async def test_images_are_always_pulled():
    """Every container and image volume, but not on an update that brings no new image."""
    whole = pod(
        initContainers=[{"name": "i", "image": "x", "imagePullPolicy": "Never"}],
        volumes=[{"name": "v", "image": {"reference": "r", "pullPolicy": "IfNotPresent"}}],
    )
    attributes = create("pods", whole, namespace="n")
    await AlwaysPullImages().admit(attributes)
    spec = attributes.object["spec"]
    assert {c["imagePullPolicy"] for c in (*spec["containers"], *spec["initContainers"])} == {"Always"}
    assert spec["volumes"][0]["image"]["pullPolicy"] == "Always"
    assert await refusal(AlwaysPullImages().validate, attributes) == ""
    assert "Unsupported value" in await refusal(AlwaysPullImages().validate, create("pods", whole, namespace="n"))
    assert await AlwaysPullImages().admit(update("pods", whole, whole, namespace="n")) is None


async def test_anti_affinity_is_over_hosts_only():
    """A required term over zones is refused."""

    def affinity(key):
        terms = [{"topologyKey": key}]
        return {"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": terms}}

    judge = LimitPodHardAntiAffinityTopology().validate
    assert await refusal(judge, create("pods", pod(affinity=affinity("kubernetes.io/hostname")), namespace="n")) == ""
    assert await refusal(judge, create("pods", pod(affinity=affinity("zone")), namespace="n")) == (
        'pods "p" is forbidden: affinity.PodAntiAffinity.RequiredDuringScheduling has TopologyKey zone but only key'
        " kubernetes.io/hostname is allowed"
    )


async def test_extended_resources_are_tolerated():
    """Each by its name, in order; Kubernetes' own and quota's are not."""
    requests = {"cpu": "1", "requests.x/y": "1", "kubernetes.io/z": "1", "b.com/gpu": "1", "a.com/gpu": "1"}
    attributes = create("pods", pod(containers=[{"name": "c", "resources": {"requests": requests}}]), namespace="n")
    await ExtendedResourceToleration().admit(attributes)
    assert attributes.object["spec"]["tolerations"] == [
        {"key": name, "operator": "Exists", "effect": "NoSchedule"} for name in ("a.com/gpu", "b.com/gpu")
    ]


@pytest.mark.parametrize(
    ("own", "expected"),
    [
        ({}, {"zone": "a"}),
        ({"disk": "ssd"}, {"zone": "a", "disk": "ssd"}),
        (
            {"zone": "b"},
            'pods "p" is forbidden: pod node label selector conflicts with its namespace node label selector',
        ),
    ],
)
async def test_the_namespace_selects_nodes(own, expected):
    """Its annotation is merged in, a contradiction refused."""
    cluster = DictCluster().hold("", "namespaces", namespace("n", annotations={ANNOTATION: "zone = a"}))
    attributes = create("pods", pod(nodeSelector=own), namespace="n")
    said = await refusal(PodNodeSelector(cluster).admit, attributes)
    assert (said or attributes.object["spec"]["nodeSelector"]) == expected


async def test_topology_of_the_node_is_copied():
    """Onto the binding, or onto a pod that names its node; labels that are there stay."""
    labels = {"topology.kubernetes.io/zone": "z", "topology.kubernetes.io/region": "r", "other": "x"}
    cluster = DictCluster().hold("", "nodes", {"metadata": {"name": "node", "labels": labels}})
    binding = {"metadata": {"name": "p"}, "target": {"kind": "Node", "name": "node"}}
    attributes = create("pods", binding, namespace="n", subresource="binding", kind="Binding")
    await PodTopologyLabels(cluster).admit(attributes)
    copied = {"topology.kubernetes.io/region": "r", "topology.kubernetes.io/zone": "z"}
    assert attributes.object["metadata"]["labels"] == copied
    own = pod(nodeName="node", metadata={"labels": {"topology.kubernetes.io/zone": "mine"}})
    attributes = create("pods", own, namespace="n")
    await PodTopologyLabels(cluster).admit(attributes)
    assert attributes.object["metadata"]["labels"] == {**copied, "topology.kubernetes.io/zone": "mine"}
    assert await PodTopologyLabels(cluster).admit(create("pods", pod(nodeName="unknown"), namespace="n")) is None


KATA = {
    "metadata": {"name": "kata"},
    "handler": "kata",
    "overhead": {"podFixed": {"cpu": "250m", "memory": "120Mi"}},
    "scheduling": {
        "nodeSelector": {"runtime": "kata"},
        "tolerations": [{"key": "kata", "operator": "Exists", "effect": "NoSchedule"}],
    },
}


def runtime():
    return RuntimeClass(DictCluster().hold("node.k8s.io", "runtimeclasses", KATA))


async def test_a_runtime_class_brings_overhead_and_scheduling():
    """All of it at once; a second walk changes nothing."""
    attributes = create("pods", pod(runtimeClassName="kata", nodeSelector={"zone": "a"}), namespace="n")
    change = await runtime().admit(attributes)
    assert change.summary == "overhead and scheduling of kata"
    spec = attributes.object["spec"]
    assert spec["overhead"] == {"cpu": "250m", "memory": "120Mi"}
    assert spec["nodeSelector"] == {"zone": "a", "runtime": "kata"}
    assert spec["tolerations"] == KATA["scheduling"]["tolerations"]
    assert await runtime().admit(attributes) is None
    assert await refusal(runtime().validate, attributes) == ""


@pytest.mark.parametrize(
    ("spec", "problem"),
    [
        (
            {"runtimeClassName": "kata", "overhead": {"cpu": "1m"}},
            "pod rejected: Pod's Overhead doesn't match RuntimeClass's defined Overhead",
        ),
        (
            {"runtimeClassName": "kata", "nodeSelector": {"runtime": "runc"}},
            "conflict: runtimeClass.scheduling.nodeSelector[runtime] = kata; pod.spec.nodeSelector[runtime] = runc",
        ),
        ({"runtimeClassName": "gone"}, 'pod rejected: RuntimeClass "gone" not found'),
        ({"runtimeClassName": "kata", "overhead": {"cpu": "0.25", "memory": "120Mi"}}, ""),
    ],
)
async def test_contradictions_to_a_runtime_class_are_refused(spec, problem):
    """Amounts are compared as quantities."""
    said = await refusal(runtime().admit, create("pods", pod(**spec), namespace="n"))
    assert said == (f'pods "p" is forbidden: {problem}' if problem else "")


async def test_overhead_without_a_class_is_refused():
    """In the validating phase, as kube-apiserver does."""
    said = await refusal(runtime().validate, create("pods", pod(overhead={"cpu": "1m"}), namespace="n"))
    assert (
        said
        == 'pods "p" is forbidden: pod rejected: Pod Overhead set without corresponding RuntimeClass defined Overhead'
    )


@pytest.mark.parametrize(
    ("first", "second", "merged"),
    [
        ([NOT_READY], [NOT_READY], [NOT_READY]),
        ([NOT_READY], [EVERYTHING], [EVERYTHING]),
        ([EVERYTHING], [NOT_READY], [EVERYTHING]),
        ([OWN], [NOT_READY], [NOT_READY]),
        (
            [{"key": "a", "operator": "Equal", "value": "1"}],
            [{"key": "a", "operator": "Equal", "value": "2"}],
            [{"key": "a", "operator": "Equal", "value": "1"}, {"key": "a", "operator": "Equal", "value": "2"}],
        ),
    ],
)
def test_merging_tolerations(first, second, merged):
    """What another one covers is left out."""
    assert merge_tolerations(first, second) == merged
