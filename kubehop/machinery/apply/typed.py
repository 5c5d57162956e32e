"""Walks of JSON values along their schema: which fields a value has, how two values differ, merge and removal.

Called by `updater`. A schema node is a leaf (scalars, atomic lists and maps, anything untyped), a granular map or
struct, or an associative list (keyed items or a set of scalars). Values are never changed in place.

The one thing that the walks know beyond JSON: a struct that Go keeps by value is never absent, an absent one is an
empty one (`Schema.value_structs`), and a required list is null rather than absent. That decides whether a manager owns
the struct itself or only what it set in it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from kubehop.machinery.apply.fieldsets import (
    MEMBER,
    SELF,
    FieldSet,
    insert,
    key_element,
    value_element,
)
from kubehop.machinery.schema import Schema


class _Missing:
    """There is no value, which is not the same as null."""


MISSING: Final = _Missing()


_ZEROS: Final[dict[str, Any]] = {"string": "", "integer": 0, "boolean": False}


class ElementError(ValueError):
    """An item of an associative list has no usable key."""


def is_granular_map(node: Schema | None) -> bool:
    """True for structs and maps whose fields are owned one by one."""
    return node is not None and node.map_type != "atomic" and (node.is_struct or node.additional is not None)


def list_keys(node: Schema) -> tuple[str, ...] | None:
    """The keys of an associative list's items, none for a set of scalars; None for an atomic list.

    Where no list type is declared, strategic merge's declaration counts (as in kube-openapi's schema conversion).
    """
    if node.list_type == "map":
        return node.list_map_keys
    if node.list_type == "set":
        return ()
    if not node.list_type and "merge" in node.patch_strategies:
        return (node.patch_merge_key,) if node.patch_merge_key else ()
    return None


def is_associative(node: Schema | None) -> bool:
    """True for lists whose items are owned one by one."""
    return node is not None and node.items is not None and list_keys(node) is not None


def field_schema(node: Schema, name: str) -> Schema | None:
    """The schema of a field or map value; None when it is not declared."""
    return node.field(name)


def _zero(struct: Schema, name: str, field: Schema) -> Any:
    """The value that a scalar of a Go struct has when nobody sets it: such a key is never absent.

    kube-openapi gives these fields of the built-in types a default; custom resources have none.
    """
    if struct.go is None or name not in struct.go.always or name in struct.go.pointers:
        return None
    return _ZEROS.get(field.type or "") if not field.role else None


def element_of(node: Schema, item: Any) -> str:
    """The path element of a list item; raises ElementError."""
    names = list_keys(node)
    if not names:
        if isinstance(item, dict):
            raise ElementError("associative list without keys has an element that's a map type")
        if isinstance(item, list):
            raise ElementError("not supported: associative list with lists as elements")
        if item is None:
            raise ElementError("associative list without keys has an element that's an explicit null")
        return value_element(item)
    if item is None:
        raise ElementError("associative list with keys may not have a null element")
    if not isinstance(item, dict):
        raise ElementError("associative list with keys may not have non-map elements")
    keys = {}
    assert node.items is not None
    for name in names:
        if name in item:
            keys[name] = item[name]
        else:
            known = node.items.properties.get(name)
            if known is not None and known.default is not None:
                keys[name] = known.default
            elif known is not None and (zero := _zero(node.items, name, known)) is not None:
                keys[name] = zero
    if not keys:
        listed = " ".join(f'"{k}"' for k in names)
        raise ElementError(
            f"associative list with keys has an element that omits all key fields [{listed}] "
            "(and doesn't have default values for any key fields)"
        )
    return key_element(keys)


def _elements(node: Schema, items: list[Any]) -> list[tuple[str, Any]]:
    """Items with their path elements; items without one are left out, as validation has reported them."""
    out = []
    for item in items:
        try:
            out.append((element_of(node, item), item))
        except ElementError:
            continue
    return out


def to_field_set(node: Schema, value: Any) -> FieldSet:
    """The fields that a configuration sets: what its manager owns after applying it."""
    return _fields(node, value) or {}


def _fields(node: Schema | None, value: Any) -> FieldSet | None:
    """What lies below a value's path; None where the walk inserts nothing, MEMBER for a leaf."""
    if node is not None and isinstance(value, dict) and is_granular_map(node):
        out: FieldSet = {}
        for name, child in value.items():
            element = "f:" + name
            if child is not None and not isinstance(child, dict | list):
                out[element] = MEMBER
                continue
            declared = name in node.properties
            below = _fields(field_schema(node, name), child)
            if below is not None:
                out[element] = below
            if child is None or child == {} or not declared:
                insert(out, element)
        return out or None
    if node is not None and isinstance(value, list) and is_associative(node):
        out = {}
        pairs = _elements(node, value)
        seen: dict[str, int] = {}
        for element, _ in pairs:
            seen[element] = seen.get(element, 0) + 1
        for element, item in pairs:
            if seen[element] == 1:
                below = _fields(node.items, item)
                if below:
                    out[element] = below
            insert(out, element)
        return out or None
    if value is None and node is not None and (is_granular_map(node) or is_associative(node)):
        return None
    return MEMBER


