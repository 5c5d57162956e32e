"""OpenAPI documents of a set of resources: version 2 as a whole, version 3 per group and version with its index.

The gateway serves them as they are. Nothing is built before somebody asks, and what was built is kept compressed, so
that documents of megabytes do not weigh on an idle process. kubectl reads version 3 for `explain`, for its three-way
patches and for whether the server validates fields.
"""

from __future__ import annotations

import gzip
import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import orjson

from kubehop.machinery import openapi_paths as paths
from kubehop.machinery.discovery import ServedResource
from kubehop.machinery.openapi_paths import GroupVersionKind, Operation, Parameter, PathItem

Object = dict[str, Any]

FORM = "1"
"""Part of every hash: raise it when these documents change for the same resources and definitions."""

_V2_REFERENCE = "#/definitions/"
_V3_REFERENCE = "#/components/schemas/"
_GVK = "x-kubernetes-group-version-kind"
_COMPRESSION = 6


class Definitions(Protocol):
    """Where the schemas of the kinds come from, in OpenAPI v2 form."""

    def definition(self, name: str) -> Object:
        """Return a definition that the caller may change."""

    def closure(self, roots: Iterable[str]) -> list[str]:
        """Return the names of the definitions that the roots need, themselves included."""

    def name_of(self, kind: GroupVersionKind) -> str | None:
        """Return the name of a kind's definition, None where it has none."""


@dataclass(frozen=True, slots=True)
class Document:
    """A document's compressed JSON, and its entity tag (without quotes)."""

    etag: str
    compressed: bytes

    @property
    def body(self) -> bytes:
        """The JSON, decompressed anew at each call."""
        return gzip.decompress(self.compressed)


class OpenAPI:
    """The documents of a set of resources.

    `title` and `version` go into their heads. Hashes are made of the version, the resources and FORM, not of the
    documents, so that asking for the index builds none of them.
    """

    def __init__(
        self, resources: Sequence[ServedResource], definitions: Definitions, *, title: str, version: str
    ) -> None:
        self._resources = tuple(resources)
        self._definitions = definitions
        self._info = {"title": title, "version": version}
        self._kept: dict[str, Document] = {}
        self._groups: dict[str, list[ServedResource]] = {}
        for row in self._resources:
            path = f"apis/{row.group}/{row.version}" if row.group else f"api/{row.version}"
            self._groups.setdefault(path, []).append(row)
        self._hashes = {path: self._hash(path, rows) for path, rows in self._groups.items()}

    def index(self) -> bytes:
        """Return the document of /openapi/v3: where the documents of all groups and versions are."""
        found = {
            path: {"serverRelativeURL": f"/openapi/v3/{path}?hash={digest}"}
            for path, digest in sorted(self._hashes.items())
        }
        return orjson.dumps({"paths": found})

    def index_etag(self) -> str:
        """Return the entity tag of the index."""
        return hashlib.sha512(self.index()).hexdigest().upper()

    def hash_of(self, path: str) -> str | None:
        """Return the hash of the document of `apis/GROUP/VERSION` or `api/VERSION`, None where there is none."""
        return self._hashes.get(path)

    def group_version(self, path: str) -> Document | None:
        """Return the version 3 document of `apis/GROUP/VERSION` or `api/VERSION`, None where there is none."""
        if path not in self._groups:
            return None
        if path not in self._kept:
            self._kept[path] = _document(self._hashes[path], self._build_v3(self._groups[path]))
        return self._kept[path]

    def swagger(self) -> Document:
        """Return the version 2 document, of all resources."""
        if "" not in self._kept:
            etag = hashlib.sha512("".join(self._hashes.values()).encode()).hexdigest().upper()
            self._kept[""] = _document(etag, self.build_v2())
        return self._kept[""]

    def swagger_etag(self) -> str:
        """Return the entity tag of the version 2 document without building it."""
        return hashlib.sha512("".join(self._hashes.values()).encode()).hexdigest().upper()

    def build_v2(self) -> Object:
        """Build the version 2 document: its protobuf form is made from this too."""
        items = [item for row in self._resources for item in paths.path_items(row)]
        needed = self._definitions.closure(self._roots(items))
        return {
            "swagger": "2.0",
            "info": self._info,
            "paths": {item.path: self._path(item, self._operation_v2, _parameter_v2) for item in _sorted(items)},
            "definitions": {name: self._definitions.definition(name) for name in needed},
            "securityDefinitions": {"BearerToken": _SECURITY},
            "security": [{"BearerToken": []}],
        }

    def _hash(self, path: str, rows: Iterable[ServedResource]) -> str:
        facts = [FORM, self._info["title"], self._info["version"], path]
        facts.extend(
            f"{row.name} {row.kind} {row.namespaced} {row.verbs}"
            f" {[(sub.name, sub.kind, sub.group, sub.version, sub.verbs) for sub in row.subresources]}"
            for row in rows
        )
        return hashlib.sha512("\n".join(facts).encode()).hexdigest().upper()

    def _build_v3(self, rows: Sequence[ServedResource]) -> Object:
        items = [item for row in rows for item in paths.path_items(row)]
        needed = self._definitions.closure(self._roots(items))
        schemas = {name: _schema_v3(name, self._definitions.definition(name)) for name in needed}
        return {
            "openapi": "3.0.0",
            "info": self._info,
            "paths": {item.path: self._path(item, self._operation_v3, _parameter_v3) for item in _sorted(items)},
            "components": {"schemas": schemas, "securitySchemes": {"BearerToken": _SECURITY}},
        }

    def _roots(self, items: Iterable[PathItem]) -> list[str]:
        kinds = {kind for item in items for one in item.operations for kind in (one.kind, one.body, one.response)}
        return sorted({name for kind in kinds if kind and (name := self._definitions.name_of(kind))})

    def _path(
        self,
        item: PathItem,
        operation: Callable[[Operation], Object],
        parameter: Callable[[Parameter], Object],
    ) -> Object:
        found: Object = {one.method: operation(one) for one in item.operations}
        found["parameters"] = [parameter(one) for one in item.parameters]
        return found

    def _reference(self, kind: GroupVersionKind | None, prefix: str) -> Object:
        name = self._definitions.name_of(kind) if kind else None
        return {"$ref": prefix + name} if name else {"type": "string"}

    def _operation_v2(self, operation: Operation) -> Object:
        found = _operation(operation)
        found["consumes"] = list(paths.PATCH_TYPES) if operation.method == "patch" else ["*/*"]
        found["produces"] = list(_produced(operation))
        found["schemes"] = ["https"]
        found["parameters"] = [_parameter_v2(one) for one in operation.parameters]
        if operation.body:
            schema = self._reference(operation.body, _V2_REFERENCE)
            body: Object = {"in": "body", "name": "body", "schema": schema}
            if operation.body != paths.DELETE_OPTIONS:
                body["required"] = True
            found["parameters"].append(body)
        schema = self._reference(operation.response, _V2_REFERENCE)
        found["responses"] = _responses(operation, {"schema": schema})
        return found

    def _operation_v3(self, operation: Operation) -> Object:
        found = _operation(operation)
        found["parameters"] = [_parameter_v3(one) for one in operation.parameters]
        if operation.body:
            types = paths.PATCH_TYPES if operation.method == "patch" else ("*/*",)
            schema = self._reference(operation.body, _V3_REFERENCE)
            found["requestBody"] = {"content": {one: {"schema": schema} for one in types}}
            if operation.body != paths.DELETE_OPTIONS:
                found["requestBody"]["required"] = True
        schema = self._reference(operation.response, _V3_REFERENCE)
        content = {one: {"schema": schema} for one in _produced(operation)}
        found["responses"] = _responses(operation, {"content": content})
        return found


