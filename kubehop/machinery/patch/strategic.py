"""Strategic merge patch: maps merged, lists merged by their merge keys, directives obeyed.

Called by `requests` for PATCH, by admission and controllers that patch as kubectl does. Behaviour and words of
k8s.io/apimachinery/pkg/util/strategicpatch: `$patch` (replace, delete), `$retainKeys`, `$setElementOrder/<list>`,
`$deleteFromPrimitiveList/<list>`. A schema says which lists merge and by what; without one lists are replaced.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final, NamedTuple

from kubehop.machinery import gotext
from kubehop.machinery.objects import Object, deep_copy
from kubehop.machinery.schema import Schema

_DIRECTIVE: Final = "$patch"
_RETAIN_KEYS: Final = "$retainKeys"
_DELETE_FROM: Final = "$deleteFromPrimitiveList"
_SET_ORDER: Final = "$setElementOrder"


class StrategicPatchError(ValueError):
    """A patch that cannot be applied, in strategicpatch's words; kube-apiserver answers 500 with them."""


class PatchFormatError(StrategicPatchError):
    """A directive that is malformed; kube-apiserver answers 400."""


class UnsupportedListError(StrategicPatchError):
    """Lists of lists; kube-apiserver answers 422 and keeps the words to itself."""


class Merged(NamedTuple):
    """What a merge gives."""

    value: Object
    """The merged object."""
    residue: Object
    """The patch as the merge leaves it, directives taken out: kube-apiserver prints this one in later complaints."""


def apply(original: Object, patch: Object, schema: Schema | None = None) -> Object:
    """The object with the patch merged into it; StrategicPatchError."""
    return merge(original, patch, schema).value


def merge(original: Object, patch: Object, schema: Schema | None = None) -> Merged:
    """Like `apply`, with the patch that is left."""
    residue = deep_copy(patch)
    try:
        return Merged(_merge_map(deep_copy(original), residue, schema), residue)
    except RecursionError:
        raise PatchFormatError("invalid JSON document") from None


# --- what the schema says ---------------------------------------------------------------------------------------------


class _Meta(NamedTuple):
    schema: Schema | None
    strategy: str
    merge_key: str


_NO_META: Final = _Meta(None, "", "")
_GO_KINDS: Final = {"integer": "int64", "number": "float64", "boolean": "bool", "array": "slice"}


def _kind(schema: Schema) -> str:
    if schema.additional is not None or (schema.type == "object" and not schema.is_struct):
        return "map"
    if schema.items is not None:
        return "slice"
    return "interface" if schema.type is None else _GO_KINDS.get(schema.type, schema.type)


def _lookup(schema: Schema | None, key: str) -> _Meta:
    """The schema of a field and how it is patched; an error for fields that the type does not have."""
    if schema is None:
        return _NO_META
    if not schema.is_struct:
        raise StrategicPatchError(f"merging an object in json but data type is not struct, instead is: {_kind(schema)}")
    node = schema.properties.get(key)
    if node is None:
        raise StrategicPatchError(
            f"unable to find api field in struct {schema.name} for the json field {gotext.quote(key)}"
        )
    strategy = next((one for one in ("merge", "replace") if one in node.patch_strategies), "")
    return _Meta(node, strategy, node.patch_merge_key)


def _lookup_list(schema: Schema | None, key: str) -> _Meta:
    meta = _lookup(schema, key)
    if meta.schema is None or schema is None:
        return meta
    if meta.schema.items is None:
        raise StrategicPatchError("expected slice or array type, but got: struct")
    return meta._replace(schema=meta.schema.items)


# --- maps -------------------------------------------------------------------------------------------------------------


def _merge_map(original: Object, patch: Object, schema: Schema | None) -> Object:
    if _DIRECTIVE in patch:
        return _replaced_map(patch)
    _retain_keys(original, patch)
    _set_element_order(original, patch, schema)
    for key in list(patch):
        value = patch[key]
        name, deletes = key, False
        if key.startswith(_DELETE_FROM):
            name, deletes = _list_name(key, _DELETE_FROM, "invalid patch format of primitive list"), True
        if value is None:
            original.pop(name, None)
            continue
        current = original.get(name)
        if isinstance(current, dict) and isinstance(value, dict):
            meta = _lookup(schema, name)
            replaces = meta.strategy == "replace"
            original[name] = value if replaces else _merge_map(current, value, meta.schema)
        elif isinstance(current, list) and isinstance(value, list):
            meta = _lookup_list(schema, name)
            original[name] = _merge_list_field(current, value, meta, deletes=deletes)
        elif name in original and _same_type(current, value):
            original[name] = value  # scalars; a primitive list named for deletion cannot be one
        elif not deletes:
            # nothing there, or something else: the patch's value is taken without what only directs
            _discard_nulls(value)
            kept = _without_directives(value)
            if kept is None:
                original.pop(name, None)
            else:
                original[name] = kept
    return original


