"""Rules against questions: kube-apiserver's matching, by table and against a naive reference."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.authorization.attributes import Attributes
from services.authorization.policy_rules import PolicyRule, Role
from tests.services.authorization.policies import ask, rule


@pytest.mark.parametrize(
    ("given_rule", "question", "allowed"),
    [
        (rule(["get"], ["pods"]), ask("get", "pods"), True),
        (rule(["get"], ["pods"]), ask("list", "pods"), False),
        (rule(["*"], ["pods"]), ask("deletecollection", "pods"), True),
        (rule(["get"], ["pods"]), ask("get", "pods/log"), False),
        (rule(["get"], ["pods/log"]), ask("get", "pods/log"), True),
        (rule(["get"], ["pods/log"]), ask("get", "pods"), False),
        (rule(["get"], ["*"]), ask("get", "pods/log"), True),
        (rule(["get"], ["*/log"]), ask("get", "pods/log"), True),
        (rule(["get"], ["*/log"]), ask("get", "pods"), False),
        (rule(["get"], ["*/scale"]), ask("get", "pods/log"), False),
        (rule(["get"], ["pods/*"]), ask("get", "pods/log"), False),
        (rule(["get"], ["pods"], ["apps"]), ask("get", "pods"), False),
        (rule(["get"], ["deployments"], ["apps"]), ask("get", "deployments", api_group="apps"), True),
        (rule(["get"], ["deployments"], ["*"]), ask("get", "deployments", api_group="apps"), True),
        (rule(["get"], ["configmaps"], names=["a"]), ask("get", "configmaps", name="a"), True),
        (rule(["get"], ["configmaps"], names=["a"]), ask("get", "configmaps", name="b"), False),
        (rule(["list"], ["configmaps"], names=["a"]), ask("list", "configmaps"), False),
        (rule(["*"], ["*"], ["*"]), ask("get", path="/healthz"), False),
        (rule(["get"], urls=["/healthz"]), ask("get", path="/healthz"), True),
        (rule(["get"], urls=["/healthz"]), ask("get", path="/healthz/etcd"), False),
        (rule(["get"], urls=["/healthz/*"]), ask("get", path="/healthz/etcd"), True),
        (rule(["get"], urls=["/healthz/*"]), ask("get", path="/healthz"), False),
        (rule(["get"], urls=["/healthz*"]), ask("get", path="/healthzzz"), True),
        (rule(["get"], urls=["*"]), ask("get", path="/anything"), True),
        (rule(["get"], urls=["/a**"]), ask("get", path="/ab"), True),
        (rule(["*"], urls=["/metrics"]), ask("post", path="/metrics"), True),
        (rule(["get"], urls=["/metrics"]), ask("get", "metrics"), False),
    ],
)
def test_a_rule_allows_what_kube_apiserver_s_does(
    given_rule: dict[str, Any], question: Attributes, allowed: bool
) -> None:
    """Verbs, groups, resources, names and paths match with the wildcards that there are, and no others."""
    parsed = PolicyRule.parse(given_rule)
    assert parsed.allows(question) is allowed
    assert bool(list(Role("r", [parsed]).index.find(question))) is allowed


VERBS = st.sampled_from(["get", "list", "*"])
GROUPS = st.sampled_from(["", "apps", "*"])
RESOURCES = st.sampled_from(["pods", "pods/log", "*", "*/log", "pods/*", "*/*"])
NAMES = st.sampled_from(["a", "b", ""])
URLS = st.sampled_from(["/a", "/a/*", "/a*", "*", "/*", "/a/b"])


def lists(of: st.SearchStrategy[str], least: int = 0) -> st.SearchStrategy[list[str]]:
    return st.lists(of, min_size=least, max_size=3)


RULES = st.builds(
    lambda verbs, groups, resources, names, urls: {
        "verbs": verbs,
        "apiGroups": groups,
        "resources": resources,
        "resourceNames": names,
        "nonResourceURLs": urls,
    },
    lists(VERBS),
    lists(GROUPS),
    lists(RESOURCES),
    lists(NAMES),
    lists(URLS),
)
QUESTIONS = st.one_of(
    st.builds(
        lambda verb, group, resource, name: ask(verb, resource, api_group=group, name=name),
        st.sampled_from(["get", "list", "watch"]),
        st.sampled_from(["", "apps", "batch"]),
        st.sampled_from(["pods", "pods/log", "pods/exec", "nodes", "nodes/log"]),
        st.sampled_from(["", "a", "c"]),
    ),
    st.builds(
        lambda verb, path: ask(verb, path=path),
        st.sampled_from(["get", "list", "watch"]),
        st.sampled_from(["/", "/a", "/a/b", "/a/b/c", "/ab", "/b"]),
    ),
)


def naive(checked: dict[str, Any], question: Attributes) -> bool:
    """Rule matching once more, written along kube-apiserver's evaluation_helpers and nothing else."""

    def any_of(wanted: list[str], *values: str) -> bool:
        return any(each in ("*", *values) for each in wanted)

    if not any_of(checked["verbs"], question.verb):
        return False
    if not question.resource_request:
        return any(
            url in ("*", question.path) or (url.endswith("*") and question.path.startswith(url.rstrip("*")))
            for url in checked["nonResourceURLs"]
        )
    combined = question.resource + ("/" + question.subresource if question.subresource else "")
    resources = any_of(checked["resources"], combined) or (
        question.subresource != "" and f"*/{question.subresource}" in checked["resources"]
    )
    names = not checked["resourceNames"] or question.name in checked["resourceNames"]
    return any_of(checked["apiGroups"], question.api_group) and resources and names


@given(st.lists(RULES, max_size=5), QUESTIONS)
def test_the_index_finds_the_first_rule_that_allows(rules: list[dict[str, Any]], question: Attributes) -> None:
    """Whatever the rules, the compiled index answers as going through them one by one does."""
    parsed = [PolicyRule.parse(each) for each in rules]
    expected = [position for position, each in enumerate(rules) if naive(each, question)]
    assert [position for position, each in enumerate(parsed) if each.allows(question)] == expected
    found = [grant.position for grant in Role("r", parsed).index.find(question)]
    assert set(found) <= set(expected)
    assert (min(found) if found else None) == (expected[0] if expected else None)
