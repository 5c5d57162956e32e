"""The algebra of field sets, held against plain sets of paths."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from kubehop.machinery.apply import fieldsets

ELEMENTS = st.sampled_from(["f:a", "f:b", 'k:{"name":"x"}', 'v:"y"', "i:0"])
PATHS = st.lists(ELEMENTS, min_size=1, max_size=4).map(tuple)
SETS = st.sets(PATHS, max_size=8)


def build(paths: set[tuple[str, ...]]) -> fieldsets.FieldSet:
    return fieldsets.from_paths(sorted(paths))


def listed(fields: fieldsets.FieldSet) -> set[tuple[str, ...]]:
    return set(fieldsets.paths(fields))


@given(SETS)
def test_paths_read_back(a: set[tuple[str, ...]]) -> None:
    """A set lists just the paths that it was made of."""
    assert listed(build(a)) == a


@given(SETS, SETS)
def test_operations_are_those_of_sets(a: set[tuple[str, ...]], b: set[tuple[str, ...]]) -> None:
    """Union, difference and intersection act on elements."""
    assert listed(fieldsets.union(build(a), build(b))) == a | b
    assert listed(fieldsets.difference(build(a), build(b))) == a - b
    assert listed(fieldsets.intersection(build(a), build(b))) == a & b


@given(SETS, SETS)
def test_recursive_difference_takes_subtrees(a: set[tuple[str, ...]], b: set[tuple[str, ...]]) -> None:
    """What lies below a removed element goes with it."""
    want = {p for p in a if not any(p[: len(q)] == q for q in b)}
    assert listed(fieldsets.recursive_difference(build(a), build(b))) == want


@given(SETS, PATHS)
def test_has_path(a: set[tuple[str, ...]], path: tuple[str, ...]) -> None:
    """Membership is of the element itself."""
    assert fieldsets.has_path(build(a), path) == (path in a)


@given(SETS)
def test_operations_change_nothing_in_place(a: set[tuple[str, ...]]) -> None:
    """Sets are shared, so no operation may touch its operands; canonical order keeps the meaning."""
    fields = build(a)
    fieldsets.union(fields, {"f:new": {}})
    fieldsets.difference(fields, fields)
    assert listed(fieldsets.canonical(fields)) == a == listed(fields)


def test_path_text() -> None:
    """Paths read as kube-apiserver prints them."""
    path = ("f:spec", "f:containers", 'k:{"name":"web","port":80}', "f:args", 'v:"x"', "i:3")
    assert fieldsets.path_text(path) == '.spec.containers[name="web",port=80].args[="x"][3]'
