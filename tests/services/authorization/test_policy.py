"""The policy against a naive reference, through every kind of change."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from services.authorization.attributes import Attributes
from services.authorization.policy import MERGE_ABOVE, Policy
from services.authorization.policy_rules import PolicyRule
from tests.services.authorization.policies import account, ask, binding, group, role, rule, user

ROLES = [f"r{number}" for number in range(8)]
SUBJECTS = [
    user("alice"),
    user("bob"),
    group("dev"),
    account("robot", "a"),
    account("robot"),
    {"kind": "Robot", "name": "x"},
]
USERS = [
    ("alice", ("dev", "system:authenticated")),
    ("bob", ()),
    ("system:serviceaccount:a:robot", ("system:serviceaccounts",)),
    ("robot", ()),
]

CHANGES = st.one_of(
    st.tuples(
        st.just("role"),
        st.sampled_from(["", "a"]),
        st.sampled_from(ROLES),
        st.sampled_from(["get", "list", "*"]),
        st.sampled_from(["pods", "nodes", "*"]),
    ),
    st.tuples(st.just("remove role"), st.sampled_from(["", "a"]), st.sampled_from(ROLES)),
    st.tuples(
        st.just("binding"),
        st.sampled_from(["", "a", "b"]),
        st.sampled_from(["x", "y", "z", "u", "v", "w"]),
        st.sampled_from(ROLES),
        st.sampled_from(["Role", "ClusterRole"]),
        st.lists(st.sampled_from(SUBJECTS), max_size=3),
    ),
    st.tuples(st.just("remove binding"), st.sampled_from(["", "a", "b"]), st.sampled_from(["x", "y", "z"])),
)
QUESTIONS = st.builds(
    lambda who, verb, resource, namespace: ask(verb, resource, username=who[0], groups=who[1], namespace=namespace),
    st.sampled_from(USERS),
    st.sampled_from(["get", "list", "watch"]),
    st.sampled_from(["pods", "nodes"]),
    st.sampled_from(["", "a", "b"]),
)


class Reference:
    """Roles and bindings in dicts, gone through one by one as kube-apiserver's rule resolver does."""

    def __init__(self) -> None:
        self.roles: dict[tuple[str, str], dict[str, Any]] = {}
        self.bindings: dict[tuple[str, str], dict[str, Any]] = {}

    def applies(self, subject: dict[str, str], question: Attributes, namespace: str) -> bool:
        if subject["kind"] == "User":
            return subject["name"] == question.username
        if subject["kind"] == "Group":
            return subject["name"] in question.groups
        if subject["kind"] == "ServiceAccount":
            where = subject.get("namespace") or namespace
            return bool(where) and question.username == f"system:serviceaccount:{where}:{subject['name']}"
        return False

    def decide(self, question: Attributes) -> tuple[str, int] | list[str]:
        """The binding and position of its subject that allow, else the names of missing roles."""
        missing = []
        for namespace in dict.fromkeys(("", question.namespace)):
            for (where, name), bound in sorted(self.bindings.items()):
                if where != namespace:
                    continue
                positions = [
                    position
                    for position, subject in enumerate(bound["subjects"])
                    if self.applies(subject, question, namespace)
                ]
                if not positions:
                    continue
                reference = bound["roleRef"]
                if reference["kind"] == "Role" and not namespace:
                    found = None
                else:
                    found = self.roles.get((namespace if reference["kind"] == "Role" else "", reference["name"]))
                if found is None:
                    missing.append(
                        f'{reference["kind"].lower()}.rbac.authorization.k8s.io "{reference["name"]}" not found'
                    )
                elif any(PolicyRule.parse(each).allows(question) for each in found["rules"]):
                    return f"{namespace}/{name}", positions[0]
        return missing


