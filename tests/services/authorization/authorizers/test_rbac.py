"""RBAC: reasons, evidence, near misses and rules."""

from __future__ import annotations

import orjson
import pytest

from kubehop.pb.authorization.v1 import DECISION_ALLOW, DECISION_NO_OPINION
from services.authorization.attributes import Attributes, NearMiss, Verdict
from services.authorization.authorizers.rbac import MAX_NEAR_MISSES, RBACAuthorizer
from services.authorization.policy import Policy
from tests.services.authorization.policies import account, ask, binding, group, role, rule, user


@pytest.fixture
def policy() -> Policy:
    policy = Policy()
    policy.set_role("", role("view", rule(["get", "list"], ["pods"]), rule(["get"], urls=["/metrics"])))
    policy.set_role("dev", role("app", rule(["update"], ["deployments/scale"], ["apps"], ["web"]), namespace="dev"))
    policy.set_binding("", binding("viewers", "view", group("auditors"), user("bob")))
    policy.set_binding("dev", binding("local", "view", account("robot"), user("alice"), namespace="dev"))
    policy.set_binding("dev", binding("scalers", "app", user("alice"), namespace="dev", kind="Role"))
    return policy


def decide(policy: Policy, question: Attributes) -> Verdict:
    verdict = RBACAuthorizer(policy).authorize(question)
    assert isinstance(verdict, Verdict)
    return verdict


@pytest.mark.parametrize(
    ("question", "reason"),
    [
        (
            ask("get", "pods", username="bob"),
            'RBAC: allowed by ClusterRoleBinding "viewers" of ClusterRole "view" to User "bob"',
        ),
        (
            ask("get", "pods", username="eve", groups=("auditors",), namespace="dev"),
            'RBAC: allowed by ClusterRoleBinding "viewers" of ClusterRole "view" to Group "auditors"',
        ),
        (
            ask("list", "pods", username="system:serviceaccount:dev:robot", namespace="dev"),
            'RBAC: allowed by RoleBinding "local/dev" of ClusterRole "view" to ServiceAccount "robot/dev"',
        ),
        (
            ask("update", "deployments/scale", api_group="apps", name="web", namespace="dev"),
            'RBAC: allowed by RoleBinding "scalers/dev" of Role "app" to User "alice"',
        ),
        (
            ask("get", path="/metrics", username="bob"),
            'RBAC: allowed by ClusterRoleBinding "viewers" of ClusterRole "view" to User "bob"',
        ),
    ],
)
def test_the_reason_names_binding_role_and_subject(policy: Policy, question: Attributes, reason: str) -> None:
    """Reasons are word for word those of kube-apiserver."""
    verdict = decide(policy, question)
    assert verdict.decision == DECISION_ALLOW
    assert verdict.reason == reason


def test_the_evidence_has_binding_role_and_rule(policy: Policy) -> None:
    """Evidence names what allowed it, down to the rule."""
    verdict = decide(policy, ask("update", "deployments/scale", api_group="apps", name="web", namespace="dev"))
    assert (verdict.binding, verdict.role) == ("RoleBinding/dev/scalers", "Role/dev/app")
    assert orjson.loads(verdict.rule) == {
        "verbs": ["update"],
        "apiGroups": ["apps"],
        "resources": ["deployments/scale"],
        "resourceNames": ["web"],
    }


def test_a_denial_has_no_reason_of_its_own(policy: Policy) -> None:
    """The 403 message ends without a reason, as kube-apiserver's."""
    verdict = decide(policy, ask("delete", "nodes", username="eve"))
    assert (verdict.decision, verdict.reason) == (DECISION_NO_OPINION, "")


def test_bindings_without_their_role_are_the_reason_of_a_denial(policy: Policy) -> None:
    """One error stands alone, several in brackets; they do not keep other bindings from allowing."""
    policy.set_binding("dev", binding("dangling", "gone", user("alice"), namespace="dev"))
    denied = decide(policy, ask("get", "secrets", namespace="dev"))
    assert denied.reason == 'RBAC: clusterrole.rbac.authorization.k8s.io "gone" not found'
    policy.set_binding("dev", binding("dangling-too", "nor", user("alice"), namespace="dev", kind="Role"))
    both = decide(policy, ask("get", "secrets", namespace="dev"))
    assert both.reason == (
        'RBAC: [clusterrole.rbac.authorization.k8s.io "gone" not found, role.rbac.authorization.k8s.io "nor" not found]'
    )
    assert decide(policy, ask("get", "pods", namespace="dev")).decision == DECISION_ALLOW


@pytest.mark.parametrize(
    ("question", "miss"),
    [
        (
            ask("delete", "pods", username="bob"),
            NearMiss("ClusterRoleBinding/viewers", "ClusterRole/view", "verb", "allows get, list, not delete"),
        ),
        (
            ask("get", "nodes", username="bob"),
            NearMiss("ClusterRoleBinding/viewers", "ClusterRole/view", "resource", "allows pods, not nodes"),
        ),
        (
            ask("get", "pods", api_group="metrics.k8s.io", username="bob"),
            NearMiss("ClusterRoleBinding/viewers", "ClusterRole/view", "apiGroup", 'allows API group ""'),
        ),
        (
            ask("update", "deployments/scale", api_group="apps", name="api", namespace="dev"),
            NearMiss("RoleBinding/dev/scalers", "Role/dev/app", "name", "allows only web"),
        ),
        (
            ask("get", "pods", namespace="prod"),
            NearMiss("RoleBinding/dev/local", "ClusterRole/view", "namespace", "allowed in namespace dev"),
        ),
        (
            ask("get", path="/logs", username="bob"),
            NearMiss("ClusterRoleBinding/viewers", "ClusterRole/view", "path", "allows /metrics"),
        ),
    ],
)
def test_a_near_miss_lacks_just_one_thing(policy: Policy, question: Attributes, miss: NearMiss) -> None:
    """A denial tells which of the user's bindings would have allowed it but for one thing."""
    assert list(decide(policy, question).near_misses) == [miss]


def test_what_lacks_more_is_no_near_miss(policy: Policy) -> None:
    """Two things lacking is not near, and others' bindings are nobody's business."""
    assert not decide(policy, ask("delete", "nodes", username="bob")).near_misses
    assert not decide(policy, ask("delete", "pods", username="eve")).near_misses


def test_near_misses_are_bounded(policy: Policy) -> None:
    """A user with very many bindings gets a few near misses."""
    for number in range(100):
        policy.set_binding(f"ns-{number}", binding("view", "view", user("carol"), namespace=f"ns-{number}"))
    misses = decide(policy, ask("get", "pods", username="carol", namespace="elsewhere")).near_misses
    assert len(misses) == MAX_NEAR_MISSES


def test_rules_are_listed_in_the_order_in_which_they_are_asked(policy: Policy) -> None:
    """SelfSubjectRulesReview shows the cluster's rules, then the namespace's, and what is broken."""
    policy.set_binding("dev", binding("dangling", "gone", user("alice"), namespace="dev"))
    rules = RBACAuthorizer(policy).rules("alice", ("auditors",), "dev")
    assert [list(each.resources) for each in rules.resource_rules] == [["pods"], ["pods"], ["deployments/scale"]]
    assert [list(each.non_resource_urls) for each in rules.non_resource_rules] == [["/metrics"], ["/metrics"]]
    assert list(rules.resource_rules[2].resource_names) == ["web"]
    assert list(rules.errors) == ['clusterrole.rbac.authorization.k8s.io "gone" not found']
    assert not rules.incomplete
