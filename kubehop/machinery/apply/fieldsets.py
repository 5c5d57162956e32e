"""Sets of field paths, kept in the very form in which metadata.managedFields carries them (FieldsV1).

A set is a nested dict: each key is a path element, each value what lies below it. `{}` below an element means that the
element itself is in the set and nothing below it; `"."` beside children means that the element is in the set as well.
Path elements are "f:name" (a field or map key), "k:{...}" (an item of a keyed list, its keys as canonical JSON),
"v:value" (an item of a set) and "i:0" (a position). The sets are never changed in place, so they share what they can.

The operations are those of structured merge: difference and intersection act on elements, not on subtrees, except
where the name says so.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import Any, TypeAlias

import orjson

FieldSet: TypeAlias = dict[str, Any]
"""FieldsV1 as a dict; see the module's docstring."""

MEMBER: FieldSet = {}
"""What lies below an element that is in the set by itself."""

SELF = "."


def key_element(keys: dict[str, Any]) -> str:
    """The path element of a keyed list's item."""
    return "k:" + orjson.dumps(keys, option=orjson.OPT_SORT_KEYS).decode()


def value_element(value: Any) -> str:
    """The path element of a set's item."""
    return "v:" + orjson.dumps(value).decode()


def is_member(node: FieldSet | None) -> bool:
    """True when the element above `node` is in the set itself."""
    return node is not None and (not node or SELF in node)


def union(a: FieldSet, b: FieldSet) -> FieldSet:
    """Elements of either set."""
    if not a:
        return b
    if not b:
        return a
    out = dict(a)
    for element, theirs in b.items():
        mine = out.get(element)
        out[element] = theirs if mine is None else _union_node(mine, theirs)
    return out


def _union_node(a: FieldSet, b: FieldSet) -> FieldSet:
    if not a and not b:
        return a
    if not a:
        return b if SELF in b else {SELF: MEMBER, **b}
    if not b:
        return a if SELF in a else {SELF: MEMBER, **a}
    return union(a, b)


def difference(a: FieldSet, b: FieldSet) -> FieldSet:
    """Elements of `a` that are not in `b`; an element of `b` takes nothing below it along."""
    if not b or not a:
        return a
    out = {}
    for element, mine in a.items():
        theirs = b.get(element)
        left = mine if theirs is None else _difference_node(mine, theirs)
        if left is not None:
            out[element] = left
    return out


def _difference_node(a: FieldSet, b: FieldSet) -> FieldSet | None:
    if not a:
        return None if is_member(b) else a
    own = SELF in a and not is_member(b)
    children = {e: n for e, n in difference({e: n for e, n in a.items() if e != SELF}, b).items() if e != SELF}
    if own:
        return {SELF: MEMBER, **children} if children else MEMBER
    return children or None


def recursive_difference(a: FieldSet, b: FieldSet) -> FieldSet:
    """Elements of `a` that are neither in `b` nor below an element of `b`."""
    if not b or not a:
        return a
    out = {}
    for element, mine in a.items():
        theirs = b.get(element)
        if theirs is None:
            out[element] = mine
        elif is_member(theirs):
            continue
        elif not mine:
            out[element] = mine
        else:
            below = recursive_difference({e: n for e, n in mine.items() if e != SELF}, theirs)
            if SELF in mine:
                out[element] = {SELF: MEMBER, **below} if below else MEMBER
            elif below:
                out[element] = below
    return out


def intersection(a: FieldSet, b: FieldSet) -> FieldSet:
    """Elements of both sets."""
    out = {}
    for element, mine in a.items():
        if element == SELF or element not in b:
            continue
        theirs = b[element]
        below = intersection(mine, theirs) if mine and theirs else MEMBER
        if is_member(mine) and is_member(theirs):
            out[element] = {SELF: MEMBER, **below} if below else MEMBER
        elif below:
            out[element] = below
    return out


