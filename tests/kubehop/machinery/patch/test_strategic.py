"""Strategic merge patches."""

from __future__ import annotations

import contextlib
import copy

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubehop.machinery.patch import strategic
from kubehop.machinery.patch.strategic import PatchFormatError, StrategicPatchError, UnsupportedListError
from tests.kubehop.machinery.deployments import DEPLOYMENT

_POD = DEPLOYMENT.at("spec", "template")
_META = DEPLOYMENT.at("metadata")


def containers(*names, **images):
    return [{"name": name, **({"image": images[name]} if name in images else {})} for name in names]


@pytest.mark.parametrize(
    ("original", "patch", "result"),
    [
        # lists merge by key; what is new goes before what only the server has
        (
            {"containers": containers("a", "b")},
            {"containers": containers("b", b="2")},
            {"containers": containers("a", "b", b="2")},
        ),
        ({"containers": containers("a")}, {"containers": containers("c")}, {"containers": containers("c", "a")}),
        ({}, {"containers": containers("c")}, {"containers": containers("c")}),
        # lists without a strategy are replaced
        ({"tolerations": [{"a": "1"}]}, {"tolerations": [{"b": "2"}]}, {"tolerations": [{"b": "2"}]}),
        # null deletes, and is dropped where there is nothing
        ({"priority": 1}, {"priority": None}, {}),
        ({}, {"raw": {"a": None, "b": [{"c": None, "d": 1}]}}, {"raw": {"b": [{"d": 1}]}}),
        # directives of elements
        (
            {"containers": containers("a", "b")},
            {"containers": [{"name": "a", "$patch": "delete"}]},
            {"containers": containers("b")},
        ),
        (
            {"containers": containers("a", "b")},
            {"containers": [{"$patch": "replace"}, {"name": "c"}]},
            {"containers": containers("c")},
        ),
        ({"containers": containers("a")}, {"containers": [{"$patch": "replace"}]}, {"containers": []}),
        # directives of maps
        ({"containers": [], "priority": 1}, {"$patch": "replace", "priority": 2}, {"priority": 2}),
        ({"priority": 1}, {"$patch": "delete"}, {}),
        # order
        (
            {"containers": containers("a", "b", "c")},
            {"$setElementOrder/containers": containers("c", "a"), "containers": containers("c", c="2")},
            {"containers": containers("b", "c", "a", c="2")},
        ),
        (
            {"containers": containers("a", "b")},
            {"$setElementOrder/containers": containers("b", "a")},
            {"containers": containers("b", "a")},
        ),
        (
            {},
            {"$setElementOrder/containers": containers("b", "a"), "containers": containers("b", "a")},
            {"containers": containers("b", "a")},
        ),
        # retained keys of elements
        (
            {"volumes": [{"name": "v", "emptyDir": {"a": "b"}}]},
            {"volumes": [{"name": "v", "secret": {"x": "y"}, "$retainKeys": ["name", "secret"]}]},
            {"volumes": [{"name": "v", "secret": {"x": "y"}}]},
        ),
        # a value of another type is taken whole
        ({"priority": 1}, {"priority": "x"}, {"priority": "x"}),
        ({"containers": "x"}, {"containers": containers("a")}, {"containers": containers("a")}),
    ],
)
def test_merging(original, patch, result):
    """Maps merge, lists merge as the schema says, directives are obeyed and gone."""
    before = copy.deepcopy((original, patch))
    assert strategic.apply(original, patch, _POD) == result
    assert (original, patch) == before


@pytest.mark.parametrize(
    ("original", "patch", "result"),
    [
        (["a", "b"], {"finalizers": ["c"]}, ["c", "a", "b"]),
        (["a", "b"], {"finalizers": ["b"]}, ["a", "b"]),
        (["a", "b", "c"], {"$deleteFromPrimitiveList/finalizers": ["a", "x"]}, ["b", "c"]),
        (["a", "b", "c"], {"$setElementOrder/finalizers": ["c", "a"]}, ["b", "c", "a"]),
        (
            ["a", "b"],
            {
                "$setElementOrder/finalizers": ["c", "b"],
                "$deleteFromPrimitiveList/finalizers": ["a"],
                "finalizers": ["c"],
            },
            ["c", "b"],
        ),
        ([], {"finalizers": []}, []),
    ],
)
def test_lists_of_scalars(original, patch, result):
    """Merged lists of scalars hold each value once."""
    merged = strategic.apply({"finalizers": original}, patch, _META)
    assert sorted(merged["finalizers"]) == sorted(result)
    if "$setElementOrder/finalizers" not in patch or len(result) == 2:
        assert merged["finalizers"] == result


def test_without_a_schema():
    """Where nobody knows merge keys, lists are replaced and maps still merge."""
    original = {"spec": {"containers": containers("a"), "x": 1}}
    assert strategic.apply(original, {"spec": {"containers": containers("b")}}) == {
        "spec": {"containers": containers("b"), "x": 1}
    }