def _replaced_map(patch: Object) -> Object:
    directive = patch[_DIRECTIVE]
    if directive == "replace":
        del patch[_DIRECTIVE]
        return patch
    if directive == "delete":
        return {}
    raise _bad_directive(directive, patch)


def _bad_directive(directive: Any, patch: Object) -> StrategicPatchError:
    shown = directive if isinstance(directive, str) else f"%!s({gotext.value_text(directive)})"
    return StrategicPatchError(f"unknown patch type: {shown} in map: {gotext.value_text(patch)}")


def _same_type(left: Any, right: Any) -> bool:
    return type(left) is type(right)


def _list_name(key: str, prefix: str, complaint: str) -> str:
    found, slash, name = key.partition("/")
    if not slash or found != prefix:
        raise PatchFormatError(complaint)
    return name


def _discard_nulls(value: Any) -> None:
    if isinstance(value, dict):
        for key in [key for key, item in value.items() if item is None]:
            del value[key]
        for item in value.values():
            _discard_nulls(item)
    elif isinstance(value, list):
        for item in value:
            _discard_nulls(item)


def _without_directives(value: Any) -> Any:
    """A new value without maps that hold a directive; None when it is one itself (nulls are gone already)."""
    if isinstance(value, dict):
        if _DIRECTIVE in value:
            return None
        kept = {key: _without_directives(item) for key, item in value.items()}
        return {key: item for key, item in kept.items() if item is not None or value[key] is None}
    if isinstance(value, list):
        return [_without_directives(item) for item in value if not (isinstance(item, dict) and _DIRECTIVE in item)]
    return value


def _retain_keys(original: Object, patch: Object) -> None:
    """`$retainKeys`: everything else goes; what the patch sets has to be among them."""
    if _RETAIN_KEYS not in patch:
        return
    listed = patch.pop(_RETAIN_KEYS)
    if not isinstance(listed, list):
        raise PatchFormatError("invalid patch format of retainKeys")
    retained = {key for key in listed if isinstance(key, str)}
    for key, value in patch.items():
        if value is None or key.startswith((_DELETE_FROM, _SET_ORDER)):
            continue
        if key not in retained:
            raise PatchFormatError("invalid patch format of retainKeys")
    for key in original.keys() - retained:
        del original[key]


# --- lists ------------------------------------------------------------------------------------------------------------


def _merge_list_field(original: list[Any], patch: list[Any], meta: _Meta, *, deletes: bool) -> list[Any]:
    if meta.strategy == "merge" or deletes:
        return _merge_list(original, patch, meta, deletes=deletes)
    return patch


def _merge_list(original: list[Any], patch: list[Any], meta: _Meta, *, deletes: bool) -> list[Any]:
    if not original and not patch:
        return original
    key = meta.merge_key
    if not _of_maps(original, patch):
        if deletes:
            unwanted = set(_identities(patch, ""))
            return [item for item in original if _identity(item, "") not in unwanted]
        merged = _unique([*original, *patch])
    else:
        if not key:
            kind = _kind(meta.schema) if meta.schema is not None else "struct"
            kind = "struct" if meta.schema is not None and meta.schema.is_struct else kind
            raise StrategicPatchError(f"cannot merge lists without merge key for {kind}")
        original, patch = _special_elements(original, patch, key)
        merged = _merge_elements(original, patch, meta)
    return _in_order(merged, patch, original, key)


def _of_maps(*lists: list[Any]) -> bool:
    """Whether the elements are maps; they have to be of one type, and not lists."""
    first: Any = None
    for one in lists:
        for item in one:
            if first is None:
                first = item
                if isinstance(item, list):
                    raise UnsupportedListError("lists of lists are not supported")
            if item is None or not _same_type(first, item):
                shown = gotext.value_text(list(lists))
                raise StrategicPatchError(f"list element types are not identical: {shown}")
    if first is None:
        raise StrategicPatchError("no elements in any of the given slices")
    return isinstance(first, dict)


def _special_elements(original: list[Any], patch: list[Any], key: str) -> tuple[list[Any], list[Any]]:
    """Elements with a directive carried out: some deleted, or all replaced. What to merge with what remains."""
    plain: list[Any] = []
    replaces = False
    for element in patch:
        if _DIRECTIVE not in element:
            plain.append(element)
            continue
        directive = element[_DIRECTIVE]
        if directive == "delete":
            unwanted = _identity(element, key)
            original = [item for item in original if key not in item or _identity(item, key) != unwanted]
        elif directive == "replace":
            replaces = True
        elif directive == "merge":
            raise StrategicPatchError("merging lists cannot yet be specified in the patch")
        else:
            raise _bad_directive(directive, element)
    return (plain, []) if replaces else (original, plain)


