"""Bodies held against schemas: what is kept, what is complained of, in whose words."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubehop.machinery import codec, decoding
from kubehop.machinery.decoding import TypeMismatchError
from kubehop.machinery.status import StatusError
from tests.kubehop.machinery.deployments import DEPLOYMENT, DEPLOYMENT_KIND, SCHEME, SECRET, SECRET_KIND


def decode(data, kind=DEPLOYMENT_KIND, media_type=codec.JSON, validation="", **options):
    if not isinstance(data, (bytes, str)):
        data = json.dumps(data)
    data = data.encode() if isinstance(data, str) else data
    return decoding.decode_object(data, media_type, SCHEME, kind, field_validation=validation, **options)


def refused(*args, **kwargs):
    with pytest.raises(StatusError) as caught:
        decode(*args, **kwargs)
    assert (caught.value.code, caught.value.reason) == (400, "BadRequest")
    return caught.value.message


_HEAD = {"kind": "Deployment", "apiVersion": "apps/v1"}


def test_an_object_is_kept_as_go_keeps_it():
    """Nulls and what Go omits when empty are gone; pointers, structs and required lists stay; numbers are canonical."""
    obj, warnings = decode(
        {
            "metadata": {
                "name": "a",
                "labels": {},
                "annotations": None,
                "creationTimestamp": "2026-01-02T05:04:05+02:00",
            },
            "spec": {
                "replicas": 0,
                "paused": False,
                "ratio": 2.0,
                "strategy": {"type": "", "maxSurge": 0},
                "template": {
                    "containers": [
                        {
                            "name": "",
                            "image": "",
                            "args": [],
                            "limits": {"cpu": 1.5, "memory": "1024Mi", "x": None},
                            "securityContext": {},
                        },
                        None,
                    ],
                    "volumes": [],
                    "priority": None,
                    "raw": {"a": None, "b": []},
                },
            },
            "status": {},
        }
    )
    assert warnings == []
    assert obj == _HEAD | {
        "metadata": {"name": "a", "creationTimestamp": "2026-01-02T03:04:05Z"},
        "spec": {
            "replicas": 0,
            "ratio": 2,
            "strategy": {"maxSurge": 0},
            "template": {
                "containers": [
                    {"name": "", "limits": {"cpu": "1500m", "memory": "1Gi", "x": "0"}, "securityContext": {}},
                    {},
                ],
                "raw": {"a": None, "b": []},
            },
        },
        "status": {},
    }
    assert list(obj)[:2] == ["kind", "apiVersion"]


def test_completion_writes_what_go_writes():
    """Empty structs kept by value and fields without omitempty are there, whether or not somebody set them."""
    obj, _ = decode({})
    decoding.complete(DEPLOYMENT, obj)
    assert obj == _HEAD | {
        "metadata": {},
        "spec": {"selector": None, "strategy": {}, "template": {"containers": None}},
        "status": {},
    }


def test_completion_passes_over_nulls():
    """A null list or map inside another is left alone, and completing twice changes nothing."""
    obj = {"spec": {"selector": None, "template": {"containers": [{"limits": None}, {}]}}}
    decoding.complete(DEPLOYMENT, obj)
    assert obj["spec"]["template"]["containers"] == [{"limits": None, "name": ""}, {"name": ""}]
    once = json.dumps(obj)
    decoding.complete(DEPLOYMENT, obj)
    assert json.dumps(obj) == once


@pytest.mark.parametrize(
    ("body", "error"),
    [
        (
            {"spec": {"replicas": "2"}},
            "cannot unmarshal string into Go struct field DeploymentSpec.spec.replicas of type int32",
        ),
        (
            {"spec": {"replicas": True}},
            "cannot unmarshal bool into Go struct field DeploymentSpec.spec.replicas of type int32",
        ),
        ({"spec": []}, "cannot unmarshal array into Go struct field Deployment.spec of type v1.DeploymentSpec"),
        ({"metadata": "a"}, "cannot unmarshal string into Go struct field Deployment.metadata of type v1.ObjectMeta"),
        (
            {"metadata": {"labels": ["x"]}},
            "cannot unmarshal array into Go struct field ObjectMeta.metadata.labels of type map[string]string",
        ),
        (
            {"metadata": {"labels": {"a": 1}}},
            "cannot unmarshal number into Go struct field ObjectMeta.metadata.labels of type string",
        ),
        (
            {"spec": {"template": {"containers": {}}}},
            "cannot unmarshal object into Go struct field PodSpec.spec.template.containers of type []v1.Container",
        ),
        (
            {"spec": {"template": {"containers": ["x"]}}},
            "cannot unmarshal string into Go struct field PodSpec.spec.template.containers of type v1.Container",
        ),
        (
            {"spec": {"template": {"containers": [{"args": [1]}]}}},
            "cannot unmarshal number into Go struct field Container.spec.template.containers.args of type string",
        ),
        (
            {"spec": {"template": {"containers": [{"pullPolicy": 1}]}}},
            (
                "cannot unmarshal number into Go struct field Container.spec.template.containers.pullPolicy of "
                "type v1.PullPolicy"
            ),
        ),
        (
            {"spec": {"strategy": {"maxSurge": 1.5}}},
            "cannot unmarshal number 1.5 into Go struct field DeploymentStrategy.spec.strategy.maxSurge of type int32",
        ),
        (
            {"spec": {"strategy": {"maxSurge": []}}},
            "cannot unmarshal array into Go struct field DeploymentStrategy.spec.strategy.maxSurge of type int32",
        ),
        (
            {"metadata": {"creationTimestamp": 5}},
            "cannot unmarshal number into Go struct field ObjectMeta.metadata.creationTimestamp of type string",
        ),
        (
            '{"spec": {"replicas": 1.50}}',
            "cannot unmarshal number 1.50 into Go struct field DeploymentSpec.spec.replicas of type int32",
        ),
        (
            '{"spec": {"replicas": 99999999999}}',
            "cannot unmarshal number 99999999999 into Go struct field DeploymentSpec.spec.replicas of type int32",
        ),
        (
            '{"spec": {"ratio": 1e999}}',
            "cannot unmarshal number 1e999 into Go struct field DeploymentSpec.spec.ratio of type float64",
        ),
    ],
)
def test_wrong_types(body, error):
    """A value of the wrong type is told in encoding/json's words, with the struct and the path of fields."""
    assert refused(body) == f'Deployment in version "v1" cannot be handled as a Deployment: json: {error}'