_SECURITY: Mapping[str, str] = {
    "description": "Bearer Token authentication",
    "in": "header",
    "name": "authorization",
    "type": "apiKey",
}


def _document(etag: str, content: Object) -> Document:
    return Document(etag, gzip.compress(orjson.dumps(content), _COMPRESSION, mtime=0))


def _sorted(items: Iterable[PathItem]) -> list[PathItem]:
    return sorted(items, key=lambda item: item.path)


def _produced(operation: Operation) -> tuple[str, ...]:
    if operation.action == "connect":
        return ("*/*",)
    return paths.MEDIA_TYPES + paths.STREAM_TYPES if operation.action == "list" else paths.MEDIA_TYPES


def _operation(operation: Operation) -> Object:
    group, version, kind = operation.kind
    return {
        "description": operation.description,
        "operationId": operation.identifier,
        "tags": [operation.tag],
        "x-kubernetes-action": operation.action,
        _GVK: {"group": group, "version": version, "kind": kind},
    }


_REASONS = {200: "OK", 201: "Created", 202: "Accepted"}


def _responses(operation: Operation, content: Object) -> Object:
    found: Object = {str(status): {"description": _REASONS[status], **content} for status in operation.statuses}
    found["401"] = {"description": "Unauthorized"}
    return found


def _parameter(parameter: Parameter) -> Object:
    found: Object = {"name": parameter.name, "in": parameter.place, "description": parameter.description}
    if parameter.place == "path":
        found["required"] = True
    return found


def _parameter_v2(parameter: Parameter) -> Object:
    return _parameter(parameter) | {"type": parameter.type, "uniqueItems": True}


def _parameter_v3(parameter: Parameter) -> Object:
    return _parameter(parameter) | {"schema": {"type": parameter.type, "uniqueItems": True}}


def _schema_v3(name: str, definition: Object) -> Object:
    """Turn a definition into version 3, in place."""
    choices = _CHOICES.get(name)
    if choices:
        del definition["type"]
        definition["oneOf"] = [{"type": one} for one in choices]
        return definition
    _rewrite(definition)
    return definition


_CHOICES: Mapping[str, tuple[str, ...]] = {
    "io.k8s.apimachinery.pkg.util.intstr.IntOrString": ("integer", "string"),
    "io.k8s.apimachinery.pkg.api.resource.Quantity": ("string", "number"),
}
"""What version 2 cannot say: a string, or else a number."""


def _rewrite(node: Object) -> None:
    for child in (node.get("properties") or {}).values():
        _rewrite(child)
    for key in ("items", "additionalProperties"):
        if isinstance(node.get(key), dict):
            _rewrite(node[key])
    target = node.pop("$ref", None)
    if target is not None:
        reference = {"$ref": _V3_REFERENCE + target.removeprefix(_V2_REFERENCE)}
        # version 3.0 ignores everything beside a reference
        node.update({"allOf": [reference]} if node else reference)
