"""Schemas: what the fields of a kind are, compactly, and how patches and field managers treat them.

Kinds build one per type from OpenAPI definitions with `Builder`; decoding.py reads bodies along them,
patch/strategic.py and apply/ merge along them, openapi describes them to clients. A node is
shared by everybody and never changed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple

NO_PROPERTIES: Final[Mapping[str, Schema]] = {}

_INT_OR_STRING: Final = "io.k8s.apimachinery.pkg.util.intstr.IntOrString"
_QUANTITY: Final = "io.k8s.apimachinery.pkg.api.resource.Quantity"
_TIME: Final = "io.k8s.apimachinery.pkg.apis.meta.v1.Time"
_MICRO_TIME: Final = "io.k8s.apimachinery.pkg.apis.meta.v1.MicroTime"
_RAW: Final = frozenset(
    {
        "io.k8s.apimachinery.pkg.runtime.RawExtension",
        "io.k8s.apimachinery.pkg.apis.meta.v1.FieldsV1",
        "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSON",
        "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaPropsOrArray",
        "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaPropsOrBool",
        "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaPropsOrStringArray",
    }
)
_GO_SCALARS: Final = {
    ("integer", "int32"): "int32",
    ("integer", "int64"): "int64",
    ("number", "double"): "float64",
    ("number", "float"): "float32",
    ("string", "byte"): "[]uint8",
}


class GoFields(NamedTuple):
    """What the published schema does not say of a Go struct's fields and clients can notice all the same."""

    pointers: frozenset[str] = frozenset()
    """Scalars behind a pointer: zero, false and "" are kept for them."""
    always: frozenset[str] = frozenset()
    """Fields without omitempty: written even when they are zero (null for lists, maps and pointers)."""
    types: Mapping[str, str] = {}
    """Named types of fields, as errors print them: `v1.PullPolicy`, `v1.ResourceList`."""


class Schema:
    """One type, or one field with what its declaration adds to its type."""

    __slots__ = (
        "additional",
        "codec",
        "default",
        "format",
        "go",
        "go_type",
        "int_or_string",
        "items",
        "list_map_keys",
        "list_type",
        "map_type",
        "name",
        "patch_merge_key",
        "patch_strategies",
        "properties",
        "required",
        "role",
        "type",
        "value_structs",
    )

    def __init__(self) -> None:
        self.type: str | None = None
        """object, array, string, integer, number, boolean; None for anything at all."""
        self.format: str = ""
        self.role: str = ""
        """quantity, int-or-string, time, micro-time, bytes or raw, for types that read and write themselves."""
        self.properties: Mapping[str, Schema] = NO_PROPERTIES
        self.items: Schema | None = None
        self.additional: Schema | None = None
        """What the values of a map are; None where the fields are declared."""
        self.required: frozenset[str] = frozenset()
        self.default: Any = None
        self.int_or_string: bool = False
        self.patch_strategies: frozenset[str] = frozenset()
        """merge, replace, retainKeys: how strategic merge treats the field."""
        self.patch_merge_key: str = ""
        self.list_type: str = ""
        """atomic, set or map; "" where the definition does not say (atomic then)."""
        self.list_map_keys: tuple[str, ...] = ()
        self.map_type: str = ""
        """atomic or granular; "" is granular."""
        self.name: str = ""
        """Name of the struct, `DeploymentSpec`; "" for everything else."""
        self.go_type: str = ""
        """The Go type as errors print it: `v1.DeploymentSpec`, `map[string]string`, `[]v1.Container`, `int32`."""
        self.go: GoFields | None = None
        """Facts of the Go struct, None where nobody gave them."""
        self.value_structs: tuple[str, ...] = ()
        """Fields of struct type that are kept by value: never absent, at most empty."""
        self.codec: Any = None
        """Room for decoding.py to keep the functions it makes of this node."""

    @property
    def is_struct(self) -> bool:
        """Whether the fields are declared (as opposed to a map, or to anything at all)."""
        return bool(self.name)

    def field(self, name: str) -> Schema | None:
        """The schema of a field or of a map's value; None when it is not declared."""
        return self.properties.get(name) or self.additional

    def at(self, *path: str) -> Schema | None:
        """The schema at a path of fields; lists are entered as if they were their items."""
        node: Schema | None = self
        for step in path:
            while node is not None and node.items is not None:
                node = node.items
            node = node.field(step) if node is not None else None
        return node

    def __repr__(self) -> str:
        return f"Schema({self.go_type or self.type or 'any'})"


def anything() -> Schema:
    """A schema that everything fits, and whose lists and maps nobody merges by key."""
    node = Schema()
    node.role = "raw"
    node.go_type = "interface {}"
    return node


