"""Nobody hands on more than they hold."""

from __future__ import annotations

import pytest

from services.authorization import escalation
from services.authorization.escalation import Holder
from services.authorization.policy_rules import PolicyRule


def rule(verbs: str, resources: str = "", groups: str = "core", names: str = "", urls: str = "") -> PolicyRule:
    listed = tuple("" if group == "core" else group for group in groups.split())
    return PolicyRule(
        tuple(verbs.split()),
        listed if resources else (),
        tuple(resources.split()),
        tuple(names.split()),
        tuple(urls.split()),
    )


def missing(held: list[PolicyRule], *granted: PolicyRule) -> list[str]:
    return list(escalation.check(Holder("alice", ("developers",), held), granted).missing)


@pytest.mark.parametrize(
    ("held", "granted"),
    [
        (rule("get list", "pods configmaps"), rule("get", "pods")),
        (rule("*", "*", "*"), rule("get", "pods/log", "core apps", "a b")),
        (rule("get", "pods"), rule("get", "pods", names="web-0")),
        (rule("get", "pods", names="web-0 web-1"), rule("get", "pods", names="web-1")),
        (rule("update", "*/scale", "apps"), rule("update", "deployments/scale", "apps")),
        (rule("get", urls="/metrics/*"), rule("get", urls="/metrics/cadvisor /metrics/*")),
    ],
)
def test_held(held: PolicyRule, granted: PolicyRule) -> None:
    """Wildcards, all names, subresources of everything and prefixes cover what is narrower."""
    assert missing([held], granted) == []


@pytest.mark.parametrize(
    ("held", "granted", "text"),
    [
        (rule("get", "pods"), rule("get", "pods/log"), '{APIGroups:[""], Resources:["pods/log"], Verbs:["get"]}'),
        (rule("get", "pods", "apps"), rule("get", "pods"), '{APIGroups:[""], Resources:["pods"], Verbs:["get"]}'),
        (
            rule("get", "pods", names="a"),
            rule("get", "pods"),
            '{APIGroups:[""], Resources:["pods"], Verbs:["get"]}',
        ),
        (
            rule("get", "pods", names="a"),
            rule("get", "pods", names="b"),
            '{APIGroups:[""], Resources:["pods"], ResourceNames:["b"], Verbs:["get"]}',
        ),
        (rule("get", urls="/a"), rule("get", urls="/b"), '{NonResourceURLs:["/b"], Verbs:["get"]}'),
        (rule("get", "*", "*"), rule("*", "*", "*"), '{APIGroups:["*"], Resources:["*"], Verbs:["*"]}'),
    ],
)
def test_lacking(held: PolicyRule, granted: PolicyRule, text: str) -> None:
    """What is missing is told permission by permission, in kube-apiserver's form."""
    assert missing([held], granted) == [text]


def test_the_reason_is_kube_apiservers() -> None:
    """Verbs of one resource are joined, lines are sorted, bindings without role are mentioned."""
    holder = Holder("alice", ("developers", "system:authenticated"), [], ['role "x" not found'])
    verdict = escalation.check(holder, [rule("get list", "secrets"), rule("get", "pods")])
    assert verdict.reason == (
        'user "alice" (groups=["developers" "system:authenticated"]) is attempting to grant RBAC permissions not '
        'currently held:\n{APIGroups:[""], Resources:["pods"], Verbs:["get"]}\n'
        '{APIGroups:[""], Resources:["secrets"], Verbs:["get" "list"]}; resolution errors: [role "x" not found]'
    )


def test_two_rules_do_not_add_up() -> None:
    """Each permission must be covered by one rule, but different ones may be by different rules."""
    held = [rule("get", "pods"), rule("list", "secrets")]
    assert missing(held, rule("get", "pods"), rule("list", "secrets")) == []
    assert missing(held, rule("get", "secrets"))


def test_masters_hold_everything() -> None:
    """system:masters may grant what no rule gives them."""
    assert not escalation.check(Holder("root", ("system:masters",), []), [rule("*", "*", "*")]).reason


def test_work_is_bounded() -> None:
    """Rules that multiply out without end are refused, not looked through."""
    many = " ".join(map(str, range(50)))
    verdict = escalation.check(Holder("alice", (), [rule("*", "*", "*")]), [rule(many, many, many)])
    assert verdict.reason == escalation.TOO_MANY
