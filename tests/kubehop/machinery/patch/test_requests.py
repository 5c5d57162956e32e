"""PATCH requests: bodies of all types applied to an object."""

from __future__ import annotations

import contextlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubehop.machinery import negotiation
from kubehop.machinery.patch import json_patch, requests
from kubehop.machinery.status import StatusError
from tests.kubehop.machinery.deployments import DEPLOYMENT_KIND, SCHEME

_CURRENT = {
    "kind": "Deployment",
    "apiVersion": "apps/v1",
    "metadata": {"name": "web", "labels": {"app": "web"}},
    "spec": {"replicas": 1, "template": {"containers": [{"name": "a", "image": "1"}]}},
}
_TYPES = {
    "json": negotiation.JSON_PATCH,
    "merge": negotiation.MERGE_PATCH,
    "strategic": negotiation.STRATEGIC_MERGE_PATCH,
}


def patch(kind, body, validation=""):
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return requests.patch_object(
        _TYPES[kind], data, _CURRENT, scheme=SCHEME, expected=DEPLOYMENT_KIND, field_validation=validation
    )


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("json", [{"op": "replace", "path": "/spec/replicas", "value": 2}]),
        ("merge", {"spec": {"replicas": 2}}),
        ("strategic", {"spec": {"replicas": 2}}),
    ],
)
def test_each_type_patches(kind, body):
    """The object comes back patched, and the current one stays."""
    obj, warnings = patch(kind, body)
    assert obj == _CURRENT | {"spec": {**_CURRENT["spec"], "replicas": 2}}
    assert warnings == []
    assert _CURRENT["spec"]["replicas"] == 1


@pytest.mark.parametrize(
    ("kind", "body", "warning"),
    [
        (
            "json",
            b'[{"op":"add","path":"/spec/x","value":1,"more":{"a":1}}]',
            ['json patch unknown field "[0].more"', 'unknown field "spec.x"'],
        ),
        (
            "json",
            b'[{"op":"add","path":"/x","value":{"a":1,"a":2}}]',
            ['json patch duplicate field "[0].value.a"', 'unknown field "x"'],
        ),
        (
            "merge",
            b'{"spec":{"replicas":1,"replicas":2},"x":1}',
            ['duplicate field "spec.replicas"', 'unknown field "x"'],
        ),
        ("strategic", b'{"x":1,"x":2,"a":1}', ['duplicate field "x"', 'unknown field "a"', 'unknown field "x"']),
    ],
)
def test_strictness(kind, body, warning):
    """Unknown and repeated fields warn, refuse a strict request, or are ignored."""
    assert patch(kind, body)[1] == warning
    assert patch(kind, body, "Ignore")[1] == []
    with pytest.raises(StatusError) as caught:
        patch(kind, body, "Strict")
    (cause,) = caught.value.details["causes"]
    assert (caught.value.code, cause["field"], cause["reason"]) == (422, "patch", "FieldValueInvalid")
    assert cause["message"].endswith(f"strict decoding error: {', '.join(warning)}")


@pytest.mark.parametrize(
    ("kind", "body", "validation", "code", "message"),
    [
        (
            "json",
            b"{}",
            "",
            400,
            "error decoding patch: json: cannot unmarshal object into Go value of type []handlers.jsonPatchOp",
        ),
        ("json", b"{}", "Ignore", 400, "json: cannot unmarshal object into Go value of type jsonpatch.Patch"),
        ("json", b"[1]", "Ignore", 400, "json: cannot unmarshal number into Go value of type jsonpatch.Operation"),
        (
            "json",
            b"[1]",
            "",
            400,
            "error decoding patch: json: cannot unmarshal number into Go value of type handlers.jsonPatchOp",
        ),
        (
            "json",
            b'[{"op":1}]',
            "",
            400,
            "error decoding patch: json: cannot unmarshal number into Go struct field jsonPatchOp.op of type string",
        ),
        ("json", b"[", "", 400, "error decoding patch: unexpected end of JSON input"),
        (
            "json",
            b'[{"op":"test","path":"/kind","value":"x"}]',
            "",
            422,
            "the server rejected our request due to an error in our request",
        ),
        ("json", b"[null]", "", 422, "the server rejected our request due to an error in our request"),
        (
            "merge",
            b"[]",
            "",
            400,
            "error decoding patch: json: cannot unmarshal array into Go value of type map[string]interface {}",
        ),
        ("merge", b"null", "", 400, "Invalid JSON Patch"),
        ("merge", b"{", "", 400, "error decoding patch: unexpected end of JSON input"),
        ("merge", b"{", "Ignore", 400, "Invalid JSON Patch"),
        ("merge", b"5", "Ignore", 400, "Invalid JSON Patch"),
        ("strategic", b"[]", "", 400, "json: cannot unmarshal array into Go value of type map[string]interface {}"),
        ("strategic", b"{", "", 400, "unexpected end of JSON input"),
        ("strategic", b'{"$retainKeys":1}', "", 400, "invalid patch format of retainKeys"),
        (
            "strategic",
            b'{"spec":{"template":{"containers":[{"image":"x"}]}}}',
            "",
            500,
            "map: map[image:x] does not contain declared merge key: name",
        ),
        (
            "strategic",
            b'{"spec":{"replicas":"three"}}',
            "",
            422,
            ' "" is invalid: patch: Invalid value: "map[spec:map[replicas:three]]": unrecognized type: int32',
        ),
        (
            "merge",
            b'{"spec":{"replicas":"three"}}',
            "",
            422,
            (
                ' "" is invalid: patch: Invalid value: "{\\"apiVersion\\":\\"apps/v1\\",\\"kind\\":\\"Deployment\\",'
                '\\"metadata\\":{\\"labels\\":{\\"app\\":\\"web\\"},\\"name\\":\\"web\\"},'
                '\\"spec\\":{\\"replicas\\":\\"three\\",'
                '\\"template\\":{\\"containers\\":[{\\"image\\":\\"1\\",\\"name\\":\\"a\\"}]}}}": '
                "json: cannot unmarshal string "
                "into Go struct field DeploymentSpec.spec.replicas of type int32"
            ),
        ),
    ],
)
def test_errors(kind, body, validation, code, message):
    """Patches that are none, fail, or make no such object are answered as kube-apiserver answers them."""
    with pytest.raises(StatusError) as caught:
        patch(kind, body, validation)
    assert (caught.value.code, caught.value.message) == (code, message)


def test_too_many_operations():
    """A patch of more than ten thousand operations is too large."""
    operations = [{"op": "test", "path": "/kind", "value": "Deployment"}] * (json_patch.MAX_OPERATIONS + 1)
    with pytest.raises(StatusError) as caught:
        patch("json", operations)
    assert caught.value.message == (
        "Request entity too large: The allowed maximum operations in a JSON patch is 10000, got 10001"
    )
    assert patch("json", operations[:-1])[0] == _CURRENT


def test_nothing_to_do():
    """Empty patches change nothing."""
    for kind, body in (
        ("json", b"[]"),
        ("json", b"null"),
        ("merge", b"{}"),
        ("strategic", b"{}"),
        ("strategic", b"null"),
    ):
        assert patch(kind, body) == (_CURRENT, [])


@given(
    st.sampled_from(sorted(_TYPES)),
    st.binary(max_size=30) | st.text(alphabet='{}[]"$,:apopthvlue/1 ', max_size=50).map(str.encode),
    st.sampled_from(["", "Ignore", "Strict"]),
)
def test_no_body_breaks_it(kind, body, validation):
    """Any body patches or is a clear 4xx."""
    with contextlib.suppress(StatusError):
        patch(kind, body, validation)
