"""What must hold for every apply, on generated Deployments."""

from __future__ import annotations

import copy
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from kubehop.kinds.schemas import schema_for
from kubehop.machinery.apply import fieldsets, typed
from kubehop.machinery.apply.manager import FieldManager
from kubehop.machinery.objects import GroupVersionKind, Object
from kubehop.machinery.schema import Schema

KIND = GroupVersionKind("apps", "v1", "Deployment")
SCHEMA = schema_for("apps", "v1", "Deployment")
NOW = "2024-01-01T00:00:00Z"


class OneVersion:
    """A kind with a single version."""

    def schema(self, version: str) -> Schema | None:
        return SCHEMA if version == "apps/v1" else None

    def convert(self, obj: Object, version: str) -> Object:
        return obj


MANAGER = FieldManager(KIND, OneVersion(), {"apps/v1": {"f:status": {}}})

WORDS = st.sampled_from(["a", "b", "c"])
MAPS = st.dictionaries(WORDS, WORDS, min_size=1, max_size=3)
CONTAINERS = st.lists(
    st.fixed_dictionaries(
        {"name": WORDS},
        optional={
            "image": WORDS,
            "args": st.lists(WORDS, min_size=1, max_size=2),
            "env": st.lists(
                st.fixed_dictionaries({"name": WORDS}, optional={"value": WORDS}),
                min_size=1,
                max_size=2,
                unique_by=lambda e: e["name"],
            ),
            "ports": st.lists(
                st.fixed_dictionaries({"containerPort": st.integers(1, 3)}),
                min_size=1,
                max_size=2,
                unique_by=lambda e: e["containerPort"],
            ),
        },
    ),
    min_size=1,
    max_size=3,
    unique_by=lambda c: c["name"],
)


@st.composite
def configurations(draw: st.DrawFn) -> Object:
    """A partial Deployment as somebody would apply it; without empty maps and lists, which Go's types do not keep."""
    spec: dict[str, Any] = draw(
        st.fixed_dictionaries({}, optional={"replicas": st.integers(0, 3), "paused": st.booleans()})
    )
    template = {"spec": {"containers": draw(CONTAINERS)}} if draw(st.booleans()) else None
    if template:
        spec["template"] = template
    meta: dict[str, Any] = {"name": "x"}
    if draw(st.booleans()):
        meta["labels"] = draw(MAPS)
    config = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": meta}
    return {**config, "spec": spec} if spec else config


def apply(live: Object | None, config: Object, manager: str) -> Object:
    base = copy.deepcopy(live)
    out = MANAGER.apply(base, copy.deepcopy(config), manager, NOW, force=True)
    assert base == live, "the live object was changed in place"
    return out


def plain(obj: Object) -> Object:
    """An object without what field management keeps in it, and without empty shells."""

    def bare(value: Any) -> Any:
        if isinstance(value, dict):
            return {k: b for k, v in value.items() if (b := bare(v)) not in ({}, [], None)}
        return [bare(v) for v in value] if isinstance(value, list) else value

    meta = {k: v for k, v in obj.get("metadata", {}).items() if k != "managedFields"}
    return dict(bare({**obj, "metadata": meta}))


def owned(obj: Object, manager: str) -> fieldsets.FieldSet:
    for entry in obj["metadata"].get("managedFields", []):
        if entry["manager"] == manager:
            return dict(entry["fieldsV1"])
    return {}


@given(configurations(), configurations())
@settings(max_examples=150, deadline=None)
def test_applying_twice_changes_nothing(first: Object, second: Object) -> None:
    """An apply is idempotent, alone and after somebody else's."""
    once = apply(apply(None, first, "other"), second, "me")
    assert apply(once, second, "me") == once


@given(configurations(), configurations())
@settings(max_examples=150, deadline=None)
def test_applying_nothing_removes_what_one_alone_owns(first: Object, second: Object) -> None:
    """After an empty apply the object is as if this manager had only ever shared what others own."""
    both = apply(apply(None, first, "other"), second, "me")
    empty = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "x"}}
    left = apply(both, empty, "me")
    assert owned(left, "me") == {}
    mine_alone = fieldsets.difference(owned(both, "me"), owned(both, "other"))
    present = typed.to_field_set(SCHEMA, left)
    for path in fieldsets.paths(owned(both, "other")):
        assert fieldsets.has_path(owned(left, "other"), path)
    leaves = [
        p
        for p in fieldsets.paths(mine_alone)
        if not any(q[: len(p)] == p and q != p for q in fieldsets.paths(owned(both, "other")))
    ]
    assert not [p for p in leaves if fieldsets.has_path(present, p)]


@given(configurations(), configurations(), configurations())
@settings(max_examples=150, deadline=None)
def test_no_field_is_owned_that_does_not_exist(a: Object, b: Object, c: Object) -> None:
    """Whatever is applied by whom, every owned path leads to something in the object."""
    live = apply(apply(apply(None, a, "one"), b, "two"), c, "one")
    everything = typed.with_named_fields(SCHEMA, typed.to_field_set(SCHEMA, live))
    for manager in ("one", "two"):
        for path in fieldsets.paths(owned(live, manager)):
            node: Any = everything
            for element in path:
                assert element in node, f"{manager} owns {fieldsets.path_text(path)}, which is not there"
                node = node[element]


@given(configurations())
@settings(max_examples=100, deadline=None)
def test_the_applied_configuration_is_in_the_object(config: Object) -> None:
    """Creating by apply gives what was applied."""
    assert plain(apply(None, config, "me")) == plain(config)