@dataclass(frozen=True, slots=True)
class Comparison:
    """How the right value differs from the left one; no field is in two of the sets."""

    added: FieldSet
    modified: FieldSet
    removed: FieldSet


def compare(node: Schema, left: Any, right: Any) -> Comparison:
    """Compare two objects of one schema."""
    added, modified, removed = _compare(node, left, right)
    return Comparison(_top(added), _top(modified), _top(removed))


def _top(node: FieldSet | None) -> FieldSet:
    """The object as a whole is never a member."""
    return {e: n for e, n in node.items() if e != SELF} if node else {}


_Triple = tuple[FieldSet | None, FieldSet | None, FieldSet | None]
_SAME: Final[_Triple] = (None, None, None)


def _compare(node: Schema | None, left: Any, right: Any) -> _Triple:
    if left is MISSING:
        return _whole(node, right), None, None
    if right is MISSING:
        return None, None, _whole(node, left)
    if left == right and type(left) is type(right):
        return _SAME
    if is_granular_map(node) and isinstance(left, dict | None) and isinstance(right, dict | None):
        if left or right:
            assert node is not None
            return _compare_maps(node, left or {}, right or {})
        return None, MEMBER, None
    if is_associative(node) and isinstance(left, list | None) and isinstance(right, list | None):
        if left or right:
            assert node is not None
            return _compare_lists(node, left or [], right or [])
        return None, MEMBER, None
    return None, MEMBER, None


def _whole(node: Schema | None, value: Any) -> FieldSet:
    """A value that only one side has: it and everything in it."""
    if isinstance(value, dict) and is_granular_map(node):
        assert node is not None
        out = {"f:" + name: _whole(field_schema(node, name), child) for name, child in value.items()}
        for name in node.value_structs:
            out.setdefault("f:" + name, MEMBER)
        return {SELF: MEMBER, **out} if out else MEMBER
    if isinstance(value, list) and value and is_associative(node):
        assert node is not None
        out = {}
        for element, item in _elements(node, value):
            out[element] = MEMBER if element in out else _whole(node.items, item)
        return {SELF: MEMBER, **out}
    return MEMBER


def _compare_maps(node: Schema, left: dict[str, Any], right: dict[str, Any]) -> _Triple:
    added: FieldSet = {}
    modified: FieldSet = {}
    removed: FieldSet = {}
    for name in (*left, *(n for n in right if n not in left)):
        here = left.get(name, MISSING)
        there = right.get(name, MISSING)
        if here is MISSING:
            here = _absent(node, name)
        elif there is MISSING:
            there = _absent(node, name)
        a, m, r = _compare(field_schema(node, name), here, there)
        element = "f:" + name
        if a is not None:
            added[element] = a
        if m is not None:
            modified[element] = m
        if r is not None:
            removed[element] = r
    return added or None, modified or None, removed or None


def _absent(node: Schema, name: str) -> Any:
    """What a field that a struct does not show stands for."""
    if name in node.value_structs:
        return {}
    if name in node.required and is_associative(node.properties.get(name)):
        return None
    return MISSING


def _compare_lists(node: Schema, left: list[Any], right: list[Any]) -> _Triple:
    here, there = _by_element(node, left), _by_element(node, right)
    added: FieldSet = {}
    modified: FieldSet = {}
    removed: FieldSet = {}
    for element in (*here, *(e for e in there if e not in here)):
        ls, rs = here.get(element, []), there.get(element, [])
        if len(ls) > 1 and len(rs) > 1:
            if ls != rs:
                modified[element] = MEMBER
            continue
        a, m, r = (
            _compare(
                node.items,
                MISSING if len(ls) != 1 else ls[0],
                MISSING if len(rs) != 1 else rs[0],
            )
            if len(ls) == 1 or len(rs) == 1
            else _SAME
        )
        for target, found in ((added, a), (modified, m), (removed, r)):
            if found is not None:
                target[element] = found
        if len(ls) > 1:
            insert(removed, element)
        elif len(rs) > 1:
            insert(added, element)
    return added or None, modified or None, removed or None


def _by_element(node: Schema, items: list[Any]) -> dict[str, list[Any]]:
    out: dict[str, list[Any]] = {}
    for element, item in _elements(node, items):
        out.setdefault(element, []).append(item)
    return out