def apply(policy: Policy, reference: Reference, change: tuple[Any, ...]) -> None:
    kind, namespace, name, *rest = change
    if kind == "role":
        made = role(name, rule([rest[0]], [rest[1]]), namespace=namespace)
        policy.set_role(namespace, made)
        reference.roles[namespace, name] = made
    elif kind == "remove role":
        policy.remove_role(namespace, name)
        reference.roles.pop((namespace, name), None)
    elif kind == "binding":
        made = binding(name, rest[0], *rest[2], namespace=namespace, kind=rest[1])
        policy.set_binding(namespace, made)
        reference.bindings[namespace, name] = made
    else:
        policy.remove_binding(namespace, name)
        reference.bindings.pop((namespace, name), None)


def decide(policy: Policy, question: Attributes) -> tuple[str, int] | list[str]:
    missing: list[str] = []
    for namespace in dict.fromkeys(("", question.namespace)):
        scope = policy.scope(question.username, question.groups, namespace)
        found = scope.find(question)
        if found is not None:
            entry, _ = found
            return "/".join(entry.binding.key), entry.binding.subjects.index(entry.subject)
        missing += scope.errors
    return missing


@settings(max_examples=300, deadline=None)
@given(st.lists(st.one_of(CHANGES, QUESTIONS), min_size=10, max_size=60))
def test_decides_as_a_naive_policy_through_all_changes(steps: list[Any]) -> None:
    """However roles and bindings come, change and go between questions, no remembered scope outlives them."""
    policy, reference = Policy(), Reference()
    for step in steps:
        if not isinstance(step, Attributes):
            apply(policy, reference, step)
            continue
        expected, found = reference.decide(step), decide(policy, step)
        if isinstance(expected, tuple) and isinstance(found, tuple):
            # the same subject may stand twice in a binding: the first one counts either way
            assert found[0] == expected[0]
            assert found[1] <= expected[1]
        else:
            assert found == expected


def test_many_roles_are_asked_in_the_order_of_their_bindings() -> None:
    """With more roles than are asked one by one, the first binding that allows is still the reason."""
    policy = Policy()
    for number in range(MERGE_ABOVE * 5):
        policy.set_role("", role(f"role-{number:02}", rule(["list"], ["nodes"]), rule(["get"], ["pods"])))
        policy.set_binding("", binding(f"binding-{99 - number}", f"role-{number:02}", user("alice")))
    found = policy.scope("alice", (), "").find(ask("get", "pods"))
    assert found is not None
    entry, grant = found
    assert entry.binding.label == f"ClusterRoleBinding/binding-{100 - MERGE_ABOVE * 5}"
    assert grant.position == 1
    assert policy.scope("alice", (), "").find(ask("delete", "pods")) is None


def test_changes_of_others_leave_a_remembered_scope_alone() -> None:
    """Only what concerns a user makes their scope anew."""
    policy = Policy()
    policy.set_role("", role("reader", rule(["get"], ["pods"])))
    policy.set_role("", role("other", rule(["get"], ["nodes"])))
    policy.set_binding("", binding("mine", "reader", user("alice")))
    scope = policy.scope("alice", (), "")
    policy.set_binding("", binding("theirs", "other", user("bob")))
    policy.set_role("", role("other"))
    policy.set_binding("a", binding("there", "reader", user("alice"), namespace="a"))
    assert policy.scope("alice", (), "") is scope
    policy.set_role("", role("reader", rule(["list"], ["pods"])))
    assert policy.scope("alice", (), "") is not scope


def test_nothing_is_left_behind() -> None:
    """What is removed leaves no trace in the indexes."""
    policy = Policy()
    policy.set_role("a", role("r", rule(["get"], ["pods"]), namespace="a"))
    policy.set_binding("a", binding("b", "r", user("alice"), group("dev"), namespace="a", kind="Role"))
    policy.scope("alice", ("dev",), "a")
    policy.remove_binding("a", "b")
    policy.remove_role("a", "r")
    policy.remove_role("a", "never was")
    for index in (policy._roles, policy._bindings, policy._bindings_of_role, policy._by_subject):
        assert not index
    assert not policy._scopes
    assert not policy._scopes_of_subject
