"""LimitRanger: defaults that are told, bounds that are kept, of containers, pods and claims."""

from __future__ import annotations

import pytest

from services.admission.plugins.limit_ranger import ANNOTATION, LimitRanger
from tests.services.admission.pods import pod, refusal
from tests.services.admission.requests import DictCluster, create, update

CONTAINER = {
    "type": "Container",
    "default": {"cpu": "500m", "memory": "256Mi"},
    "defaultRequest": {"cpu": "100m", "memory": "256Mi"},
    "min": {"cpu": "50m", "memory": "16Mi"},
    "max": {"cpu": "1", "memory": "1Gi"},
}


def plugin(*limits):
    limit_range = {"metadata": {"name": "limits", "namespace": "n"}, "spec": {"limits": list(limits)}}
    return LimitRanger(DictCluster().hold("", "limitranges", limit_range))


def resources(*, requests=None, limits=None, name="a", **rest):
    made = {key: value for key, value in (("requests", requests), ("limits", limits)) if value}
    return {"name": name, "resources": made, **rest}


async def test_defaults_are_set_and_told():
    """What was set for which container stands in the annotation, as kube-apiserver words it."""
    attributes = create(
        "pods",
        pod(
            containers=[{"name": "a"}, resources(name="b", requests={"cpu": "200m"})],
            initContainers=[resources(name="i", requests={"memory": "64Mi"}, limits={"memory": "64Mi"})],
        ),
        namespace="n",
    )
    await plugin(CONTAINER).admit(attributes)
    made = attributes.object
    assert made["metadata"]["annotations"][ANNOTATION] == (
        "LimitRanger plugin set: cpu, memory request for container a; cpu, memory limit for container a;"
        " memory request for container b; cpu, memory limit for container b;"
        " cpu request for init container i; cpu limit for init container i"
    )
    assert made["spec"]["containers"][0]["resources"] == {
        "requests": {"cpu": "100m", "memory": "256Mi"},
        "limits": {"cpu": "500m", "memory": "256Mi"},
    }
    assert made["spec"]["initContainers"][0]["resources"]["limits"] == {"memory": "64Mi", "cpu": "500m"}


async def test_a_pod_that_says_everything_is_left_as_it_is():
    """No annotation, no empty members."""
    whole = resources(requests={"cpu": "1", "memory": "1Gi"}, limits={"cpu": "1", "memory": "1Gi"})
    attributes = create("pods", pod(containers=[whole]), namespace="n")
    assert await plugin(CONTAINER).admit(attributes) is None
    attributes = create("pods", pod(), namespace="elsewhere")
    assert await plugin(CONTAINER).admit(attributes) is None
    assert attributes.object == pod()


@pytest.mark.parametrize(
    ("limit", "container", "problem"),
    [
        (
            CONTAINER,
            resources(requests={"cpu": "1", "memory": "1Gi"}, limits={"cpu": "2", "memory": "1Gi"}),
            "maximum cpu usage per Container is 1, but limit is 2",
        ),
        (
            CONTAINER,
            resources(requests={"cpu": "10m", "memory": "32Mi"}, limits={"cpu": "1", "memory": "1Gi"}),
            "minimum cpu usage per Container is 50m, but request is 10m",
        ),
        (
            {"type": "Container", "min": {"cpu": "1"}},
            resources(),
            "minimum cpu usage per Container is 1.  No request is specified",
        ),
        (
            {"type": "Container", "min": {"cpu": "1"}},
            resources(requests={"cpu": "1"}, limits={"cpu": "500m"}),
            "minimum cpu usage per Container is 1, but limit is 500m",
        ),
        (
            {"type": "Container", "max": {"cpu": "1"}},
            resources(),
            "maximum cpu usage per Container is 1.  No limit is specified",
        ),
        (
            {"type": "Container", "max": {"cpu": "1"}},
            resources(requests={"cpu": "2"}, limits={"cpu": "1"}),
            "maximum cpu usage per Container is 1, but request is 2",
        ),
        (
            {"type": "Container", "maxLimitRequestRatio": {"cpu": "2"}},
            resources(requests={"cpu": "100m"}, limits={"cpu": "300m"}),
            "cpu max limit to request ratio per Container is 2, but provided ratio is 3.000000",
        ),
        (
            {"type": "Container", "maxLimitRequestRatio": {"cpu": "2"}},
            resources(limits={"cpu": "300m"}),
            "cpu max limit to request ratio per Container is 2, but no request is specified or request is 0",
        ),
        (
            {"type": "Container", "maxLimitRequestRatio": {"cpu": "2"}},
            resources(requests={"cpu": "300m"}),
            "cpu max limit to request ratio per Container is 2, but no limit is specified or limit is 0",
        ),
        (
            {"type": "Container", "max": {"cpu": "1", "memory": "1Gi"}},
            resources(),
            (
                "[maximum cpu usage per Container is 1.  No limit is specified,"
                " maximum memory usage per Container is 1Gi.  No limit is specified]"
            ),
        ),
    ],
)
async def test_bounds_of_containers(limit, container, problem):
    """Every bound has its words."""
    attributes = create("pods", pod(containers=[container]), namespace="n")
    assert await refusal(plugin(limit).validate, attributes) == f'pods "p" is forbidden: {problem}'


