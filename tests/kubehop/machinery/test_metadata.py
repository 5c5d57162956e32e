"""Object metadata: what the server sets, keeps and checks."""

from __future__ import annotations

import re

import pytest

from kubehop.machinery import fields, metadata, names
from kubehop.machinery.status import StatusError


def test_new_objects():
    """The server alone says uid, creationTimestamp and deletion; a name is generated where one is asked for."""
    obj = {
        "spec": {},
        "metadata": {
            "labels": {"a": "b"},
            "generateName": "web-",
            "uid": "mine",
            "resourceVersion": "7",
            "selfLink": "/x",
            "creationTimestamp": "2000-01-01T00:00:00Z",
            "deletionTimestamp": "2000-01-01T00:00:00Z",
            "deletionGracePeriodSeconds": 5,
        },
        "kind": "Pod",
        "apiVersion": "v1",
    }
    metadata.set_system_fields(obj, now="2026-01-02T03:04:05Z")
    meta = obj["metadata"]
    assert re.fullmatch("web-[bcdfghjklmnpqrstvwxz2456789]{5}", meta["name"])
    assert not names.uuid(meta["uid"])
    assert meta["creationTimestamp"] == "2026-01-02T03:04:05Z"
    assert list(meta) == ["name", "generateName", "uid", "creationTimestamp", "labels"]
    assert list(obj) == ["kind", "apiVersion", "metadata", "spec"]


def test_generated_names_stay_short():
    """A prefix is cut so that the name fits a DNS label."""
    assert len(metadata.generated_name("a" * 100)) == 63


@pytest.mark.parametrize(
    ("own", "namespaced", "after"), [("", True, "shop"), ("shop", True, "shop"), ("", False, None), ("x", False, None)]
)
def test_namespaces(own, namespaced, after):
    """An object takes the namespace of its request."""
    obj = {"metadata": {"namespace": own} if own else {}}
    metadata.ensure_namespace(obj, "shop", namespaced=namespaced)
    assert obj["metadata"].get("namespace") == after


def test_a_namespace_that_does_not_match():
    """An object of another namespace is refused."""
    with pytest.raises(StatusError, match="the namespace of the provided object does not match the namespace sent on"):
        metadata.ensure_namespace({"metadata": {"namespace": "x"}}, "shop", namespaced=True)


@pytest.mark.parametrize(
    ("meta", "message"),
    [
        ({"name": "b"}, "the name of the object (b) does not match the name on the URL (a)"),
        ({}, "the name of the object (a based on URL) was undeterminable: name must be provided"),
        (
            {"name": "a", "namespace": "x"},
            "the namespace of the object (x) does not match the namespace on the request (shop)",
        ),
    ],
)
def test_names_of_urls(meta, message):
    """An object sent to a URL carries the URL's name."""
    with pytest.raises(StatusError, match=re.escape(message)):
        metadata.check_name({"metadata": meta}, "a", "shop")


def test_updates_keep_what_they_may_not_change():
    """Generation, uid and times stay as they were."""
    old = {
        "metadata": {
            "uid": "u",
            "generation": 3,
            "creationTimestamp": "c",
            "deletionTimestamp": "d",
            "deletionGracePeriodSeconds": 0,
        }
    }
    new = {"metadata": {"generation": 9, "creationTimestamp": "x", "selfLink": "/y"}}
    metadata.prepare_update(new, old)
    assert new["metadata"] == old["metadata"]
    new = {"metadata": {"uid": "other", "generation": 9}}
    metadata.prepare_update(new, {"metadata": {"uid": "u"}})
    assert new["metadata"] == {"uid": "other"}


def test_generations():
    """A generation counts the changes of everything but metadata and status."""
    old = {"metadata": {"generation": 1}, "spec": {"a": 1}, "status": {}}
    same = {"metadata": {"labels": {}}, "spec": {"a": 1}, "status": {"b": 1}}
    other = {"metadata": {}, "spec": {"a": 2}}
    assert not metadata.spec_changed(same, old)
    assert metadata.spec_changed(other, old)
    assert not metadata.spec_changed(other, old, ignore=["spec"])
    metadata.bump_generation(other, old)
    assert metadata.generation(other) == 2


def _texts(errors):
    return list(map(str, errors))


def test_good_metadata():
    """Nothing is said of what is well."""
    obj = {
        "metadata": {
            "name": "a",
            "namespace": "shop",
            "labels": {"a.b/c": "d"},
            "annotations": {"A.b/C": "x y"},
            "ownerReferences": [{"apiVersion": "v1", "kind": "Pod", "name": "p", "uid": "u", "controller": True}],
            "finalizers": ["a.b/c"],
            "managedFields": [{"manager": "m", "operation": "Apply", "fieldsType": "FieldsV1"}],
        }
    }
    assert metadata.validate(obj, namespaced=True, name_rule=names.name_is_dns_label) == []


