"""ResourceQuota: what is charged, what is refused in which words, and that no quota is overrun."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from kubehop.machinery.status import StatusError
from services.admission.plugins.resource_quota import ResourceQuota
from services.admission.plugins.resource_quota.judging import Limited
from tests.services.admission.pods import pod, refusal
from tests.services.admission.requests import DictCluster, create, update

Object = dict[str, Any]


def quota(name: str, hard: Object, used: Object | None = None, **spec: Any) -> Object:
    """A quota with its status worked out."""
    return {
        "metadata": {"name": name, "namespace": "ns", "resourceVersion": "1"},
        "spec": {"hard": hard, **spec},
        "status": {"hard": hard, "used": dict.fromkeys(hard, "0") if used is None else used},
    }


def cluster(*quotas: Object) -> DictCluster:
    return DictCluster().hold("", "resourcequotas", *quotas)


def used(of: DictCluster, name: str = "q") -> Object:
    found: Object = of.stored["", "resourcequotas", "ns", name]["status"]["used"]
    return found


def config_map(name: str = "c", **rest: Any) -> Any:
    return create("configmaps", {"metadata": {"name": name}}, namespace="ns", **rest)


def asking(requests: Object | None = None, limits: Object | None = None, **rest: Any) -> Object:
    container = {"name": "c", "image": "i", "resources": {"requests": requests or {}, "limits": limits or {}}}
    return pod("p", containers=[container], **rest)


async def test_counts_objects_under_both_names() -> None:
    """A ConfigMap counts as configmaps and as count/configmaps, a Deployment under its generic name alone."""
    known = cluster(quota("q", {"configmaps": "2", "count/configmaps": "9", "count/deployments.apps": "1"}))
    plugin = ResourceQuota(known)
    await plugin.validate(config_map())
    await plugin.validate(create("deployments", {"metadata": {"name": "d"}}, group="apps", namespace="ns"))
    assert used(known) == {"configmaps": "1", "count/configmaps": "1", "count/deployments.apps": "1"}


async def test_refuses_what_is_too_much_in_kube_apiservers_words() -> None:
    """The refusal names what was asked, used and allowed of each resource that is exceeded."""
    known = cluster(
        quota(
            "q",
            {"pods": "2", "requests.cpu": "1", "limits.memory": "1Gi"},
            {"pods": "1", "requests.cpu": "600m", "limits.memory": "512Mi"},
        )
    )
    said = await refusal(
        ResourceQuota(known).validate, create("pods", asking({"cpu": "2"}, {"memory": "4Gi"}), namespace="ns")
    )
    assert said == (
        'pods "p" is forbidden: exceeded quota: q, requested: limits.memory=4Gi,requests.cpu=2,'
        " used: limits.memory=512Mi,requests.cpu=600m, limited: limits.memory=1Gi,requests.cpu=1"
    )
    assert used(known)["pods"] == "1"


async def test_wants_bounded_resources_to_be_specified() -> None:
    """Each container has to say what a quota on cpu or memory bounds."""
    known = cluster(quota("q", {"requests.cpu": "1", "limits.memory": "1Gi"}))
    asked = pod("p", containers=[{"name": "c", "resources": {"requests": {"cpu": "1m"}}}, {"name": "d"}])
    said = await refusal(ResourceQuota(known).validate, create("pods", asked, namespace="ns"))
    assert said.endswith("failed quota: q: must specify limits.memory for: c,d; requests.cpu for: d")


async def test_status_that_is_not_worked_out_refuses() -> None:
    """A quota whose usage nobody has counted yet lets nothing in that it bounds."""
    known = cluster(quota("q", {"configmaps": "2"}, {}))
    said = await refusal(ResourceQuota(known).validate, config_map())
    assert said == 'configmaps "c" is forbidden: status unknown for quota: q, resources: configmaps'


async def test_quota_without_status_limits_nothing() -> None:
    """Until a status says what is hard, nothing is limited."""
    bare = quota("q", {"configmaps": "0"})
    del bare["status"]
    await ResourceQuota(cluster(bare)).validate(config_map())


async def test_dry_run_is_judged_and_not_charged() -> None:
    """A rehearsal is refused like the real thing but charges nothing."""
    known = cluster(quota("q", {"configmaps": "1"}))
    await ResourceQuota(known).validate(config_map(dry_run=True))
    assert used(known) == {"configmaps": "0"}
    full = cluster(quota("q", {"configmaps": "0"}))
    assert "exceeded quota" in await refusal(ResourceQuota(full).validate, config_map(dry_run=True))


async def test_services_by_type() -> None:
    """Node ports are counted per port, load balancers once; a change of type is charged by the difference."""
    known = cluster(quota("q", {"services": "9", "services.nodeports": "3", "services.loadbalancers": "1"}))
    plugin = ResourceQuota(known)
    plain = {"metadata": {"name": "s", "resourceVersion": "5"}, "spec": {"type": "ClusterIP", "ports": [{"port": 1}]}}
    balanced = {"metadata": {"name": "s"}, "spec": {"type": "LoadBalancer", "ports": [{"port": 1}, {"port": 2}]}}
    await plugin.validate(create("services", plain, namespace="ns"))
    await plugin.validate(update("services", balanced, plain, namespace="ns"))
    assert used(known) == {"services": "1", "services.nodeports": "2", "services.loadbalancers": "1"}


async def test_claims_by_storage_class() -> None:
    """Storage is counted in all and by class."""
    gold = "gold.storageclass.storage.k8s.io/requests.storage"
    known = cluster(quota("q", {"requests.storage": "10Gi", gold: "1Gi", "persistentvolumeclaims": "3"}))
    claim = {
        "metadata": {"name": "c"},
        "spec": {"storageClassName": "gold", "resources": {"requests": {"storage": "1Gi"}}},
    }
    plugin = ResourceQuota(known)
    await plugin.validate(create("persistentvolumeclaims", claim, namespace="ns"))
    assert used(known) == {"requests.storage": "1Gi", gold: "1Gi", "persistentvolumeclaims": "1"}
    assert "exceeded quota" in await refusal(plugin.validate, create("persistentvolumeclaims", claim, namespace="ns"))


@pytest.mark.parametrize(
    ("spec", "counted"),
    [
        ({"scopes": ["BestEffort"]}, False),
        ({"scopes": ["NotBestEffort"]}, True),
        ({"scopes": ["Terminating"]}, False),
        ({"scopes": ["NotTerminating", "NotBestEffort"]}, True),
        ({"scopes": ["CrossNamespacePodAffinity"]}, False),
        (
            {
                "scopeSelector": {
                    "matchExpressions": [{"scopeName": "PriorityClass", "operator": "In", "values": ["high"]}]
                }
            },
            True,
        ),
        (
            {
                "scopeSelector": {
                    "matchExpressions": [{"scopeName": "PriorityClass", "operator": "NotIn", "values": ["high"]}]
                }
            },
            False,
        ),
        ({"scopeSelector": {"matchExpressions": [{"scopeName": "PriorityClass", "operator": "DoesNotExist"}]}}, False),
    ],
)
async def test_scopes_say_which_pods_are_counted(spec: Object, counted: bool) -> None:
    """A quota with scopes counts the pods that are in all of them."""
    known = cluster(quota("q", {"pods": "5"}, **spec))
    await ResourceQuota(known).validate(create("pods", asking({"cpu": "1"}, priorityClassName="high"), namespace="ns"))
    assert used(known) == {"pods": "1" if counted else "0"}


async def test_sidecars_init_containers_and_overhead_are_counted_once() -> None:
    """The larger of start-up and running, beside the sidecars, plus the overhead of the runtime."""
    known = cluster(quota("q", {"requests.cpu": "9"}))
    asked = asking({"cpu": "1"}, overhead={"cpu": "250m"})
    asked["spec"]["initContainers"] = [
        {"name": "side", "restartPolicy": "Always", "resources": {"requests": {"cpu": "500m"}}},
        {"name": "init", "resources": {"requests": {"cpu": "3"}}},
    ]
    await ResourceQuota(known).validate(create("pods", asked, namespace="ns"))
    assert used(known) == {"requests.cpu": "3750m"}


async def test_limited_resources_need_a_quota_that_covers_them() -> None:
    """What the configuration limits may be used under a quota only."""
    plugin = ResourceQuota(cluster(), limited=[Limited("", "pods", match_contains=("requests.cpu",))])
    said = await refusal(plugin.validate, create("pods", asking({"cpu": "1"}), namespace="ns"))
    assert said == 'pods "p" is forbidden: insufficient quota to consume: requests.cpu'
    assert await refusal(plugin.validate, create("pods", asking(), namespace="ns")) == ""


class Contended(DictCluster):
    """A cluster whose storage takes its time, shared by several stages."""

    async def update(self, group: str, resource: str, namespace: str, name: str, obj: Object) -> Object | None:
        await asyncio.sleep(0)
        return await super().update(group, resource, namespace, name, obj)


async def test_no_quota_is_overrun_by_concurrent_creations() -> None:
    """Fifty creations at once through two stages, against a quota of ten, admit exactly ten."""
    known = Contended().hold("", "resourcequotas", quota("q", {"configmaps": "10"}), quota("r", {"configmaps": "30"}))
    stages = [ResourceQuota(known), ResourceQuota(known)]

    async def one(number: int) -> bool:
        return not await refusal(stages[number % 2].validate, config_map(f"c{number}"))

    admitted = await asyncio.gather(*(one(number) for number in range(50)))
    assert sum(admitted) == 10
    assert used(known) == {"configmaps": "10"}
    assert used(known, "r") == {"configmaps": "10"}, "what was charged to refused requests has been given back"


async def test_quota_changed_by_another_is_read_anew() -> None:
    """Memory may be behind: the transaction on the quota finds out, and the request is judged again."""
    known = cluster(quota("q", {"configmaps": "1"}))
    newer = quota("q", {"configmaps": "1"}, {"configmaps": "1"})
    newer["metadata"]["resourceVersion"] = "2"
    known.stored["", "resourcequotas", "ns", "q"] = newer
    assert "exceeded quota: q" in await refusal(ResourceQuota(known).validate, config_map())


async def test_failing_storage_fails_the_request() -> None:
    """Where the quota cannot be written the request is not admitted."""

    class Broken(DictCluster):
        async def update(self, *_: Any) -> Object | None:
            raise ConnectionError("away")

    known = Broken().hold("", "resourcequotas", quota("q", {"configmaps": "1"}))
    plugin = ResourceQuota(known)
    with pytest.raises(ConnectionError):
        await plugin.validate(config_map())
    with pytest.raises((ConnectionError, StatusError)):
        await plugin.validate(config_map())
