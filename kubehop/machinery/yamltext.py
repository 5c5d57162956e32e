"""YAML as Kubernetes reads and writes it: a superset of JSON, YAML 1.1 words and all.

codec.py reads YAML bodies and writes YAML answers through here. Behaviour of sigs.k8s.io/yaml over go.yaml.in/yaml/v2:
keys become strings, `yes` and `n` are booleans, aliases are expanded within bounds, only the first document counts.
The C parser of PyYAML does the scanning; its problems are those of libyaml, of which Go's is a translation.
"""

from __future__ import annotations

import base64
import binascii
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

import yaml

from kubehop.machinery import gotext
from kubehop.machinery.gojson import MAX_DEPTH

MAX_ALIAS_NODES: Final = 100_000
"""Nodes that aliases may add to a document in all."""

_TRUE = frozenset({"y", "Y", "yes", "Yes", "YES", "on", "On", "ON", "true", "True", "TRUE"})
_FALSE = frozenset({"n", "N", "no", "No", "NO", "off", "Off", "OFF", "false", "False", "FALSE"})
_NULL = frozenset({"", "~", "null", "Null", "NULL"})
_SPECIAL_FLOATS = {
    ".nan": math.nan, ".NaN": math.nan, ".NAN": math.nan,
    ".inf": math.inf, ".Inf": math.inf, ".INF": math.inf,
    "+.inf": math.inf, "+.Inf": math.inf, "+.INF": math.inf,
    "-.inf": -math.inf, "-.Inf": -math.inf, "-.INF": -math.inf,
}  # fmt: skip
_match_float = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?").fullmatch
_match_base60 = re.compile(r"[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+(?:\.[0-9_]*)?").fullmatch
_match_timestamp = re.compile(
    r"[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}(?:(?:[Tt]|[ \t]+)[0-9]{1,2}:[0-9]{1,2}:[0-9]{1,2}"
    r"(?:\.[0-9]+)?(?:[ \t]*(?:Z|[-+][0-9]{1,2}(?::?[0-9]{2})?))?)?"
).fullmatch
_TAG = "tag:yaml.org,2002:"


class YamlError(ValueError):
    """A document that cannot be read, with the words of go.yaml.in/yaml/v2 (which begin `yaml: `)."""


@dataclass(slots=True)
class _Node:
    kind: str  # scalar, sequence, mapping or alias
    line: int
    tag: str = ""
    value: str = ""  # of scalars; the anchor's name of aliases
    plain: bool = False
    children: list[_Node] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Document:
    """A document read: its JSON value and what strict reading complains of."""

    value: Any
    duplicates: tuple[str, ...] = ()
    """`line 7: key "x" already set in map`, one an entry, in document order."""

    @property
    def strict_error(self) -> str | None:
        """All complaints in the one message that strict unmarshalling gives, None when there are none."""
        if not self.duplicates:
            return None
        return "yaml: unmarshal errors:\n" + "\n".join(f"  {line}" for line in self.duplicates)


def load(data: bytes) -> Document:
    """Read the first document; YamlError for everything that is wrong with it."""
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise YamlError(_encoding_problem(data, error)) from None
    composer = _Composer(text)
    root = composer.compose()
    constructor = _Constructor(composer.anchors)
    value = constructor.value(root, 0) if root is not None else None
    return Document(value, tuple(constructor.duplicates))


def _encoding_problem(data: bytes, error: UnicodeDecodeError) -> str:
    lead = data[error.start]
    if 0xC2 <= lead <= 0xF4:
        reason = "incomplete UTF-8 octet sequence" if error.end >= len(data) else "invalid trailing UTF-8 octet"
    else:
        reason = "invalid leading UTF-8 octet"
    return f"yaml: {reason}"


class _Composer:
    """Events of the C parser made into nodes; recursion is bounded by MAX_DEPTH."""

    def __init__(self, text: str) -> None:
        self.anchors: dict[str, _Node] = {}
        self.events: Iterator[Any] = iter(yaml.parse(text, Loader=yaml.CSafeLoader))

    def compose(self) -> _Node | None:
        """The root of the first document, None when there is none."""
        try:
            for event in self.events:
                if isinstance(event, yaml.DocumentStartEvent):
                    return self.node(self.next(), 0)
        except yaml.MarkedYAMLError as error:
            raise YamlError(_problem(error)) from None
        except yaml.YAMLError as error:
            reason = getattr(error, "reason", "") or "unknown problem parsing YAML content"
            raise YamlError(f"yaml: {reason}") from None
        return None

    def next(self) -> Any:
        return next(self.events)

    def node(self, event: Any, depth: int) -> _Node:
        if depth > MAX_DEPTH:
            raise YamlError(f"yaml: exceeded max depth of {MAX_DEPTH}")
        line = event.start_mark.line
        if isinstance(event, yaml.AliasEvent):
            if event.anchor not in self.anchors:
                raise YamlError(f"yaml: unknown anchor '{event.anchor}' referenced")
            return _Node("alias", line, value=event.anchor)
        tag = event.tag or ""
        if isinstance(event, yaml.ScalarEvent):
            node = _Node("scalar", line, tag, event.value, event.implicit[0] and event.style in {None, ""})
            self.anchor(event, node)
            return node
        mapping = isinstance(event, yaml.MappingStartEvent)
        node = _Node("mapping" if mapping else "sequence", line, tag)
        self.anchor(event, node)
        while not isinstance(child := self.next(), (yaml.MappingEndEvent, yaml.SequenceEndEvent)):
            node.children.append(self.node(child, depth + 1))
        return node

    def anchor(self, event: Any, node: _Node) -> None:
        if event.anchor:
            self.anchors[event.anchor] = node