def has_path(fields: FieldSet, path: tuple[str, ...]) -> bool:
    """True when the element at `path` is in the set."""
    node: FieldSet | None = fields
    for element in path:
        node = node.get(element) if node else None
        if node is None:
            return False
    return is_member(node)


def paths(fields: FieldSet, prefix: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Every element of the set, in canonical order."""
    for element in sorted(fields, key=_order):
        if element == SELF:
            continue
        node = fields[element]
        at = (*prefix, element)
        if is_member(node):
            yield at
        yield from paths(node, at)


def from_paths(items: Iterator[tuple[str, ...]] | list[tuple[str, ...]]) -> FieldSet:
    """The set of these paths."""
    out: FieldSet = {}
    for path in items:
        out = union(out, nest(path))
    return out


def nest(path: tuple[str, ...]) -> FieldSet:
    """The set of one path."""
    node = MEMBER
    for element in reversed(path):
        node = {element: node}
    return node


def insert(fields: FieldSet, element: str) -> None:
    """Put `element` itself into a set that is still being built."""
    node = fields.get(element)
    if node is None:
        fields[element] = MEMBER
    elif node and SELF not in node:
        fields[element] = {SELF: MEMBER, **node}


def canonical(fields: FieldSet) -> FieldSet:
    """The same set with its elements in canonical order, so that equal sets are equal bytes."""
    if not fields:
        return {}
    elements = sorted(fields)
    if elements[-1] >= "i" and elements[0] < "k":  # else the alphabet's order is the canonical one
        elements.sort(key=_order)
    return {element: canonical(below) if (below := fields[element]) else {} for element in elements}


_RANK = {".": 0, "f": 1, "k": 2, "v": 3, "i": 4}


def _order(element: str) -> tuple[int, str]:
    return _RANK.get(element[0], 5), element


def path_text(path: tuple[str, ...]) -> str:
    """A path as people read it: .spec.containers[name="web"].image."""
    return "".join(map(_element_text, path))


def _element_text(element: str) -> str:
    kind, content = element[0], element[2:]
    if kind == "f":
        return "." + content
    if kind == "k":
        keys = orjson.loads(content)
        return "[" + ",".join(f"{name}={_value_text(keys[name])}" for name in sorted(keys)) + "]"
    if kind == "v":
        return f"[={_value_text(orjson.loads(content))}]"
    return f"[{content}]"


def _value_text(value: Any) -> str:
    return orjson.dumps(value).decode()


class MalformedFieldsError(ValueError):
    """metadata.managedFields holds something that is no set of fields."""


def check(fields: Any) -> FieldSet:
    """Take a set from outside; raises MalformedFieldsError where it is none."""
    if not isinstance(fields, dict):
        raise MalformedFieldsError(f"fields must be an object, not {type(fields).__name__}")
    waiting = [fields]
    while waiting:
        for element, node in waiting.pop().items():
            if not isinstance(node, dict):
                raise MalformedFieldsError(f"what lies below {element!r} must be an object")
            if element != SELF:
                if len(element) > _SHORT:
                    _check_element(element)
                else:
                    _check_short_element(element)
                if node:
                    waiting.append(node)
    return fields


_SHORT = 64
"""Length up to which elements are worth remembering: the same ones come with every write of a kind."""


@lru_cache(maxsize=4096)
def _check_short_element(element: str) -> None:
    _check_element(element)


def _check_element(element: str) -> None:
    kind, separator, content = element[:1], element[1:2], element[2:]
    if separator != ":" or kind not in _RANK:
        raise MalformedFieldsError(f"{element!r} is no path element")
    try:
        if kind == "k" and not isinstance(orjson.loads(content), dict):
            raise MalformedFieldsError(f"{element!r} has no keys")
        if kind == "v":
            orjson.loads(content)
        if kind == "i":
            int(content)
    except ValueError as error:
        raise MalformedFieldsError(f"{element!r} is no path element") from error
