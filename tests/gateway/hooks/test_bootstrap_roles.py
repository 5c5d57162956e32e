"""The bootstrap policy and its reconciliation."""

from __future__ import annotations

import copy

import pytest

from gateway.hooks import bootstrap_roles, policy
from gateway.hooks.policy import rules
from gateway.hooks.policy.rules import AUTOUPDATE, RBAC
from gateway.hooks.rbac_coverage import uncovered
from tests.gateway.hooks.objects import DictObjects


def by_name(objects):
    return {obj["metadata"]["name"]: obj for obj in objects}


def test_the_policy_is_complete():
    """v1.36 with its default feature gates: 69 ClusterRoles, 50 bindings, 7 Roles, 7 bindings, no name twice."""
    for made, count in (
        (policy.cluster_roles(), 69),
        (policy.cluster_role_bindings(), 50),
        (policy.roles(), 7),
        (policy.role_bindings(), 7),
    ):
        places = {(obj["metadata"].get("namespace"), obj["metadata"]["name"]) for obj in made}
        assert len(made) == len(places) == count


def test_every_binding_is_to_a_role_of_the_policy():
    """No binding points to nothing."""
    cluster_roles = by_name(policy.cluster_roles())
    roles = {(role["metadata"]["namespace"], role["metadata"]["name"]) for role in policy.roles()}
    for binding in policy.cluster_role_bindings():
        assert binding["roleRef"]["name"] in cluster_roles
    for binding in policy.role_bindings():
        assert (binding["metadata"]["namespace"], binding["roleRef"]["name"]) in roles


def test_every_object_is_marked():
    """The label and the annotation by which reconciliation knows its own."""
    for obj in (*policy.cluster_roles(), *policy.cluster_role_bindings(), *policy.roles(), *policy.role_bindings()):
        assert obj["metadata"]["labels"]["kubernetes.io/bootstrapping"] == "rbac-defaults"
        assert obj["metadata"]["annotations"] == {AUTOUPDATE: "true"}


def test_user_facing_roles_aggregate():
    """admin gathers edit, edit gathers view; their own rules are for the aggregation controller to fill."""
    roles = by_name(policy.cluster_roles())
    for name, label in (("admin", "aggregate-to-admin"), ("edit", "aggregate-to-edit"), ("view", "aggregate-to-view")):
        selected_by = f"rbac.authorization.k8s.io/{label}"
        assert roles[name]["rules"] is None
        assert roles[name]["aggregationRule"] == {"clusterRoleSelectors": [{"matchLabels": {selected_by: "true"}}]}
        assert roles[f"system:aggregate-to-{name}"]["metadata"]["labels"][selected_by] == "true"
    assert "rbac.authorization.k8s.io/aggregate-to-admin" in roles["edit"]["metadata"]["labels"]
    assert "rbac.authorization.k8s.io/aggregate-to-edit" in roles["view"]["metadata"]["labels"]


def test_rules_are_sorted_as_kube_apiserver_sorts_them():
    """Verbs, groups, resources and names come in order, so that stored objects are equal."""
    for role in (*policy.cluster_roles(), *policy.roles()):
        for rule in role["rules"] or ():
            for words in rule.values():
                assert words == sorted(set(words))


def grants(verbs, resources, *, groups="core", names=""):
    return rules.rule(verbs, groups, resources, names)


@pytest.mark.parametrize(
    ("owner", "servant", "missing"),
    [
        (grants("*", "*", groups="*"), grants("get", "pods"), 0),
        (grants("get", "*/scale"), grants("get", "x/scale"), 0),
        (grants("get", "*/scale"), grants("get", "x"), 1),
        (grants("get", "pods"), grants("get list", "pods", groups="core apps"), 3),
        (grants("get", "pods", names="a"), grants("get", "pods"), 1),
        (grants("get", "pods"), grants("get", "pods", names="a"), 0),
        (grants("get", "pods", names="a b"), grants("get", "pods", names="b c"), 1),
        (rules.urls("get", "/api/*"), rules.urls("get", "/api/v1 /apis"), 1),
        (rules.urls("get", "*"), grants("get", "pods"), 1),
    ],
)
def test_coverage(owner, servant, missing):
    """What a rule grants that another does not, permission by permission."""
    assert len(uncovered([owner], [servant])) == missing


async def test_a_fresh_cluster_gets_the_whole_policy_and_a_second_start_nothing():
    """133 objects once, then none."""
    objects = DictObjects()
    hook = bootstrap_roles.hook(objects)
    await hook.run()
    assert len(objects.writes) == 133
    assert all(verb == "create" for verb, _, _ in objects.writes)
    objects.writes.clear()
    await hook.run()
    assert objects.writes == []