def _problem(error: yaml.MarkedYAMLError) -> str:
    """The line as Go counts it: scanner problems from one, others from zero, and none at all for the first."""
    line = 0
    if error.problem_mark is not None and error.problem_mark.line:
        line = error.problem_mark.line + isinstance(error, yaml.scanner.ScannerError)
    elif error.context_mark is not None:
        line = error.context_mark.line
    where = f"line {line}: " if line else ""
    return f"yaml: {where}{error.problem or 'unknown problem parsing YAML content'}"


class _Constructor:
    """Nodes made into JSON values, duplicates noted on the way."""

    def __init__(self, anchors: dict[str, _Node]) -> None:
        self.anchors = anchors
        self.duplicates: list[str] = []
        self.open: set[str] = set()
        self.from_aliases = 0

    def value(self, node: _Node, depth: int) -> Any:
        if depth > MAX_DEPTH:
            raise YamlError(f"yaml: exceeded max depth of {MAX_DEPTH}")
        if self.open:
            self.from_aliases += 1
            if self.from_aliases > MAX_ALIAS_NODES:
                raise YamlError("yaml: document contains excessive aliasing")
        if node.kind == "scalar":
            return _scalar(node)
        if node.kind == "sequence":
            return [self.value(child, depth + 1) for child in node.children]
        if node.kind == "mapping":
            mapping: dict[str, Any] = {}
            self.fill(mapping, node, depth)
            return mapping
        return self.alias(node, depth)

    def alias(self, node: _Node, depth: int) -> Any:
        name = node.value
        if name in self.open:
            raise YamlError(f"yaml: anchor '{name}' value contains itself")
        self.open.add(name)
        value = self.value(self.anchors[name], depth)
        self.open.discard(name)
        return value

    def fill(self, mapping: dict[str, Any], node: _Node, depth: int) -> None:
        for key_node, value_node in zip(node.children[::2], node.children[1::2], strict=True):
            if _is_merge(key_node):
                self.merge(mapping, value_node, depth)
                continue
            raw = self.value(key_node, depth + 1)
            key = _key(raw)
            value = self.value(value_node, depth + 1)
            if key in mapping:
                shown = gotext.quote(raw) if isinstance(raw, str) else key
                self.duplicates.append(f"line {key_node.line + 1}: key {shown} already set in map")
            mapping[key] = value

    def merge(self, mapping: dict[str, Any], node: _Node, depth: int) -> None:
        """`<<`: the members of another mapping, or of several of which the first wins."""
        target = self.anchors[node.value] if node.kind == "alias" else node
        if target.kind == "mapping":
            mapping.update(self.merged(node, depth))
        elif target.kind == "sequence":
            for child in reversed(target.children):
                mapping.update(self.merged(child, depth))
        else:
            raise YamlError("yaml: map merge requires map or sequence of maps as the value")

    def merged(self, node: _Node, depth: int) -> dict[str, Any]:
        value = self.value(node, depth + 1)
        if not isinstance(value, dict):
            raise YamlError("yaml: map merge requires map or sequence of maps as the value")
        return value


def _is_merge(node: _Node) -> bool:
    return node.kind == "scalar" and node.value == "<<" and (node.plain or node.tag == f"{_TAG}merge")


def _key(raw: Any) -> str:
    """A key as JSON can have it."""
    if isinstance(raw, str):
        return raw
    if raw is True:
        return "true"
    if raw is False:
        return "false"
    if isinstance(raw, int):
        return str(raw)
    if isinstance(raw, float):
        return {"+Inf": ".inf", "-Inf": "-.inf", "NaN": ".nan"}.get(text := gotext.float_text(raw), text)
    if raw is None:
        raise YamlError("unsupported map key of type: %!s(<nil>), key: <nil>")
    raise YamlError(f"yaml: invalid map key: {gotext.value_text(raw)}")