@pytest.mark.parametrize(
    ("spec", "allowed"),
    [
        ({"containers": [resources(limits={"cpu": "1"}), resources(name="b", limits={"cpu": "1"})]}, True),
        ({"containers": [resources(limits={"cpu": "1"}), resources(name="b", limits={"cpu": "1500m"})]}, False),
        # an init container counts by itself, one that stays counts with the others
        (
            {
                "initContainers": [resources(name="i", limits={"cpu": "2"})],
                "containers": [resources(limits={"cpu": "1"})],
            },
            True,
        ),
        (
            {
                "initContainers": [resources(name="i", limits={"cpu": "2"}, restartPolicy="Always")],
                "containers": [resources(limits={"cpu": "1"})],
            },
            False,
        ),
        ({"containers": [resources(limits={"cpu": "9"})], "resources": {"limits": {"cpu": "2"}}}, True),
    ],
)
async def test_bounds_of_pods(spec, allowed):
    """The total of a pod, init containers and pod-level resources included."""
    attributes = create("pods", pod(**spec), namespace="n")
    said = await refusal(plugin({"type": "Pod", "max": {"cpu": "2"}}).validate, attributes)
    assert (said == "") is allowed


@pytest.mark.parametrize(
    ("size", "problem"),
    [
        ("5Gi", ""),
        ("11Gi", "maximum storage usage per PersistentVolumeClaim is 10Gi, but request is 11Gi"),
        ("100Mi", "minimum storage usage per PersistentVolumeClaim is 1Gi, but request is 100Mi"),
    ],
)
async def test_bounds_of_claims(size, problem):
    """Claims are bounded by what they request."""
    claim = {"metadata": {"name": "c"}, "spec": {"resources": {"requests": {"storage": size}}}}
    limit = {"type": "PersistentVolumeClaim", "min": {"storage": "1Gi"}, "max": {"storage": "10Gi"}}
    said = await refusal(plugin(CONTAINER, limit).validate, create("persistentvolumeclaims", claim, namespace="n"))
    assert said == (f'persistentvolumeclaims "c" is forbidden: {problem}' if problem else "")


async def test_pods_are_looked_at_when_they_are_made_or_resized():
    """An update of the pod itself cannot change resources; what is being deleted is let go."""
    big = pod(containers=[resources(requests={"cpu": "1", "memory": "1Gi"}, limits={"cpu": "2", "memory": "1Gi"})])
    judge = plugin(CONTAINER)
    assert await refusal(judge.validate, update("pods", big, big, namespace="n")) == ""
    assert await refusal(judge.validate, update("pods", big, big, namespace="n", subresource="resize"))
    going = {**big, "metadata": {"name": "p", "deletionTimestamp": "2026-01-01T00:00:00Z"}}
    assert await refusal(judge.validate, update("pods", big, going, namespace="n", subresource="resize")) == ""
