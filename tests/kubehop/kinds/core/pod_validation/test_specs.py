"""Specs of pods that are refused, rule by rule, worded as kube-apiserver words it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.kubehop.kinds.validating import refused, strategy

PODS = strategy("", "pods")
CONTAINER: dict[str, Any] = {"name": "c", "image": "i"}
CASES = yaml.safe_load(Path(__file__).with_name("refused.yaml").read_text())


def cases(part: str) -> list[Any]:
    return [pytest.param(case["given"], case["errors"], id=case["errors"][0][:60]) for case in CASES[part]]


def errors(**spec: Any) -> list[str]:
    return refused(PODS, {"serviceAccountName": "default", "containers": [CONTAINER], **spec})


def test_a_small_pod_is_fine():
    """A name and an image are enough."""
    assert errors() == []


@pytest.mark.parametrize(("given", "expected"), cases("containers"))
def test_containers(given, expected):
    """What a container may not be."""
    texts = errors(containers=[{**CONTAINER, **given}])
    assert [text.removeprefix("spec.containers[0].") for text in texts] == expected


@pytest.mark.parametrize(("given", "expected"), cases("volumes"))
def test_volumes(given, expected):
    """What a volume may not be."""
    texts = errors(volumes=[{"name": "v", **given}])
    assert [text.removeprefix("spec.volumes[0].") for text in texts] == expected


@pytest.mark.parametrize(("given", "expected"), cases("specs"))
def test_the_rest_of_the_spec(given, expected):
    """What the pod as a whole may not be."""
    assert errors(**given) == expected


def test_annotations_agree_with_fields():
    """An annotation that once stood for a field is held to its form and to the field."""
    noted = {
        "container.seccomp.security.alpha.kubernetes.io/c": "runtime/default",
        "controller.kubernetes.io/pod-deletion-cost": "+1",
        "container.apparmor.security.beta.kubernetes.io/z": "odd",
    }
    context = {"seccompProfile": {"type": "Unconfined"}}
    spec = {"serviceAccountName": "a", "containers": [{**CONTAINER, "securityContext": context}]}
    cost = "metadata.annotations[controller.kubernetes.io/pod-deletion-cost]"
    seccomp = "spec.containers[0].securityContext.seccompProfile.type"
    app_armor = "metadata.annotations[container.apparmor.security.beta.kubernetes.io/z]"
    assert refused(PODS, spec, metadata={"annotations": noted}) == [
        f'{cost}: Invalid value: "+1": must be a 32bit integer',
        f'{app_armor}: Invalid value: "z": container not found',
        f'{app_armor}: Invalid value: "odd": invalid AppArmor profile name: "odd"',
        f"{seccomp}: Forbidden: seccomp type in annotation and field must match",
    ]