class Builder:
    """Makes schemas of definitions, each definition once.

    `lookup` gives the definition of a name, in OpenAPI v2 form or with JSON Schema's nullable types (KeyError where
    there is none). `value_structs` and `go_fields` are keyed by the last part of the name (`DeploymentSpec`), or by the
    whole name where two types share it.
    """

    def __init__(
        self,
        lookup: Callable[[str], Mapping[str, Any]],
        *,
        value_structs: Mapping[str, tuple[str, ...]] | None = None,
        go_fields: Mapping[str, GoFields] | None = None,
    ) -> None:
        self._lookup = lookup
        self._value_structs = value_structs or {}
        self._go_fields = go_fields or {}
        self._types: dict[str, Schema] = {}
        self._scalars: dict[tuple[str | None, str, str], Schema] = {}

    def build(self, name: str) -> Schema:
        """The schema of a definition. KeyError where a definition is missing."""
        known = self._types.get(name)
        if known is not None:
            return known
        node = self._types[name] = Schema()
        if not _special(node, name):
            self._fill(node, self._lookup(name), name)
        return node

    def from_definition(self, definition: Mapping[str, Any], name: str = "") -> Schema:
        """The schema of a definition that is given, not looked up (of a custom resource, say)."""
        node = Schema()
        self._fill(node, definition, name)
        return node

    def _fill(self, node: Schema, definition: Mapping[str, Any], name: str) -> None:
        node.type = _type(definition)
        node.format = definition.get("format", "")
        _declare(node, definition)
        short = name.rpartition(".")[2]
        package = ".".join(name.split(".")[-2:])
        if node.type == "array":
            node.items = self._node(definition.get("items") or {})
            node.go_type = f"[]{node.items.go_type}"
            return
        if node.type not in {"object", None}:
            self._scalar_facts(node)
            return
        additional = definition.get("additionalProperties")
        if isinstance(additional, Mapping):
            node.additional = self._node(additional)
            node.go_type = f"map[string]{node.additional.go_type}"
            return
        properties = definition.get("properties")
        if not properties and (node.type is None or not name):
            node.role = "raw"
            node.go_type = "interface {}"
            return
        node.type = "object"
        node.name = short or "object"
        node.go_type = package
        node.required = frozenset(definition.get("required") or ())
        node.value_structs = self._value_structs.get(name) or self._value_structs.get(short) or ()
        node.go = self._go_fields.get(name) or self._go_fields.get(short)
        types = node.go.types if node.go is not None else {}
        fields: dict[str, Schema] = {}
        node.properties = fields
        for key, child in (properties or {}).items():
            fields[key] = self._node(child, types.get(key, ""))

    def _node(self, definition: Mapping[str, Any], go_type: str = "") -> Schema:
        """The schema of a field: the type it refers to, copied where the field says more than the type."""
        target = definition.get("$ref")
        if not isinstance(target, str):
            return self._inline(definition, go_type)
        node = self.build(target.rpartition("/")[2])
        if not go_type and not any(key.startswith("x-kubernetes-") or key == "default" for key in definition):
            return node
        copy = _copy(node)
        _declare(copy, definition)
        if go_type:
            copy.go_type = go_type
        return copy

    def _inline(self, definition: Mapping[str, Any], go_type: str) -> Schema:
        kind = _type(definition)
        if kind in {"object", "array", None} or "default" in definition:
            node = Schema()
            self._fill(node, definition, "")
            if go_type:
                node.go_type = go_type
            return node
        key = (kind, definition.get("format", ""), go_type)
        shared = self._scalars.get(key)
        if shared is None:
            shared = self._scalars[key] = Schema()
            shared.type, shared.format = kind, key[1]
            self._scalar_facts(shared)
            if go_type:
                shared.go_type = go_type
        return shared

    @staticmethod
    def _scalar_facts(node: Schema) -> None:
        assert node.type is not None  # scalars have one
        if node.format == "int-or-string":
            node.role, node.int_or_string = "int-or-string", True
        elif node.format == "byte":
            node.role = "bytes"
        names = {"integer": "int64", "number": "float64", "boolean": "bool"}
        node.go_type = _GO_SCALARS.get((node.type, node.format), names.get(node.type, node.type))


def _type(definition: Mapping[str, Any]) -> str | None:
    kind = definition.get("type")
    if isinstance(kind, list):
        kind = next((one for one in kind if one != "null"), None)
    if kind is None and "properties" in definition:
        return "object"
    return kind


def _special(node: Schema, name: str) -> bool:
    """Types that read and write themselves; whether this is one."""
    if name == _QUANTITY:
        node.type, node.role, node.go_type = "string", "quantity", "resource.Quantity"
    elif name == _INT_OR_STRING:
        node.type, node.role, node.go_type = "string", "int-or-string", "intstr.IntOrString"
        node.format, node.int_or_string = "int-or-string", True
    elif name == _TIME:
        node.type, node.role, node.go_type, node.format = "string", "time", "v1.Time", "date-time"
    elif name == _MICRO_TIME:
        node.type, node.role, node.go_type, node.format = "string", "micro-time", "v1.MicroTime", "date-time"
    elif name in _RAW:
        node.role, node.go_type = "raw", ".".join(name.split(".")[-2:])
    else:
        return False
    return True


def _declare(node: Schema, definition: Mapping[str, Any]) -> None:
    """Take over what a field's declaration says of merging."""
    strategy = definition.get("x-kubernetes-patch-strategy")
    if strategy:
        node.patch_strategies = frozenset(strategy.split(","))
    node.patch_merge_key = definition.get("x-kubernetes-patch-merge-key", node.patch_merge_key)
    node.list_type = definition.get("x-kubernetes-list-type", node.list_type)
    node.list_map_keys = tuple(definition.get("x-kubernetes-list-map-keys", node.list_map_keys))
    node.map_type = definition.get("x-kubernetes-map-type", node.map_type)
    node.default = definition.get("default", node.default)
    if definition.get("x-kubernetes-int-or-string"):
        node.role, node.int_or_string = "int-or-string", True


def _copy(node: Schema) -> Schema:
    copy = Schema()
    for slot in Schema.__slots__:
        setattr(copy, slot, getattr(node, slot))
    copy.codec = None
    return copy