def _merge_elements(original: list[Any], patch: list[Any], meta: _Meta) -> list[Any]:
    """Each element of the patch merged into the first that has its key, or appended."""
    key = meta.merge_key
    places: dict[Any, int] = {}
    merged = list(original)
    for place, item in enumerate(merged):
        if key in item:
            places.setdefault(_identity(item, key), place)
    for element in patch:
        identity = _identity(element, key)
        found = places.get(identity)
        if found is None:
            places[identity] = len(merged)
            merged.append(element)
        else:
            merged[found] = _merge_map(merged[found], element, meta.schema)
    return merged


def _identity(item: Any, key: str) -> Any:
    """What an element is told by: its merge key's value, or itself. Go tells true from 1 and 1 from 1.0."""
    if key:
        if not isinstance(item, dict):
            raise _bad_argument("map[string]interface {}", item)
        if key not in item:
            raise StrategicPatchError(f"map: {gotext.value_text(item)} does not contain declared merge key: {key}")
        item = item[key]
    if isinstance(item, (dict, list)):
        raise StrategicPatchError(f"runtime error: comparing uncomparable type {_go_type(item)}")
    return type(item), item


def _identities(items: Iterable[Any], key: str) -> list[Any]:
    return [_identity(item, key) for item in items]


def _bad_argument(expected: str, actual: Any) -> StrategicPatchError:
    return StrategicPatchError(f"expected a {expected}, but received a {_go_type(actual)}")


def _go_type(value: Any) -> str:
    if value is None:
        return "%!s(<nil>)"
    if isinstance(value, bool):
        return "bool"
    names = {dict: "map[string]interface {}", list: "[]interface {}", str: "string", int: "int64", float: "float64"}
    return names.get(type(value), "interface {}")


def _unique(items: list[Any]) -> list[Any]:
    return [item for _, item in dict.fromkeys(_identities(items, ""))]


# --- order ------------------------------------------------------------------------------------------------------------


def _set_element_order(original: Object, patch: Object, schema: Schema | None) -> None:
    """Merge each list that comes with `$setElementOrder/`, and put its elements in that order."""
    for directive in [key for key in patch if key.startswith(_SET_ORDER)]:
        order = patch.pop(directive)
        if not isinstance(order, list):
            raise _bad_argument("[]interface {}", order)
        name = _list_name(directive, _SET_ORDER, "invalid patch format of setElementOrder list")
        current, change = original.get(name), patch.get(name)
        for value, there in ((current, name in original), (change, name in patch)):
            if there and not isinstance(value, list):
                raise _bad_argument("[]interface {}", value)
        meta = _lookup_list(schema, name)
        key = meta.merge_key
        _check_order(change or [], order, key)
        if name in original and name in patch:
            merged = _merge_list_field(current or [], change or [], meta, deletes=False)
        elif name in original:
            merged = current or []
        elif name in patch:
            merged = _without_directives(change or [])
        else:
            continue
        if not _of_maps(current or [], change or []):
            key = ""
        original[name] = _in_order(merged, order, current or [], key)
        patch.pop(name, None)


def _check_order(patch: list[Any], order: list[Any], key: str) -> None:
    """The elements of the patch have to be among those ordered, and in the same order."""
    if not order or not patch:
        return
    waiting = patch
    if key:
        for item in patch:
            if not isinstance(item, dict):
                raise _bad_argument("map[string]interface {}", item)
        waiting = [item for item in patch if item.get(_DIRECTIVE) != "delete"]
    at = place = 0
    while at < len(waiting) and place < len(order):
        item = waiting[at]
        if isinstance(item, dict) and _DIRECTIVE in item:
            at += 1
            continue
        at += _identity(item, key) == _identity(order[place], key)
        place += 1
    if at < len(waiting):
        raise StrategicPatchError(
            f"The order in patch list:\n{gotext.value_text(patch)}\n"
            f" doesn't match {_SET_ORDER} list:\n{gotext.value_text(order)}\n"
        )


def _in_order(merged: list[Any], order: Sequence[Any], live: Sequence[Any], key: str) -> list[Any]:
    """Elements of `order` in that order, the others in that of `live`, both interleaved as `live` has them."""
    wanted = _places(order, key)
    present = _places(live, key)
    named: list[Any] = []
    others: list[Any] = []
    for item in merged:
        (named if _identity(item, key) in wanted else others).append(item)
    named.sort(key=lambda item: wanted[_identity(item, key)])
    others.sort(key=lambda item: present.get(_identity(item, key), -1))
    out: list[Any] = []
    at = 0
    for item in named:
        place = present.get(_identity(item, key), -1)
        # what stood before this element in the live list goes before it; what is not comparable waits
        while at < len(others) and -1 < present.get(_identity(others[at], key), -1) < place:
            out.append(others[at])
            at += 1
        out.append(item)
    return out + others[at:]


def _places(items: Sequence[Any], key: str) -> dict[Any, int]:
    places: dict[Any, int] = {}
    for place, item in enumerate(items):
        places.setdefault(_identity(item, key), place)
    return places