async def test_missing_rules_come_back_and_extra_ones_stay():
    """Reconciliation adds what is lacking and takes nothing from what a person added."""
    objects = DictObjects()
    hook = bootstrap_roles.hook(objects)
    await hook.run()
    role = objects.one(RBAC, "clusterroles", "system:kube-dns")
    extra = {"verbs": ["get"], "apiGroups": ["example.com"], "resources": ["widgets"]}
    role["rules"] = [extra]
    role["metadata"]["labels"] = {"mine": "yes", "kubernetes.io/bootstrapping": "changed"}
    objects.writes.clear()
    await hook.run()
    role = objects.one(RBAC, "clusterroles", "system:kube-dns")
    assert objects.writes == [("update", "clusterroles", "system:kube-dns")]
    assert role["rules"][0] == extra
    assert uncovered(role["rules"], by_name(policy.cluster_roles())["system:kube-dns"]["rules"]) == []
    assert role["metadata"]["labels"] == {"mine": "yes", "kubernetes.io/bootstrapping": "changed"}


async def test_who_opted_out_is_left_alone():
    """autoupdate "false" keeps a role as its owner made it."""
    objects = DictObjects()
    hook = bootstrap_roles.hook(objects)
    await hook.run()
    role = objects.one(RBAC, "clusterroles", "system:kube-dns")
    role["rules"] = []
    role["metadata"]["annotations"][AUTOUPDATE] = "false"
    objects.writes.clear()
    await hook.run()
    assert objects.writes == []


async def test_rules_that_a_controller_aggregated_stay():
    """The gathered rules of admin are not the hook's concern, a lost selector is."""
    objects = DictObjects()
    hook = bootstrap_roles.hook(objects)
    await hook.run()
    admin = objects.one(RBAC, "clusterroles", "admin")
    gathered = [{"verbs": ["get"], "apiGroups": [""], "resources": ["pods"]}]
    admin["rules"] = gathered
    own = {"matchLabels": {"team": "a"}}
    admin["aggregationRule"]["clusterRoleSelectors"] = [own]
    await hook.run()
    admin = objects.one(RBAC, "clusterroles", "admin")
    assert admin["rules"] == gathered
    assert admin["aggregationRule"]["clusterRoleSelectors"][0] == own
    assert len(admin["aggregationRule"]["clusterRoleSelectors"]) == 2


async def test_subjects_come_back_and_extra_ones_stay():
    """A binding gets its subjects back beside those that a person added."""
    objects = DictObjects()
    hook = bootstrap_roles.hook(objects)
    await hook.run()
    binding = objects.one(RBAC, "clusterrolebindings", "cluster-admin")
    mine = {"kind": "User", "apiGroup": RBAC, "name": "me"}
    binding["subjects"] = [mine]
    await hook.run()
    subjects = objects.one(RBAC, "clusterrolebindings", "cluster-admin")["subjects"]
    assert subjects == [mine, {"kind": "Group", "apiGroup": RBAC, "name": "system:masters"}]


async def test_a_binding_to_another_role_is_made_anew():
    """A roleRef cannot be changed, so the binding is deleted and created."""
    objects = DictObjects()
    hook = bootstrap_roles.hook(objects)
    await hook.run()
    objects.one(RBAC, "clusterrolebindings", "cluster-admin")["roleRef"]["name"] = "view"
    objects.writes.clear()
    await hook.run()
    assert [write[0] for write in objects.writes] == ["delete", "create"]
    assert objects.one(RBAC, "clusterrolebindings", "cluster-admin")["roleRef"]["name"] == "cluster-admin"


async def test_a_change_by_somebody_else_meanwhile_is_taken_in():
    """A conflict is answered by looking again."""
    objects = DictObjects()
    hook = bootstrap_roles.hook(objects)
    await hook.run()
    objects.one(RBAC, "clusterroles", "system:kube-dns")["rules"] = []
    listed = objects.list

    async def stale(group, resource, namespace=""):
        found = await listed(group, resource, namespace)
        for obj in found:
            if obj["metadata"]["name"] == "system:kube-dns":
                obj["metadata"]["resourceVersion"] = "0"
        return found

    objects.list = stale
    await hook.run()
    expected = by_name(policy.cluster_roles())["system:kube-dns"]["rules"]
    assert uncovered(objects.one(RBAC, "clusterroles", "system:kube-dns")["rules"], copy.deepcopy(expected)) == []