def merge(node: Schema | None, left: Any, right: Any) -> Any:
    """The left value with everything that the right value sets."""
    if right is MISSING:
        return left
    if left is MISSING and not is_associative(node):
        return right
    if is_granular_map(node) and isinstance(left, dict | None) and isinstance(right, dict | None):
        if not left and not right:
            return right
        assert node is not None
        mine, theirs = left or {}, right or {}
        out = dict(mine)
        for name, value in theirs.items():
            if value is not None and not isinstance(value, dict | list):
                out[name] = value
                continue
            both = merge(field_schema(node, name), mine.get(name, MISSING), value)
            if both is MISSING:
                out.pop(name, None)
            else:
                out[name] = both
        return out
    if is_associative(node) and isinstance(right, list | None):
        mine_list = left if isinstance(left, list) else []
        if not mine_list and not right:
            return right
        assert node is not None
        return _merge_lists(node, mine_list, right or [])
    return right


def _merge_lists(node: Schema, left: list[Any], right: list[Any]) -> list[Any]:
    """Merge two associative lists: the right one's order where it says something, the left one's otherwise."""
    lefts, rights = _elements(node, left), _elements(node, right)
    mine: dict[str, Any] = {}
    for element, item in lefts:
        mine[element] = MISSING if element in mine else item  # duplicates are not merged with the new item
    theirs = dict(rights)
    shared = [element for element, _ in rights if element in mine]
    upcoming = iter(shared)
    expected = next(upcoming, None)
    out: list[Any] = []
    merged: set[str] = set()
    li = ri = 0
    while li < len(lefts) or ri < len(rights):
        if li < len(lefts) and ri < len(rights):
            element = lefts[li][0]
            if element == rights[ri][0]:
                out.append(merge(node.items, mine[element], theirs[element]))
                merged.add(element)
                li, ri = li + 1, ri + 1
                expected = next(upcoming, None)
                continue
            if element in theirs and expected is not None and expected != element:
                li += 1  # a shared item, but the right list wants another one first
                continue
        if li < len(lefts):
            element, item = lefts[li]
            if element not in theirs:
                out.append(item)
                li += 1
                continue
            if element in merged:
                li += 1
        if ri < len(rights):
            element = rights[ri][0]
            out.append(merge(node.items, mine.get(element, MISSING), theirs[element]))
            merged.add(element)
            ri += 1
            if expected == element:
                expected = next(upcoming, None)
    return out


def remove(node: Schema | None, value: Any, fields: FieldSet) -> Any:
    """The value without these fields; MISSING where nothing is left of it."""
    if isinstance(value, dict) and value and is_granular_map(node):
        assert node is not None
        out = {}
        for name, child in value.items():
            below = fields.get("f:" + name)
            if below is None:
                out[name] = child
            elif below and SELF not in below:
                out[name] = remove(field_schema(node, name), child, below)
        return {n: v for n, v in out.items() if v is not MISSING} or MISSING
    if isinstance(value, list) and value and is_associative(node):
        assert node is not None
        items = []
        for item in value:
            try:
                below = fields.get(element_of(node, item))
            except ElementError:
                below = None
            if below is None:
                items.append(item)
            elif below and SELF not in below:
                left = remove(node.items, item, below)
                if left is not MISSING:
                    items.append(left)
        return items or MISSING
    return MISSING if isinstance(value, dict | list) else value


def with_named_fields(node: Schema | None, fields: FieldSet) -> FieldSet:
    """The set with each declared struct field that leads to a member made a member itself."""
    out: FieldSet = {}
    for element, below in fields.items():
        if element == SELF:
            out[SELF] = below
            continue
        child: Schema | None = None
        declared = False
        if node is not None and element[0] == "f":
            declared = element[2:] in node.properties
            child = field_schema(node, element[2:])
        elif node is not None and element[0] == "k":
            child = node.items
        deeper = with_named_fields(child, below)
        if declared and deeper and SELF not in deeper:
            deeper = {SELF: MEMBER, **deeper}
        out[element] = deeper
    return out


def reconcile(node: Schema | None, fields: FieldSet) -> FieldSet:
    """A set that was written under an older schema, for types that became atomic since."""
    out: FieldSet = {}
    for element, below in fields.items():
        if not below or element == SELF or node is None:
            out[element] = below
            continue
        child = field_schema(node, element[2:]) if element[0] == "f" else node.items if element[0] in "kv" else None
        out[element] = MEMBER if _became_atomic(child) else reconcile(child, below)
    return out


def _became_atomic(node: Schema | None) -> bool:
    if node is None:
        return False
    if node.items is not None:
        return not is_associative(node)
    return node.map_type == "atomic"


__all__ = [
    "MISSING",
    "Comparison",
    "compare",
    "merge",
    "reconcile",
    "remove",
    "to_field_set",
    "with_named_fields",
]