@pytest.mark.parametrize(
    ("body", "error"),
    [
        (
            {"metadata": {"creationTimestamp": "x"}},
            'parsing time "x" as "2006-01-02T15:04:05Z07:00": cannot parse "x" as "2006"',
        ),
        (
            {"spec": {"template": {"containers": [{"limits": {"cpu": "x"}}]}}},
            ("quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"),
        ),
    ],
)
def test_types_that_read_themselves(body, error):
    """Times and quantities complain without their place, and before any wrong type that was noted."""
    body = {"kind": "Deployment", "spec": {"replicas": "x"}, **body} if "metadata" in body else body
    assert refused(body) == f'Deployment in version "v1" cannot be handled as a Deployment: {error}'


@pytest.mark.parametrize(
    ("text", "position"),
    [
        ("not base64!", 3),
        ("YQ", 2),
        ("YQ=", 3),
        ("Y===", 1),
        ("YQ==x", 4),
        ("YQ=x", 2),
        ("Y", 0),
        ("é", 0),
        ("YWJj=", 4),
    ],
)
def test_base64(text, position):
    """Bytes that are no base64 are told where they stop being it."""
    if text == "YQ":
        position = 0
    message = refused({"data": {"k": text}}, SECRET_KIND)
    assert message.endswith(f"illegal base64 data at input byte {position}")


def test_base64_is_kept_canonical():
    """Line breaks inside base64 are read over."""
    obj, _ = decode({"data": {"k": "YW\nJj", "empty": "", "null": None}}, SECRET_KIND)
    assert obj["data"] == {"k": "YWJj", "empty": "", "null": None}


