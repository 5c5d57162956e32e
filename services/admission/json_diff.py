"""The JSON Patch (RFC 6902) between two JSON values: what the journey shows of a plugin's change.

Called by the chain after a plugin changed an object. Lists are compared by position, with a common head and tail, so
that one element put in or taken out reads as one operation.
"""

from __future__ import annotations

from typing import Any

Operation = dict[str, Any]


def diff(before: Any, after: Any) -> list[Operation]:
    """The operations that turn `before` into `after`, applicable in order; empty when they are equal."""
    operations: list[Operation] = []
    _compare("", before, after, operations)
    return operations


def _compare(path: str, before: Any, after: Any, operations: list[Operation]) -> None:
    if isinstance(before, dict) and isinstance(after, dict):
        _compare_mappings(path, before, after, operations)
    elif isinstance(before, list) and isinstance(after, list):
        _compare_lists(path, before, after, operations)
    elif type(before) is not type(after) or before != after:
        operations.append({"op": "replace", "path": path, "value": after})


def _compare_mappings(path: str, before: dict[str, Any], after: dict[str, Any], operations: list[Operation]) -> None:
    operations.extend({"op": "remove", "path": _step(path, key)} for key in before if key not in after)
    for key, value in after.items():
        if key in before:
            _compare(_step(path, key), before[key], value, operations)
        else:
            operations.append({"op": "add", "path": _step(path, key), "value": value})


def _compare_lists(path: str, before: list[Any], after: list[Any], operations: list[Operation]) -> None:
    shortest = min(len(before), len(after))
    head = 0
    while head < shortest and _same(before[head], after[head]):
        head += 1
    tail = 0
    while tail < shortest - head and _same(before[-1 - tail], after[-1 - tail]):
        tail += 1
    old, new = before[head : len(before) - tail], after[head : len(after) - tail]
    paired = min(len(old), len(new))
    for offset in range(paired):
        _compare(f"{path}/{head + offset}", old[offset], new[offset], operations)
    # from the end, so that the positions of those before stay what they were
    operations.extend(
        {"op": "remove", "path": f"{path}/{head + offset}"} for offset in range(len(old) - 1, paired - 1, -1)
    )
    operations.extend(
        {"op": "add", "path": f"{path}/{head + offset}", "value": new[offset]} for offset in range(paired, len(new))
    )


def _same(left: Any, right: Any) -> bool:
    return type(left) is type(right) and bool(left == right)


def _step(path: str, key: str) -> str:
    return f"{path}/{key.replace('~', '~0').replace('/', '~1')}"