@pytest.mark.parametrize(
    ("meta", "text"),
    [
        ({}, "metadata.name: Required value: name or generateName is required"),
        ({"name": "a/b"}, "metadata.name: Invalid value: \"a/b\": may not contain '/'"),
        ({"name": "a", "generation": -1}, "metadata.generation: Invalid value: -1: must be greater than or equal to 0"),
        (
            {"name": "a", "annotations": {"k": "x" * (256 * 1024)}},
            "metadata.annotations: Too long: may not be more than 262144 bytes",
        ),
        (
            {"name": "a", "ownerReferences": [{"apiVersion": "v1", "kind": "Pod", "name": "p"}]},
            'metadata.ownerReferences.uid: Invalid value: "": must not be empty',
        ),
        (
            {"name": "a", "ownerReferences": [{"apiVersion": "", "kind": "Pod", "name": "p", "uid": "u"}]},
            'metadata.ownerReferences.apiVersion: Invalid value: "": version must not be empty',
        ),
        (
            {"name": "a", "ownerReferences": [{"apiVersion": "v1", "kind": "Event", "name": "p", "uid": "u"}]},
            (
                'metadata.ownerReferences: Invalid value: {"apiVersion":"v1","kind":"Event","name":"p","uid":"u"}: '
                "/v1, Kind=Event is disallowed from being an owner"
            ),
        ),
        (
            {"name": "a", "finalizers": ["orphan", "foregroundDeletion"]},
            (
                'metadata.finalizers: Invalid value: ["orphan","foregroundDeletion"]: '
                "finalizer orphan and foregroundDeletion cannot be both set"
            ),
        ),
        (
            {"name": "a", "managedFields": [{"operation": "Guess"}]},
            'metadata.managedFields[0].operation: Invalid value: "Guess": must be `Apply` or `Update`',
        ),
    ],
)
def test_bad_metadata(meta, text):
    """Each rule has its words."""
    assert _texts(metadata.validate({"metadata": meta}, namespaced=False)) == [text]


def test_two_controllers():
    """Only one owner may be the controller; all owners are printed."""
    owners = [{"apiVersion": "v1", "kind": "Pod", "name": name, "uid": name, "controller": True} for name in "ab"]
    (error,) = metadata.validate({"metadata": {"name": "x", "ownerReferences": owners}}, namespaced=False)
    assert error.body.startswith(
        'Invalid value: [{"apiVersion":"v1","kind":"Pod","name":"a","uid":"a","controller":true}'
    )
    assert error.body.endswith(
        'Only one reference can have Controller set to true. Found "true" in references for Pod/a and Pod/b'
    )


def test_namespace_rules():
    """A namespaced object has a namespace, another has none."""
    assert _texts(metadata.validate({"metadata": {"name": "a"}}, namespaced=True)) == [
        "metadata.namespace: Required value"
    ]
    assert _texts(metadata.validate({"metadata": {"name": "a", "namespace": "x"}}, namespaced=False)) == [
        "metadata.namespace: Forbidden: not allowed on this type"
    ]


def test_bad_updates():
    """What may not change is told so."""
    old = {"metadata": {"name": "a", "uid": "u", "generation": 2, "deletionTimestamp": "t", "finalizers": ["x.y/z"]}}
    new = {"metadata": {"name": "b", "uid": "v", "generation": 1, "deletionTimestamp": "t", "finalizers": ["x.y/w"]}}
    assert _texts(metadata.validate_update(new, old)) == [
        (
            "metadata.finalizers: Forbidden: no new finalizers can be added if the object is being deleted, "
            'found new finalizers []string{"x.y/w"}'
        ),
        'metadata.resourceVersion: Invalid value: "": must be specified for an update',
        "metadata.generation: Invalid value: 1: must not be decremented",
        'metadata.name: Invalid value: "b": field is immutable',
        'metadata.uid: Invalid value: "v": field is immutable',
    ]


@pytest.mark.parametrize(
    ("kind", "options", "message"),
    [
        (
            "PatchOptions",
            {"apply": True},
            'PatchOptions.meta.k8s.io "" is invalid: fieldManager: Required value: is required for apply patch',
        ),
        (
            "PatchOptions",
            {"force": False},
            'PatchOptions.meta.k8s.io "" is invalid: force: Forbidden: may not be specified for non-apply patch',
        ),
        (
            "CreateOptions",
            {"field_manager": "a\nb"},
            (
                'CreateOptions.meta.k8s.io "" is invalid: fieldManager: Invalid value: "a\\nb": '
                "invalid character U+000A (at position 1)"
            ),
        ),
        (
            "UpdateOptions",
            {"field_manager": "a" * 129},
            'UpdateOptions.meta.k8s.io "" is invalid: fieldManager: Too long: may not be more than 128 bytes',
        ),
        (
            "CreateOptions",
            {"field_validation": "strict"},
            (
                'CreateOptions.meta.k8s.io "" is invalid: fieldValidation: Unsupported value: "strict": '
                'supported values: "", "Ignore", "Strict", "Warn"'
            ),
        ),
        (
            "CreateOptions",
            {"dry_run": ["Some"]},
            'CreateOptions.meta.k8s.io "" is invalid: dryRun: Unsupported value: ["Some"]: supported values: "All"',
        ),
    ],
)
def test_options(kind, options, message):
    """Options of requests are checked as apimachinery checks them."""
    with pytest.raises(StatusError) as caught:
        metadata.validate_options(kind, **options)
    assert (caught.value.code, caught.value.message) == (422, message)


def test_delete_options():
    """Dependents are treated in one of three ways, told once."""
    assert metadata.validate_delete_options({"propagationPolicy": "Orphan", "dryRun": ["All"]}) == []
    assert _texts(metadata.validate_delete_options({"propagationPolicy": "Later", "orphanDependents": True})) == [
        'propagationPolicy: Invalid value: "Later": orphanDependents and deletionPropagation cannot be both set',
        'propagationPolicy: Unsupported value: "Later": supported values: "Foreground", "Background", "Orphan", "nil"',
    ]


def test_conditions():
    """A condition is complete and stands once."""
    good = {"type": "Ready", "status": "True", "reason": "Ok", "lastTransitionTime": "2026-01-01T00:00:00Z"}
    assert metadata.validate_condition_list([good], fields.Path("c")) == []
    errors = metadata.validate_condition_list([good, good | {"status": "Maybe", "reason": ""}], fields.Path("c"))
    assert _texts(errors) == [
        'c[1].type: Duplicate value: "Ready"',
        'c[1].status: Unsupported value: "Maybe": supported values: "False", "True", "Unknown"',
        "c[1].reason: Required value",
    ]