_UNKNOWN = (
    '{"spec": {"replica": 1, "template": {"containers": [{"name": "a", "foo": 1}, {"name": "b", "name": "c"}]},'
    ' "selector": {"a": "1", "a": "2"}}, "Metadata": {}, "spec": {"paused": true}}'
)
_ERRORS = [
    'unknown field "spec.replica"',
    'unknown field "spec.template.containers[0].foo"',
    'duplicate field "spec.template.containers[1].name"',
    'duplicate field "spec.selector.a"',
    'unknown field "Metadata"',
    'duplicate field "spec"',
]


def test_strict_errors_come_in_document_order():
    """Unknown and repeated fields refuse a strict request, warn by default, and are nothing to one that "
    "ignores them."""
    assert refused(_UNKNOWN, validation="Strict") == (
        f'Deployment in version "v1" cannot be handled as a Deployment: strict decoding error: {", ".join(_ERRORS)}'
    )
    for validation in ("", "Warn"):
        obj, warnings = decode(_UNKNOWN, validation=validation)
        assert warnings == _ERRORS
        assert obj["spec"] == {
            "selector": {"a": "2"},
            "template": {"containers": [{"name": "a"}, {"name": "c"}]},
            "paused": True,
        }
    assert decode(_UNKNOWN, validation="Ignore")[1] == []


def test_yaml_bodies():
    """A YAML body is the object that it means; its repeated keys are complained of first."""
    text = "metadata: {name: a}\nspec:\n  paused: on\n  paused: yes\n  extra: 1\n"
    obj, warnings = decode(text, media_type=codec.YAML)
    assert obj["spec"] == {"paused": True}
    assert warnings == ['line 4: key "paused" already set in map', 'unknown field "spec.extra"']
    assert refused(text, media_type=codec.YAML, validation="Strict").endswith(
        'strict decoding error: yaml: unmarshal errors:\n  line 4: key "paused" already set in map, '
        'unknown field "spec.extra"'
    )


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("", "couldn't get version/kind; json parse error: unexpected end of JSON input (<empty>)"),
        (
            "[]",
            (
                "couldn't get version/kind; json parse error: json: cannot unmarshal array into Go value of "
                "type struct "
                '{ APIVersion string "json:\\"apiVersion,omitempty\\""; Kind string '
                '"json:\\"kind,omitempty\\"" } (5b5d)'
            ),
        ),
        (
            '{"kind": 5}',
            (
                "couldn't get version/kind; json parse error: json: cannot unmarshal number into Go struct field "
                '.kind of type string ({"kind": 5})'
            ),
        ),
        (
            '{"apiVersion": "a/b/c", "kind": "x", "y": 1}',
            'unexpected GroupVersion string: a/b/c ({"apiVersion": "a/b/c", "kind" ...)',
        ),
        (
            '{"apiVersion": "other/", "kind": "X"}',
            (
                "Object 'apiVersion' is missing in "
                '\'{"apiVersion": "other/", "kind": "X"}\' ({"apiVersion": "other/", "kind ...)'
            ),
        ),
    ],
)
def test_unrecognized_bodies(body, message):
    """A body that does not say what it is shows its beginning."""
    assert refused(body) == f"the object provided is unrecognized (must be of type Deployment): {message}"


def test_bad_yaml():
    """Go's YAML problem stands there without a prefix."""
    assert refused("a: [", media_type=codec.YAML).startswith(
        "the object provided is unrecognized (must be of type Deployment): yaml: "
    )


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (
            {"apiVersion": "v1", "kind": "Nothing"},
            (
                'Nothing in version "v1" cannot be handled as a Deployment: '
                'no kind "Nothing" is registered for version "v1" in scheme "test/scheme.go:1"'
            ),
        ),
        (
            {"apiVersion": "v1", "kind": "Secret"},
            (
                'Secret in version "v1" cannot be handled as a Deployment: '
                "converting (v1.Secret) to (apps.Deployment): unknown conversion"
            ),
        ),
        (
            {"apiVersion": "apps/v1beta1", "kind": "Deployment"},
            "the API version in the data (apps/v1beta1) does not match the expected API version (apps/v1)",
        ),
    ],
)
def test_other_kinds(body, message):
    """An object of another kind or version is told which one was expected."""
    assert refused(body) == message


