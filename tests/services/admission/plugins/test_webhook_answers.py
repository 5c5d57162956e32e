"""Whatever a webhook answers, the stage stays whole: an answer is valid, or the call has failed, or it is refused."""

from __future__ import annotations

import base64
import contextlib
from typing import Any

import orjson
from hypothesis import given, settings
from hypothesis import strategies as st

from kubehop.machinery.objects import GroupVersionKind
from kubehop.machinery.status import StatusError
from services.admission.plugins.webhooks import reviews
from services.admission.plugins.webhooks.errors import CallError
from services.admission.plugins.webhooks.hooks import Hook
from services.admission.plugins.webhooks.matching import Invocation, Place
from services.admission.plugins.webhooks.mutating import MutatingAdmissionWebhook
from services.admission.plugins.webhooks.reviews import Answer, Question
from tests.services.admission.requests import create

HOOK = Hook("c", "h.example.com", 0, {})
QUESTION = Question("1", "v1", b"")
DEPLOYMENT = {
    "apiVersion": "apps/v1",
    "kind": "Deployment",
    "metadata": {"name": "d", "labels": {"a": "b"}},
    "spec": {"replicas": 1, "template": {"spec": {"containers": [{"name": "c", "image": "i"}]}}},
}

json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**40), 2**40) | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
responses = st.fixed_dictionaries(
    {},
    optional={
        "uid": st.just("1") | json_values,
        "allowed": st.booleans() | json_values,
        "status": st.dictionaries(st.sampled_from(["code", "message", "reason", "details", "status"]), json_values)
        | json_values,
        "patch": st.binary(max_size=20).map(lambda raw: base64.b64encode(raw).decode()) | json_values,
        "patchType": st.just("JSONPatch") | json_values,
        "warnings": json_values,
        "auditAnnotations": json_values,
    },
)
PATHS = """
/ /kind /apiVersion /metadata /metadata/name /metadata/labels /metadata/labels/a /nowhere/at/all
/spec /spec/replicas /spec/template/spec/containers/0 /spec/template/spec/containers/-
"""
paths = st.sampled_from(["", *PATHS.split()])
operations = st.fixed_dictionaries(
    {"op": st.sampled_from(["add", "remove", "replace", "move", "copy", "test", "what"]), "path": paths},
    optional={"value": json_values, "from": paths},
)


@settings(max_examples=300, deadline=None)
@given(response=responses | json_values, head=st.booleans())
def test_answers(response: Any, head: bool) -> None:
    """Any JSON is a valid answer or a failed call; a refusal always is a Status of an error."""
    review = {"response": response} | ({"kind": "AdmissionReview", "apiVersion": "admission.k8s.io/v1"} if head else {})
    with contextlib.suppress(CallError):
        answer = reviews.answer(HOOK, QUESTION, orjson.dumps(review), mutating=True)
        assert isinstance(answer.allowed, bool)
        refusal = reviews.refusal(HOOK, answer.status)
        assert 400 <= refusal.code < 1000
        assert isinstance(refusal.details.get("retryAfterSeconds", 0), int)
        orjson.dumps(refusal.details)
        assert refusal.message.startswith('admission webhook "h.example.com" denied the request')


@settings(max_examples=200, deadline=None)
@given(data=st.binary(max_size=60))
def test_bytes(data: bytes) -> None:
    """Any bytes are a failed call, if not an answer."""
    with contextlib.suppress(CallError):
        reviews.answer(HOOK, QUESTION, data, mutating=False)


@settings(max_examples=300, deadline=None)
@given(patch=st.lists(operations, max_size=4) | json_values)
def test_patches(patch: Any) -> None:
    """Any patch leaves an object of the kind with its types, or is refused and leaves the object as it was."""
    attributes = create("deployments", DEPLOYMENT, group="apps", namespace="ns")
    kind = GroupVersionKind("apps", "v1", "Deployment")
    invocation = Invocation(HOOK, Place("apps", "v1", "deployments"), kind)
    answer = Answer(allowed=True, patch=orjson.dumps(patch), patch_type="JSONPatch")
    try:
        changed = MutatingAdmissionWebhook._patch(invocation, attributes, answer, "round_0_index_0")
    except (CallError, StatusError):
        changed = False
    made = attributes.object
    if not changed:
        assert made == DEPLOYMENT
    assert (made["apiVersion"], made["kind"]) == ("apps/v1", "Deployment")
    assert isinstance(made.get("spec", {}).get("replicas", 1), int)
    labels = made.get("metadata", {}).get("labels") or {}
    assert all(isinstance(value, str) for value in labels.values())