def _scalar(node: _Node) -> Any:
    tag = node.tag.removeprefix(_TAG)
    if tag and tag != "!" and not node.tag.startswith("!"):
        return _tagged(tag, node)
    return resolve(node.value) if node.plain and not tag else node.value


def _tagged(tag: str, node: _Node) -> Any:
    text = node.value
    if tag == "binary":
        try:
            # JSON then replaces what is not UTF-8
            return base64.b64decode("".join(text.split()), validate=True).decode("utf-8", "replace")
        except binascii.Error:
            raise YamlError("yaml: !!binary value contains invalid base64 data") from None
    if tag in {"str", "timestamp"}:
        return text
    value = resolve(text)
    kinds = {"bool": bool, "int": int, "float": (int, float), "null": type(None)}
    if tag in kinds:
        if not isinstance(value, kinds[tag]):  # type: ignore[arg-type]  # a mapping to types and tuples of types
            raise YamlError(f"yaml: cannot decode !!str {_backquoted(text)} as a !!{tag}")
        return value
    return text


def _backquoted(text: str) -> str:
    return f"`{text}`"


def resolve(text: str) -> Any:
    """The value of a plain scalar by YAML 1.1 as go-yaml v2 has it: no sexagesimals, timestamps stay strings."""
    if text in _NULL:
        return None
    first = text[0]
    if first in "yYnNtTfFoO":
        if text in _TRUE:
            return True
        if text in _FALSE:
            return False
        return text
    if first in ".+-" and text in _SPECIAL_FLOATS:
        return _finite(_SPECIAL_FLOATS[text])
    return _number(text) if first in "+-.0123456789" else text


def _finite(value: float) -> float:
    text = gotext.float_text(value)
    if text in {"NaN", "+Inf", "-Inf"}:
        raise YamlError(f"json: unsupported value: {text}")
    return value


def _number(text: str) -> Any:
    digits = text.replace("_", "")
    number = _integer(digits)
    if number is not None:
        return number if -(1 << 63) <= number < 1 << 64 else float(number)
    if _match_float(digits):
        value = _finite(float(digits))
        return int(value) if value.is_integer() and abs(value) < 1e15 else value
    return text


def _integer(digits: str) -> int | None:
    """strconv.ParseInt(digits, 0, 64) and go-yaml's binary and octal forms; None when it is none of them."""
    sign = -1 if digits.startswith("-") else 1
    bare = digits.lstrip("+-")
    if len(digits) - len(bare) > 1 or not bare or not bare.isascii() or len(bare) > 70:
        return None
    base, body = 10, bare
    prefix = bare[:2].lower()
    if prefix in {"0x", "0b", "0o"}:
        base, body = {"0x": 16, "0b": 2, "0o": 8}[prefix], bare[2:]
    elif bare.startswith("0") and len(bare) > 1:
        base, body = 8, bare[1:]
    if not body.isalnum():
        return None
    try:
        return sign * int(body, base)
    except ValueError:
        return None


# --- writing ---------------------------------------------------------------------------------------------------------


class _Dumper(yaml.CSafeDumper):
    """Writes plain JSON values as go-yaml v2 does: keys sorted, lists not indented, no anchors."""

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002 - PyYAML's interface
        """Equal objects are written out each time."""
        return True


def _represent_str(dumper: yaml.CSafeDumper, text: str) -> yaml.ScalarNode:
    if "\n" in text:
        style = "|"
    elif _reads_as_other(text):
        style = '"'
    else:
        style = ""
    return dumper.represent_scalar(f"{_TAG}str", text, style=style)


def _reads_as_other(text: str) -> bool:
    """Whether a plain scalar of this text would not be read back as this string (by any YAML 1.1 reader)."""
    if text == "<<":
        return True
    try:
        if not isinstance(resolve(text), str):
            return True
    except YamlError:
        return True
    if not text[0].isascii() or text[0] not in "+-.0123456789":
        return False
    return bool(_match_base60(text) or _match_timestamp(text))


def _represent_float(dumper: yaml.CSafeDumper, value: float) -> yaml.ScalarNode:
    text = str(int(value)) if value.is_integer() and abs(value) < 2**63 else gotext.float_text(value)
    return dumper.represent_scalar(f"{_TAG}float" if "." in text or "e" in text else f"{_TAG}int", text)


_Dumper.add_representer(str, _represent_str)
_Dumper.add_representer(float, _represent_float)


def dump(value: Any) -> bytes:
    """Write a JSON value as YAML, ending with a line break."""
    text: bytes = yaml.dump(value, Dumper=_Dumper, encoding="utf-8", allow_unicode=True, default_flow_style=False)
    return text.removesuffix(b"...\n")
