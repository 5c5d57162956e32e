"""Objects for the tests of validation: filled in as the gateway does, judged as texts; and arbitrary ones."""

from __future__ import annotations

import copy
import functools
import random
from typing import Any

from kubehop.kinds import catalogue, schemas
from kubehop.kinds.definitions import REFERENCE, definition
from kubehop.kinds.strategy import Strategy, strategy_for
from kubehop.machinery import decoding, metadata

Object = dict[str, Any]

_TEXTS = (
    "", "a", "web", "Bad_Name", "a.b", "..", "../x", "/abs", "10.0.0.1", "::1", "Always", "Never", "In", "Exists", "-5",
    "kubernetes.io/x", "x" * 300, "\u00e9", "None", "Indexed", "RollingUpdate", "metadata.name", "1,3-5", "@every 5m",
)  # fmt: skip
_QUANTITIES = ("0", "1", "-1", "100m", "1.5", "64Mi", "3e9", "1n")
_NUMBERS = (0, 1, -1, 5, 80, 255, 70000, (1 << 31) - 1)


_definition = functools.cache(definition)


def strategy(group: str, resource: str, version: str = "v1") -> Strategy:
    """Return the strategy of a resource."""
    row = catalogue.lookup(group, version, resource)
    assert row is not None
    return strategy_for(row)


def filled(made: Strategy, spec: Object, **more: Any) -> Object:
    """Return a new object with a spec, decoded, defaulted and prepared."""
    row = made.resource
    meta = {"name": "a", "namespace": "n", **more.pop("metadata", {})}
    raw = {"metadata": meta, **({"spec": spec} if spec is not None else {}), **more}
    obj: Object = decoding.decode_value(schemas.schema_for(row.group, row.version, row.kind), copy.deepcopy(raw)).value
    obj["apiVersion"], obj["kind"] = row.api_version, row.kind
    metadata.set_system_fields(obj)
    made.default(obj)
    made.prepare_for_create(obj)
    return obj


def refused(made: Strategy, spec: Object, **more: Any) -> list[str]:
    """Return the errors of a new object as texts."""
    return [str(error) for error in made.validate(filled(made, spec, **more))]


def changed(made: Strategy, old: Object, new: Object, subresource: str = "") -> list[str]:
    """Return the errors of a change as texts."""
    for obj in (old, new):
        obj["metadata"]["resourceVersion"] = "1"
    return [str(error) for error in made.validate_update(new, old, subresource)]


def arbitrary(chance: random.Random, name: str, depth: int = 0) -> Any:
    """Return a value of the shape of a definition, full of unlikely contents."""
    return _value(chance, _definition(name), depth)


def _value(chance: random.Random, node: Object, depth: int) -> Any:
    target = node.get("$ref")
    if target is not None:
        name = target.removeprefix(REFERENCE)
        if name.endswith("Quantity"):
            return chance.choice(_QUANTITIES)
        if name.endswith("IntOrString"):
            return chance.choice([*_NUMBERS, "25%", "120%", "x"])
        if name.endswith(("Time", "MicroTime")):
            return "2024-01-01T00:00:00Z"
        return _value(chance, _definition(name), depth + 1)
    match node.get("type"):
        case "object" if "properties" in node:
            likely = 0.9 if depth < 3 else 0.25
            return {
                key: _value(chance, child, depth)
                for key, child in node["properties"].items()
                if key not in ("apiVersion", "kind", "managedFields") and depth < 12 and chance.random() < likely
            }
        case "object":
            child = node.get("additionalProperties") or {"type": "string"}
            return {key: _value(chance, child, depth) for key in chance.sample(_TEXTS[1:], chance.randrange(3))}
        case "array":
            return [_value(chance, node["items"], depth) for _ in range(chance.choice((0, 1, 1, 2, 3)))]
        case "integer":
            return chance.choice(_NUMBERS)
        case "number":
            return 1.5
        case "boolean":
            return chance.random() < 0.5
        case _ if node.get("enum"):
            return chance.choice([*node["enum"], "Other"])
        case _ if node.get("format") == "byte":
            return "YQ=="
        case _:
            return chance.choice(_TEXTS)
