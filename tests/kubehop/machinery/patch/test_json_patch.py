"""JSON patches."""

from __future__ import annotations

import contextlib
import copy

import jsonpatch
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubehop.machinery.patch import json_patch
from kubehop.machinery.patch.json_patch import JsonPatchError


@pytest.mark.parametrize(
    ("document", "operations", "result"),
    [
        ({"a": 1}, [{"op": "add", "path": "/b", "value": 2}], {"a": 1, "b": 2}),
        ({"a": 1}, [{"op": "add", "path": "/a", "value": None}], {"a": None}),
        ({"a": 1}, [{"op": "add", "path": "/b"}], {"a": 1, "b": None}),
        ({"a": [1, 2]}, [{"op": "add", "path": "/a/1", "value": 9}], {"a": [1, 9, 2]}),
        ({"a": [1, 2]}, [{"op": "add", "path": "/a/-", "value": 9}], {"a": [1, 2, 9]}),
        ({"a": [1, 2]}, [{"op": "add", "path": "/a/-1", "value": 9}], {"a": [1, 2, 9]}),
        ({"a": [1, 2]}, [{"op": "remove", "path": "/a/-1"}], {"a": [1]}),
        ({"a": 1, "b": 2}, [{"op": "remove", "path": "/b"}], {"a": 1}),
        ({"a": 1}, [{"op": "replace", "path": "/b", "value": 2}], {"a": 1, "b": 2}),
        ({"a": 1}, [{"op": "replace", "path": "", "value": {"z": 1}}], {"z": 1}),
        ({"a": {"b": 1}}, [{"op": "move", "from": "/a/b", "path": "/c"}], {"a": {}, "c": 1}),
        ({"a": {"b": 1}}, [{"op": "copy", "from": "/a", "path": "/c"}], {"a": {"b": 1}, "c": {"b": 1}}),
        ({"a/b": 1, "m~n": 2}, [{"op": "remove", "path": "/a~1b"}, {"op": "remove", "path": "/m~0n"}], {}),
        ({"a": 1}, [{"op": "test", "path": "/a", "value": 1}], {"a": 1}),
        ({"a": 1}, [{"op": "test", "path": "/b"}], {"a": 1}),
        ({"a": 1}, [{"op": "add", "path": "data/x", "value": 2}], {"a": 1, "x": 2}),
        ({"": 1}, [{"op": "remove", "path": "/"}], {}),
    ],
)
def test_operations(document, operations, result):
    """Each operation does what json-patch v4 does."""
    before = copy.deepcopy((document, operations))
    assert json_patch.apply(document, operations) == result
    assert (document, operations) == before


@pytest.mark.parametrize(
    "operation",
    [
        {"op": "add", "path": "/b/c", "value": 1},
        {"op": "add", "path": "", "value": {}},
        {"op": "add", "value": 1},
        {"op": "add", "path": 5},
        {"op": "add", "path": "/a/9", "value": 1},
        {"op": "add", "path": "/a/x", "value": 1},
        {"op": "add", "path": "/a/-9", "value": 1},
        {"op": "add", "path": "/s/x", "value": 1},
        {"op": "remove", "path": "/b"},
        {"op": "remove", "path": "/a/2"},
        {"op": "replace", "path": "/a/5", "value": 1},
        {"op": "replace", "path": "", "value": 1},
        {"op": "move", "from": "/b", "path": "/c"},
        {"op": "move", "path": "/c"},
        {"op": "test", "path": "/s", "value": "other"},
        {"op": "test", "path": "/a", "value": [1.0, 2]},
        {"op": "merge", "path": "/a"},
        {"path": "/a"},
        None,
    ],
)
def test_operations_that_fail(operation):
    """What cannot be done fails the whole patch."""
    document = {"a": [1, 2], "s": "text"}
    with pytest.raises(JsonPatchError):
        json_patch.apply(document, [operation])
    assert document == {"a": [1, 2], "s": "text"}


def test_copies_are_bounded():
    """A patch cannot grow a document beyond reason by copying it into itself."""
    operations = [{"op": "copy", "from": "", "path": "/x"}] * 2
    with pytest.raises(JsonPatchError):
        json_patch.apply({"a": 1}, operations)
    operations = [{"op": "copy", "from": "/a", "path": f"/a/{n}"} for n in range(40)]
    with pytest.raises(JsonPatchError, match="accumulated size"):
        json_patch.apply({"a": {"text": "x" * 1000}}, operations)


_values = st.recursive(
    st.none() | st.booleans() | st.integers(0, 5) | st.sampled_from(["x", "y"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=8,
)
_paths = st.lists(st.sampled_from(["a", "b", "c", "0", "1", "-"]), min_size=1, max_size=3).map(
    lambda steps: "/" + "/".join(steps)
)
_operations = st.one_of(
    st.fixed_dictionaries({"op": st.just("add"), "path": _paths, "value": _values}),
    st.fixed_dictionaries({"op": st.just("remove"), "path": _paths}),
    st.fixed_dictionaries({"op": st.sampled_from(["move", "copy"]), "path": _paths, "from": _paths}),
)


@given(st.dictionaries(st.sampled_from("abc"), _values, max_size=3), st.lists(_operations, max_size=4))
def test_agrees_with_another_library(document, operations):
    """Where the RFC says what happens, it is what another implementation does."""
    try:
        expected = jsonpatch.apply_patch(document, operations)
    except (jsonpatch.JsonPatchException, jsonpatch.JsonPointerException):
        return  # the RFC refuses more than json-patch v4 does
    except (TypeError, AttributeError, KeyError):
        return  # the other library stumbles over a step into a scalar
    if any(
        step in operation.get("from", "") + operation["path"] + "/"
        for operation in operations
        for step in ("/-/", "/-1")
    ):
        return  # a dash in the middle is the library's own extension
    if any(operation["op"] == "move" and operation["path"].startswith(operation["from"]) for operation in operations):
        return  # moving something into itself: undefined
    try:
        assert json_patch.apply(document, operations) == expected
    except JsonPatchError:
        # a scalar string can be indexed in Python, not in JSON
        assert any(isinstance(value, str) for value in _scalars(document, operations))


def _scalars(*values):
    for value in values:
        if isinstance(value, dict):
            yield from _scalars(*value.values())
        elif isinstance(value, list):
            yield from _scalars(*value)
        else:
            yield value


@given(_values, st.lists(st.one_of(_values, _operations), max_size=4))
def test_no_patch_breaks_it(document, operations):
    """Any patch applies or is refused."""
    with contextlib.suppress(JsonPatchError):
        json_patch.apply(document, operations)