@pytest.mark.parametrize(
    ("original", "patch", "kind", "error"),
    [
        (
            {"containers": containers("a")},
            {"containers": [{"image": "x"}]},
            StrategicPatchError,
            "map: map[image:x] does not contain declared merge key: name",
        ),
        (
            {"containers": containers("a")},
            {"$setElementOrder/containers": containers("z"), "containers": containers("a", a="1")},
            StrategicPatchError,
            "The order in patch list:\n[map[image:1 name:a]]\n doesn't match $setElementOrder list:\n[map[name:z]]\n",
        ),
        (
            {"priority": 1},
            {"$patch": "later"},
            StrategicPatchError,
            "unknown patch type: later in map: map[$patch:later]",
        ),
        (
            {"containers": containers("a")},
            {"containers": [{"$patch": "merge", "name": "a"}]},
            StrategicPatchError,
            "merging lists cannot yet be specified in the patch",
        ),
        (
            {"containers": containers("a")},
            {"containers": ["x"]},
            StrategicPatchError,
            "list element types are not identical: [[map[name:a]] [x]]",
        ),
        ({"containers": [["x"]]}, {"containers": [["y"]]}, UnsupportedListError, "lists of lists are not supported"),
        ({"volumes": []}, {"$retainKeys": "x"}, PatchFormatError, "invalid patch format of retainKeys"),
        ({"volumes": []}, {"$retainKeys": ["a"], "b": 1}, PatchFormatError, "invalid patch format of retainKeys"),
        (
            {"containers": []},
            {"$deleteFromPrimitiveList": ["a"]},
            PatchFormatError,
            "invalid patch format of primitive list",
        ),
        (
            {"containers": []},
            {"$setElementOrder": []},
            PatchFormatError,
            "invalid patch format of setElementOrder list",
        ),
        (
            {"containers": []},
            {"$setElementOrder/containers": "x"},
            StrategicPatchError,
            "expected a []interface {}, but received a string",
        ),
        (
            {"other": {"a": 1}},
            {"other": {"b": 1}},
            StrategicPatchError,
            'unable to find api field in struct PodSpec for the json field "other"',
        ),
        (
            {"containers": [{"name": "a", "env": [{"name": "x", "y": {}}]}]},
            {"containers": [{"name": "a", "env": [{"name": "x", "y": {}}]}]},
            StrategicPatchError,
            "merging an object in json but data type is not struct, instead is: map",
        ),
    ],
)
def test_errors(original, patch, kind, error):
    """What cannot be merged is told in strategicpatch's words, by how kube-apiserver answers it."""
    with pytest.raises(StrategicPatchError) as caught:
        strategic.apply(original, patch, _POD)
    assert (type(caught.value), str(caught.value)) == (kind, error)


def test_the_residue_is_what_later_complaints_print():
    """Directives that were carried out are gone from the patch that is left, not from the one that was given."""
    patch = {"$setElementOrder/containers": containers("a"), "containers": containers("a", a="1"), "priority": 2}
    merged = strategic.merge({"containers": containers("a")}, patch, _POD)
    assert merged.residue == {"priority": 2}
    assert "containers" in patch


_names = st.sampled_from("abcde")
_containers = st.lists(
    st.builds(lambda name, image: {"name": name, "image": image}, _names, _names),
    max_size=4,
    unique_by=lambda item: item["name"],
)


@given(_containers, _containers)
def test_merged_lists_hold_each_key_once_and_all_of_them(original, patch):
    """Every element of both is there, the patch's fields win, and merging again changes nothing."""
    if not original or not patch:
        return
    merged = strategic.apply({"containers": original}, {"containers": patch}, _POD)["containers"]
    by_name = {item["name"]: item for item in merged}
    assert len(by_name) == len(merged)
    assert by_name == {item["name"]: item for item in original} | {item["name"]: item for item in patch}
    assert strategic.apply({"containers": merged}, {"containers": patch}, _POD)["containers"] == merged


_values = st.recursive(
    st.none() | st.booleans() | st.integers(0, 3) | st.sampled_from(["x", "delete", "replace"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    "containers",
                    "volumes",
                    "name",
                    "env",
                    "$patch",
                    "$retainKeys",
                    "$setElementOrder/containers",
                    "$deleteFromPrimitiveList/args",
                    "args",
                    "metadata",
                    "spec",
                    "template",
                    "finalizers",
                ]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=20,
)


@given(_values, _values)
def test_no_patch_breaks_it(original, patch):
    """Any patch merges or is refused, and neither argument changes."""
    if not isinstance(original, dict) or not isinstance(patch, dict):
        return
    before = copy.deepcopy((original, patch))
    for schema in (DEPLOYMENT, _POD, None):
        with contextlib.suppress(StrategicPatchError):
            strategic.apply(original, patch, schema)
    assert (original, patch) == before
