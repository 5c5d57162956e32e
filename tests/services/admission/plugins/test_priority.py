"""Priority: classes resolved to numbers, contradictions refused, one default."""

from __future__ import annotations

import pytest

from services.admission.plugins.priority import Priority
from tests.services.admission.pods import pod, refusal
from tests.services.admission.requests import DictCluster, create, update

GROUP = "scheduling.k8s.io"


def priority_class(name, value, policy="PreemptLowerPriority", **rest):
    return {"metadata": {"name": name}, "value": value, "preemptionPolicy": policy, **rest}


def plugin(*classes):
    return Priority(DictCluster().hold(GROUP, "priorityclasses", *classes))


CLASSES = (priority_class("high", 100000), priority_class("never", 10, "Never"))


@pytest.mark.parametrize(
    ("spec", "resolved"),
    [
        ({}, {"priority": 0, "preemptionPolicy": "PreemptLowerPriority"}),
        ({"priorityClassName": "high"}, {"priority": 100000, "preemptionPolicy": "PreemptLowerPriority"}),
        ({"priorityClassName": "never"}, {"priority": 10, "preemptionPolicy": "Never"}),
        ({"priorityClassName": "high", "priority": 100000}, {"priority": 100000}),
    ],
)
async def test_a_new_pod_gets_number_and_policy(spec, resolved):
    """From its class, or 0 where there is neither class nor default."""
    attributes = create("pods", pod(**spec), namespace="n")
    await plugin(*CLASSES).admit(attributes)
    assert resolved.items() <= attributes.object["spec"].items()


async def test_the_default_class_is_named_in_the_pod():
    """Of two defaults the lower one counts."""
    attributes = create("pods", pod(), namespace="n")
    defaults = (priority_class("b", 9, globalDefault=True), priority_class("a", 5, globalDefault=True))
    await plugin(*defaults).admit(attributes)
    spec = attributes.object["spec"]
    assert (spec["priorityClassName"], spec["priority"]) == ("a", 5)


@pytest.mark.parametrize(
    ("spec", "problem"),
    [
        ({"priorityClassName": "gone"}, "no PriorityClass with name gone was found"),
        (
            {"priority": 7},
            (
                "the integer value of priority (7) must not be provided in pod spec; priority admission controller"
                " computed 0 from the given PriorityClass name"
            ),
        ),
        (
            {"priorityClassName": "high", "preemptionPolicy": "Never"},
            (
                "the string value of PreemptionPolicy (Never) must not be provided in pod spec; priority admission"
                " controller computed PreemptLowerPriority from the given PriorityClass name"
            ),
        ),
    ],
)
async def test_contradictions_are_refused(spec, problem):
    """The words of kube-apiserver."""
    attributes = create("pods", pod(**spec), namespace="n")
    assert await refusal(plugin(*CLASSES).admit, attributes) == f'pods "p" is forbidden: {problem}'


async def test_an_update_keeps_what_the_pod_was_given():
    """A client that sends the pod without its number changes nothing."""
    old = pod(priority=5, preemptionPolicy="Never")
    attributes = update("pods", pod(), old, namespace="n")
    await plugin().admit(attributes)
    assert attributes.object["spec"]["priority"] == 5
    assert attributes.object["spec"]["preemptionPolicy"] == "Never"


async def test_only_one_class_is_the_default():
    """A second default is refused, the same one may be updated."""
    first = priority_class("first", 1, globalDefault=True)
    second = priority_class("second", 1, globalDefault=True)
    said = await refusal(plugin(first).validate, create("priorityclasses", second, group=GROUP))
    assert said == (
        'priorityclasses.scheduling.k8s.io "second" is forbidden: PriorityClass first is already marked as default.'
        " Only one default can exist"
    )
    assert await refusal(plugin(first).validate, update("priorityclasses", first, first, group=GROUP)) == ""
    assert await refusal(plugin().validate, create("priorityclasses", first, group=GROUP)) == ""
