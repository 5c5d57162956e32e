"""What Go writes for fields that nobody set: the last touch on an object before it is stored or answered with.

Called by the gateway when a kind's validation, which wants to see what is absent, is done.
"""

from __future__ import annotations

from typing import Any

from kubehop.machinery import exactly
from kubehop.machinery.schema import Schema


def complete(node: Schema, value: Any) -> None:
    """Add, in place, empty structs that are kept by value and the zeros of fields without omitempty."""
    if node.role:
        return
    if isinstance(value, dict):
        if node.is_struct:
            _complete_struct(node, value)
        elif node.additional is not None:
            for item in value.values():
                complete(node.additional, item)
    elif isinstance(value, list) and node.items is not None:
        for item in value:
            complete(node.items, item)


def _complete_struct(node: Schema, value: dict[str, Any]) -> None:
    properties = node.properties
    for name in node.value_structs:
        if name not in value and name in properties:
            value[name] = {}
    pointers = node.go.pointers if node.go is not None else ()
    for name in node.required if node.go is None else node.go.always:
        if name not in value and name in properties:
            # an unset pointer is null, whatever it points to
            value[name] = None if name in pointers else written_zero(properties[name])
    for name, item in value.items():
        if isinstance(item, (dict, list)):
            child = properties.get(name)
            if child is not None:
                complete(child, item)


def written_zero(node: Schema) -> Any:
    """The zero value of a field without omitempty, as JSON has it."""
    if node.role == "quantity":
        return "0"
    if node.role == "int-or-string":
        return 0
    if node.is_struct or node.role or node.items is not None or node.additional is not None:
        return None
    return exactly.zero_value(node)
