"""NamespaceLifecycle: what may happen in a namespace that is missing, going away or just deleted."""

from __future__ import annotations

import pytest

from kubehop.machinery.status import StatusError
from services.admission.attributes import DELETE
from services.admission.plugins.namespace_lifecycle import FORCE_LIVE_SECONDS, NamespaceLifecycle
from tests.services.admission.requests import DictCluster, create, delete, namespace, update


class Clock:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def config_map(name="a"):
    return {"metadata": {"name": name}}


async def test_create_in_a_missing_namespace_is_404_about_the_namespace():
    """The answer names the namespace, after storage itself was asked."""
    cluster = DictCluster()
    with pytest.raises(StatusError) as refused:
        await NamespaceLifecycle(cluster).admit(create("configmaps", config_map(), namespace="none"))
    assert refused.value.status == {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Failure",
        "message": 'namespaces "none" not found',
        "reason": "NotFound",
        "details": {"name": "none", "kind": "namespaces"},
        "code": 404,
    }
    assert cluster.looked_up == [("", "namespaces", "", "none")]


@pytest.mark.parametrize(
    ("resource", "group", "obj", "message"),
    [
        ("configmaps", "", {"metadata": {"name": "after"}}, 'configmaps "after" is forbidden'),
        ("deployments", "apps", {"metadata": {"name": "web"}}, 'deployments.apps "web" is forbidden'),
        ("configmaps", "", {"metadata": {"generateName": "web-"}}, 'configmaps "web-" is forbidden'),
        ("configmaps", "", {"metadata": {}}, 'configmaps "Unknown" is forbidden'),
    ],
)
async def test_create_in_a_terminating_namespace_is_forbidden(resource, group, obj, message):
    """403 with the cause NamespaceTerminating, under the name that the object has or is generated from."""
    cluster = DictCluster().hold("", "namespaces", namespace("going", "Terminating"))
    with pytest.raises(StatusError) as refused:
        await NamespaceLifecycle(cluster).admit(create(resource, obj, group=group, namespace="going"))
    assert refused.value.message == (
        f"{message}: unable to create new content in namespace going because it is being terminated"
    )
    assert refused.value.code == 403
    assert refused.value.details["causes"] == [
        {
            "reason": "NamespaceTerminating",
            "message": "namespace going is being terminated",
            "field": "metadata.namespace",
        }
    ]


async def test_a_live_namespace_admits_and_the_object_is_not_parsed():
    """A create in an active namespace passes without a look at storage or at the object."""
    cluster = DictCluster().hold("", "namespaces", namespace("here"))
    attributes = create("configmaps", config_map(), namespace="here")
    assert await NamespaceLifecycle(cluster).admit(attributes) is None
    assert attributes._object is None
    assert not cluster.looked_up


async def test_a_namespace_that_memory_has_not_seen_yet_is_found_in_storage():
    """Creating a namespace and then something in it works, however far behind the replica is."""
    cluster = DictCluster().hold("", "namespaces", namespace("fresh"))
    cluster.replica("", "namespaces").items.clear()
    await NamespaceLifecycle(cluster).admit(create("configmaps", config_map(), namespace="fresh"))


@pytest.mark.parametrize("name", ["default", "kube-system", "kube-public"])
async def test_immortal_namespaces_cannot_be_deleted(name):
    """Three namespaces stay for ever."""
    with pytest.raises(StatusError) as refused:
        await NamespaceLifecycle(DictCluster()).admit(delete("namespaces", name))
    assert refused.value.message == f'namespaces "{name}" is forbidden: this namespace may not be deleted'
    assert refused.value.details == {"name": name, "kind": "namespaces"}


async def test_after_its_deletion_a_namespace_is_looked_up_live():
    """For thirty seconds a deleted namespace that memory still calls active is asked for in storage."""
    clock = Clock()
    cluster = DictCluster().hold("", "namespaces", namespace("going"))
    plugin = NamespaceLifecycle(cluster, clock=clock)
    await plugin.admit(delete("namespaces", "going"))
    cluster.stored["", "namespaces", "", "going"] = namespace("going", "Terminating")
    with pytest.raises(StatusError, match="is being terminated"):
        await plugin.admit(create("configmaps", config_map(), namespace="going"))
    clock.now += FORCE_LIVE_SECONDS
    await plugin.admit(create("configmaps", config_map(), namespace="going"))
    assert len(cluster.looked_up) == 1


async def test_many_deletions_do_not_grow_the_memory():
    """Only the last hundred deleted namespaces are remembered."""
    plugin = NamespaceLifecycle(DictCluster())
    for number in range(250):
        await plugin.admit(delete("namespaces", f"n{number}"))
    assert len(plugin._force_live) == 100
    assert "n249" in plugin._force_live


async def test_what_is_allowed_in_a_terminating_namespace():
    """Updates and deletions go on, access reviews never tell, and namespaces themselves may be created."""
    cluster = DictCluster().hold("", "namespaces", namespace("going", "Terminating"))
    plugin = NamespaceLifecycle(cluster)
    await plugin.admit(update("configmaps", config_map(), config_map(), namespace="going"))
    await plugin.admit(delete("configmaps", "a", namespace="going"))
    await plugin.admit(create("namespaces", {"metadata": {"name": "going"}}))
    assert not plugin.concerns("authorization.k8s.io", "localsubjectaccessreviews", "")
    assert plugin.handles(DELETE)
