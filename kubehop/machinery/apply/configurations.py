"""Whether an applied document is a configuration of its kind, in structured merge's words.

Called by `manager` before an apply; the walks of valid values are in `typed`.
"""

from __future__ import annotations

from typing import Any

from kubehop.machinery.apply.fieldsets import path_text
from kubehop.machinery.apply.typed import ElementError, element_of, field_schema, is_associative
from kubehop.machinery.schema import Schema


def validate(node: Schema | None, value: Any, *, allow_duplicates: bool = False, at: str = "") -> list[str]:
    """Why a value does not fit its schema, in structured merge's words; empty when it does."""
    if value is None or node is None:
        return []
    if node.is_struct or node.additional is not None:
        if not isinstance(value, dict):
            return [f"{at}: expected map, got &{{{_go(value)}}}"]
        found: list[str] = []
        for name, child in value.items():
            below = field_schema(node, name)
            if below is None:
                found.append(f"{at}.{name}: field not declared in schema")
            elif type(child) is not str or below.type != "string":  # most are: spare the call
                found += validate(below, child, allow_duplicates=allow_duplicates, at=f"{at}.{name}")
        return found
    if node.items is not None:
        if not isinstance(value, list):
            return [f"{at}: expected list, got &{{{_go(value)}}}"]
        return _validate_items(node, value, allow_duplicates, at)
    return _validate_scalar(node, value, at)


def _validate_items(node: Schema, items: list[Any], allow_duplicates: bool, at: str) -> list[str]:
    found: list[str] = []
    seen: set[str] = set()
    for index, item in enumerate(items):
        where = f"[{index}]"
        if is_associative(node):
            try:
                element = element_of(node, item)
            except ElementError as error:
                return [*found, f"{at}: element {index}: {error}"]
            where = path_text((element,))
            if element in seen and not allow_duplicates:
                found.append(f"{at}: duplicate entries for key {where}")
            seen.add(element)
        found += validate(node.items, item, allow_duplicates=allow_duplicates, at=at + where)
    return found


def _validate_scalar(node: Schema, value: Any, at: str) -> list[str]:
    if node.int_or_string or node.type is None or node.type == "object":
        return []
    if node.type in {"integer", "number"} and (isinstance(value, bool) or not isinstance(value, int | float)):
        return [f"{at}: expected numeric (int or float), got {_go_type(value)}"]
    if node.type == "string" and not isinstance(value, str):
        return [f"{at}: expected string, got &value.valueUnstructured{{Value:{_go(value)}}}"]
    if node.type == "boolean" and not isinstance(value, bool):
        return [f"{at}: expected boolean, got &{{{_go(value)}}}"]
    return []


def _go(value: Any) -> str:
    """A JSON value as Go's %v prints it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict):
        return "map[" + " ".join(f"{k}:{_go(value[k])}" for k in sorted(value)) + "]"
    if isinstance(value, list):
        return "[" + " ".join(map(_go, value)) + "]"
    return "<nil>" if value is None else str(value)


def _go_type(value: Any) -> str:
    """The Go type that a decoded JSON value has."""
    names = {bool: "bool", str: "string", int: "int64", float: "float64", list: "[]interface {}"}
    return names.get(type(value), "map[string]interface {}")
