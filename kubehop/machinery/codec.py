"""Bodies in and out: JSON and YAML to objects with what strictness needs to know, objects to JSON and YAML.

The gateway decodes request bodies here (decoding.py then holds them against the schema of their kind) and encodes
answers. Compact JSON ends with a line break as Go's encoder leaves it; pretty JSON and YAML are as kube-apiserver's.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import orjson

from kubehop.machinery import gojson, yamltext
from kubehop.machinery.gojson import MAX_DEPTH, GoSyntaxError
from kubehop.machinery.yamltext import YamlError

JSON: Final = "application/json"
YAML: Final = "application/yaml"

_PRETTY = orjson.OPT_INDENT_2
_YAML_PREFIXES = ("yaml: unmarshal errors:\n", "error converting YAML to JSON: yaml: unmarshal errors:\n")


class DecodeError(ValueError):
    """A body that is neither JSON nor YAML; the message is that of Go's decoder for the form."""


@dataclass(slots=True)
class Body:
    """A body as read."""

    value: Any
    """The JSON value: in the fast form, or in the exact one (gojson.Pairs, gojson.NumberText) if `repeats`."""
    data: bytes
    media_type: str
    strict_errors: tuple[str, ...] = ()
    """What reading alone found that strictness complains of (keys repeated in YAML)."""
    repeats: bool = False
    """Whether the value is in the exact form, because keys may repeat or something in it is out of the ordinary."""

    def exact(self) -> Any:
        """The value read again with repeated keys and the text of numbers kept, for messages."""
        return gojson.loads_exact(self.data) if self.media_type == JSON else self.value


def decode(data: bytes, media_type: str = JSON, *, strict: bool = False) -> Body:
    """Read a body; DecodeError in Go's words.

    With `strict` a body in which keys repeat comes in its exact form (JSON) or with strict_errors (YAML).
    exactly.plain makes an ordinary value of the exact form.
    """
    if media_type == YAML:
        return decode_yaml(data)
    try:
        value = orjson.loads(data)
        repeats = strict and gojson.repeats_keys(data, value)
    except orjson.JSONDecodeError:
        repeats = True  # Go may still read it: let the exact form say what is in it
    try:
        if repeats:
            value = gojson.loads_exact(data)
        _check_depth(value)
    except GoSyntaxError as error:
        raise DecodeError(str(error)) from None
    return Body(value, data, JSON, repeats=repeats)


def decode_yaml(data: bytes) -> Body:
    """Read a YAML body; one that is plain JSON, as most are that kubectl sends, is read as such."""
    if data[:1] == b"{":
        try:
            value = orjson.loads(data)
        except orjson.JSONDecodeError:
            value = None
        if value is not None and not gojson.repeats_keys(data, value):
            return Body(value, data, YAML)
    try:
        document = yamltext.load(data)
    except YamlError as error:
        raise DecodeError(str(error)) from None
    except RecursionError:
        raise DecodeError(f"yaml: exceeded max depth of {MAX_DEPTH}") from None
    strict = document.strict_error
    return Body(document.value, data, YAML, (strict,) if strict else ())


def _check_depth(value: Any) -> None:
    """Refuse what could be read but not written again."""
    level = [value]
    depth = 0
    while level:
        depth += 1
        if depth > MAX_DEPTH:
            raise GoSyntaxError("exceeded max depth")
        deeper: list[Any] = []
        for item in level:
            if isinstance(item, dict):
                deeper += [child for child in item.values() if isinstance(child, (dict, list))]
            elif isinstance(item, list):
                deeper += [child for child in item if isinstance(child, (dict, list))]
        level = deeper


def strict_warnings(errors: tuple[str, ...] | list[str]) -> list[str]:
    """Strict errors as warnings: those of YAML come apart into one a line (apiserver's parseYAMLWarnings)."""
    warnings: list[str] = []
    for error in errors:
        for prefix in _YAML_PREFIXES:
            if error.startswith(prefix):
                warnings.extend(line.strip() for line in error.removeprefix(prefix).split("\n"))
                break
        else:
            warnings.append(error)
    return warnings


def encode_json(obj: Any, *, pretty: bool = False) -> bytes:
    """An object as JSON: compact with a line break after it, or indented by two without one."""
    if pretty:
        return orjson.dumps(obj, option=_PRETTY)
    return orjson.dumps(obj, option=orjson.OPT_APPEND_NEWLINE)


def encode_yaml(obj: Any) -> bytes:
    """An object as YAML, keys sorted."""
    return yamltext.dump(obj)


def encode(obj: Any, media_type: str = JSON, *, pretty: bool = False) -> bytes:
    """An object in the media type that was negotiated."""
    return encode_yaml(obj) if media_type == YAML else encode_json(obj, pretty=pretty)
