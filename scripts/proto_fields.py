#!/usr/bin/env python3
"""Write kubehop/kinds/proto_fields.json: the field numbers of Kubernetes' types in their protobuf form.

    scripts/proto_fields.py DIRECTORY

DIRECTORY holds the sources of the modules k8s.io/{api,apimachinery,apiextensions-apiserver,kube-aggregator}, each under
its last name. For every message that the schema catalogue defines, and those that they refer to, the file tells per
field number its JSON name and what it holds:

    ["name", "string"]            a scalar: string, bool, bytes, int32, int64, double
    ["spec", "core.v1.PodSpec"]   a message; "" as the name when its fields stand in the outer object (Go's embedding)
    ["ports", "[]core.v1.Port"]   repeated
    ["data", "{}bytes"]           a map of strings to this

Fields that the catalogue does not know (of newer releases) are left out: a decoder skips them.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

from kubehop.kinds import definitions

TARGET = Path(__file__).resolve().parent.parent / "kubehop" / "kinds" / "proto_fields.json"
MESSAGE = re.compile(r"^message (\w+) \{\n(.*?)^\}", re.MULTILINE | re.DOTALL)
FIELD = re.compile(r"^  (?:(optional|repeated|required) )?(map<string, ?([\w.]+)>|[\w.]+) (\w+) = (\d+);", re.MULTILINE)
PACKAGE = re.compile(r"^package ([\w.]+);", re.MULTILINE)
SCALARS = {"string", "bool", "bytes", "int32", "int64", "double"}


def short(name: str) -> str:
    """k8s.io.api.core.v1.Pod and io.k8s.api.core.v1.Pod alike as core.v1.Pod, others by their last three parts."""
    return ".".join(name.split(".")[-3:])


def read(root: Path) -> dict[str, list[tuple[str, str, str, int]]]:
    """Message by short name to (label, type, name, number)."""
    found: dict[str, list[tuple[str, str, str, int]]] = {}
    for source in sorted(root.rglob("generated.proto")):
        text = source.read_text()
        package = PACKAGE.search(text)
        assert package, source
        for name, body in MESSAGE.findall(text):
            fields = []
            for label, kind, value, field, number in FIELD.findall(body):
                plain = value or kind
                if plain not in SCALARS:
                    plain = short(plain.lstrip(".") if "." in plain else f"{package[1]}.{plain}")
                fields.append(("map" if value else label, plain, field, int(number)))
            found[short(f"{package[1]}.{name}")] = fields
    return found


def embedded(messages: dict[str, list[tuple[str, str, str, int]]], kind: str, properties: Any) -> bool:
    """Whether a message's fields stand in the outer object: all that it has are among the outer one's properties."""
    return all(
        field in properties or (kind_ in messages and embedded(messages, kind_, properties))
        for _, kind_, field, _ in messages[kind]
    )


def main() -> int:
    if len(sys.argv) != 2:
        print(__doc__, file=sys.stderr)
        return 2
    messages = read(Path(sys.argv[1]))
    known = {short(name): definitions.definition(name).get("properties") for name in definitions.names()}
    out: dict[str, dict[str, Any]] = {}
    waiting = [name for name in known if name in messages]
    while waiting:
        name = waiting.pop()
        if name in out:
            continue
        properties = known.get(name)
        fields: dict[str, Any] = {}
        for label, kind, field, number in messages[name]:
            scalar = kind in SCALARS
            json_name = field
            if properties and field not in properties:
                if scalar or label in {"map", "repeated"} or not embedded(messages, kind, properties):
                    continue
                json_name = ""
            form = {"map": "{}", "repeated": "[]"}.get(label, "") + kind
            fields[str(number)] = [json_name, form]
            if not scalar and kind in messages:
                waiting.append(kind)
        out[name] = fields
    rows = [f' "{name}": {json.dumps(out[name], separators=(",", ":"))}' for name in sorted(out)]
    TARGET.write_text("{\n" + ",\n".join(rows) + "\n}\n")
    print(f"{len(out)} messages")
    return 0


if __name__ == "__main__":
    sys.exit(main())