def test_types_are_completed():
    """What a body does not say of its type is what the URL says; null is an empty object."""
    assert decode("null")[0] == _HEAD
    assert decode({"apiVersion": None, "kind": ""})[0] == _HEAD
    assert decode({"apiVersion": "apps/v1beta1"}, check_version=False)[0]["apiVersion"] == "apps/v1beta1"


def test_summaries():
    """Bodies are shown by thirty bytes, in hexadecimal unless they look like an object."""
    assert decoding.summary(b"abc") == "616263"
    assert decoding.summary(b"x" * 31) == "78" * 30 + " ..."
    assert decoding.internal_package("") == "core"
    assert decoding.internal_package("rbac.authorization.k8s.io") == "rbac"


@pytest.mark.parametrize(
    ("value", "error"),
    [
        ({"spec": {"template": {"containers": "x"}}}, "cannot restore slice from string"),
        ({"spec": {"selector": []}}, "cannot restore map from slice"),
        ({"spec": 5}, "cannot restore struct from: int64"),
        ({"spec": {"replicas": "x"}}, "unrecognized type: int32"),
        ({"spec": {"replicas": 1.5}}, "cannot convert float64 to int32"),
        ({"spec": {"paused": 1}}, "unrecognized type: bool"),
        ({"metadata": {"name": 1}}, "cannot convert int64 to string"),
        ({"metadata": {"name": True}}, "unrecognized type: string"),
        ({"spec": {"strategy": {"maxSurge": {}}}}, "json: cannot unmarshal object into Go value of type int32"),
    ],
)
def test_patched_objects_have_words_of_their_own(value, error):
    """The converter of patched objects complains otherwise than the decoder of bodies."""
    with pytest.raises(TypeMismatchError, match=f"^{error}$"):
        decoding.restore_value(DEPLOYMENT, value)


def test_patched_objects_are_kept_alike():
    """Numbers become the type of their field, unknown fields go and are named in order of their text."""
    restored = decoding.restore_value(DEPLOYMENT, {"b": 1, "spec": {"replicas": 2.0, "x": 1, "ratio": 1}, "a": 1})
    assert restored.value == {"spec": {"replicas": 2, "ratio": 1}}
    assert restored.strict_errors == ['unknown field "a"', 'unknown field "b"', 'unknown field "spec.x"']


_scalars = (
    st.none()
    | st.booleans()
    | st.integers(-(1 << 65), 1 << 65)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=6)
)
_FIELDS = [
    "metadata",
    "spec",
    "status",
    "name",
    "labels",
    "replicas",
    "template",
    "containers",
    "limits",
    "args",
    "env",
    "strategy",
    "maxSurge",
    "selector",
    "creationTimestamp",
    "raw",
    "data",
    "other",
    "volumes",
    "ratio",
]
_documents = st.recursive(
    _scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(_FIELDS), inner, max_size=5),
    max_leaves=25,
)


@given(_documents, st.sampled_from([DEPLOYMENT_KIND, SECRET_KIND]), st.sampled_from(["", "Strict", "Ignore"]))
def test_no_document_breaks_it(document, kind, validation):
    """Any document is an object, which reads as itself again, or a 400."""
    try:
        obj, _ = decode(document, kind, validation=validation)
    except StatusError:
        return
    again, warnings = decode(obj, kind, validation="Strict")
    assert again == obj
    assert warnings == []


@given(_documents, st.sampled_from([DEPLOYMENT, SECRET]))
def test_both_readers_agree(document, node):
    """What the fast way reads, the exact readers read alike and without complaint."""
    if not isinstance(document, dict):
        return
    try:
        fast = decoding.fast_reader(node)(document)
    except Exception:
        return
    exact = decoding.decode_value(node, document, repeats=True)
    assert exact.value == fast
    assert exact.strict_errors == []
    assert decoding.restore_value(node, document).value == fast
