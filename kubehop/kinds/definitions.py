"""The schema catalogue: OpenAPI definitions of Kubernetes v1.36, by name, as Kubernetes publishes them.

They come from the `kubernetes-validate` package, whose publisher turned them into JSON Schema: optional fields may be
null, integers-or-strings are a choice, kind and apiVersion are enumerations. `definition` undoes that, and puts the
defaults and enumerations of the Go types back. `schemas`, `tables` and the OpenAPI documents are built from here.

The file is 1.6 MB of JSON that would take ten times as much as Python objects: it is mapped into memory on first use,
the place of each definition in it is noted, and only those that somebody needs are parsed.
"""

from __future__ import annotations

import functools
import importlib.util
import mmap
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import orjson

from kubehop.kinds import go_fields

Object = dict[str, Any]

KUBERNETES_VERSION = "1.36"

REFERENCE = "#/definitions/"
"""Start of a reference between definitions, as in OpenAPI v2."""

GROUP_VERSION_KIND = "x-kubernetes-group-version-kind"

INT_OR_STRING = "io.k8s.apimachinery.pkg.util.intstr.IntOrString"
QUANTITY = "io.k8s.apimachinery.pkg.api.resource.Quantity"

_PUBLISHED_REFERENCE = "#/$defs/"
_FILE = "kubernetes-json-schema/v1.36.0-local/_definitions.json"
_SCALARS: Mapping[str, Object] = {
    INT_OR_STRING: {
        "description": "IntOrString is a type that can hold an int32 or a string.  When used in JSON or YAML"
        " marshalling and unmarshalling, it produces or consumes the inner type.  This allows you to have, for"
        " example, a JSON field that can accept a name or number.",
        "type": "string",
        "format": "int-or-string",
    },
    QUANTITY: {
        "description": "Quantity is a fixed-point representation of a number. It provides convenient"
        " marshaling/unmarshaling in JSON and YAML, in addition to String() and AsInt64() accessors.",
        "type": "string",
    },
}


# how a definition begins and how all of them end in the published file: pretty-printed JSON, two levels deep
_BEGIN = re.compile(rb'^    "([^"]+)": \{$', re.MULTILINE)
_END = b"\n  }"


@functools.cache
def _file() -> mmap.mmap:
    # the package is not imported: its own dependencies would weigh more than the file
    spec = importlib.util.find_spec("kubernetes_validate")
    if spec is None or not spec.submodule_search_locations:
        raise RuntimeError("kubernetes-validate is not installed: the schemas of the built-in kinds come from it")
    with Path(spec.submodule_search_locations[0], _FILE).open("rb") as opened:
        return mmap.mmap(opened.fileno(), 0, access=mmap.ACCESS_READ)


@functools.cache
def _places() -> Mapping[str, tuple[int, int]]:
    begins = list(_BEGIN.finditer(_file()))
    ends = [begin.start() for begin in begins[1:]] + [_file().rfind(_END)]
    found = {begin[1].decode(): (begin.end() - 1, end) for begin, end in zip(begins, ends, strict=True)}
    if INT_OR_STRING not in found:
        raise RuntimeError(f"kubernetes-validate: {_FILE} has another layout than expected")
    return found


def _piece(name: str) -> bytes:
    start, end = _places()[name]
    return _file()[start:end].rstrip(b",\n ")


def names() -> Iterable[str]:
    """Return the names of all definitions, sorted: `io.k8s.api.apps.v1.Deployment`."""
    return sorted(_places())


def definition(name: str) -> Object:
    """Return one definition in OpenAPI v2 form, freshly parsed. KeyError where there is none of that name."""
    if name in _SCALARS:
        return dict(_SCALARS[name])
    found: Object = orjson.loads(_piece(name))
    _restore(found)
    properties: Mapping[str, Object] = found.get("properties") or {}
    for field, value in go_fields.defaults(name).items():
        properties[field]["default"] = value
    for field, values in go_fields.enumerations(name).items():
        properties[field]["enum"] = values
    return found


def description(name: str, field: str) -> str:
    """Return what a definition says of one of its fields, "" where it says nothing."""
    if name not in _places():
        return ""
    properties: Mapping[str, Object] = definition(name).get("properties", {})
    return str(properties.get(field, {}).get("description", ""))


@functools.cache
def kinds() -> Mapping[tuple[str, str, str], str]:
    """Return the definition's name of every (group, version, kind) that one definition stands for.

    Types that belong to every group, such as DeleteOptions, are left out.
    """
    found: dict[tuple[str, str, str], str] = {}
    marker = GROUP_VERSION_KIND.encode()
    for name in _places():
        piece = _piece(name)
        if marker not in piece:
            continue
        described = orjson.loads(piece)[GROUP_VERSION_KIND]
        if len(described) == 1:
            gvk = described[0]
            found[gvk["group"], gvk["version"], gvk["kind"]] = name
    return found


def references(node: Any) -> set[str]:
    """Return the names of the definitions that a node refers to."""
    found: set[str] = set()
    if isinstance(node, dict):
        target = node.get("$ref")
        if isinstance(target, str):
            found.add(target.rpartition("/")[2])
        for value in node.values():
            found |= references(value)
    elif isinstance(node, list):
        for value in node:
            found |= references(value)
    return found


def closure(roots: Iterable[str]) -> list[str]:
    """Return the definitions that the roots need, themselves included, sorted."""
    seen: set[str] = set()
    waiting = list(roots)
    while waiting:
        name = waiting.pop()
        if name not in seen:
            seen.add(name)
            waiting.extend(references(definition(name)) - seen)
    return sorted(seen)


def _restore(node: Object) -> None:
    """Undo, in place, what the publisher did to a schema node."""
    kind = node.get("type")
    if isinstance(kind, list):
        node["type"] = next(one for one in kind if one != "null")
    target = node.get("$ref")
    if isinstance(target, str):
        node["$ref"] = REFERENCE + target.removeprefix(_PUBLISHED_REFERENCE)
    properties: Mapping[str, Object] = node.get("properties") or {}
    for field, child in properties.items():
        _restore(child)
        if field in ("kind", "apiVersion") and len(child.get("enum", ())) == 1:
            del child["enum"]
    for key in ("items", "additionalProperties"):
        if isinstance(node.get(key), dict):
            _restore(node[key])
