#!/usr/bin/env python3
"""Write kubehop/kinds/go_fields.json: what the Go types of Kubernetes say and its published schemas do not.

    scripts/go_fields.py DIRECTORY

DIRECTORY holds the sources of the modules k8s.io/{api,apimachinery,apiextensions-apiserver,kube-aggregator}, each under
its last name, at the release that the schema catalogue is of (v0.36.2 for v1.36). For every struct that the catalogue
defines, the file tells, by the field's JSON name:

    pointers  scalars behind a pointer: zero, false and "" are kept for them
    always    fields that are written even when they are zero: those without omitempty, and quantities and times, which
              omitempty does not leave out
    types     the named types of fields, as errors print them
    defaults  values of +default markers, which published schemas leave out of the catalogue
    enums     the values that +enum types allow
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from kubehop.kinds import definitions

TARGET = Path(__file__).resolve().parent.parent / "kubehop" / "kinds" / "go_fields.json"

MODULES = {
    "io.k8s.apimachinery.": "apimachinery",
    "io.k8s.apiextensions-apiserver.": "apiextensions-apiserver",
    "io.k8s.kube-aggregator.": "kube-aggregator",
    "io.k8s.api.": "api",
}
SCALARS = {"string", "bool", "byte", "int", "int32", "int64", "uint8", "uint32", "uint64", "float32", "float64"}

IMPORT = re.compile(r'^\s*(?:(\w+)\s+)?"([^"]+)"\s*$', re.MULTILINE)
TYPE = re.compile(r"^type (\w+) (struct \{|.+)$")
MEMBER = re.compile(r"^\s+(\w+)\s+([^`]+?)\s*`([^`]*)`")
EMBEDDED = re.compile(r"^\s+([\w.*]+)\s+`([^`]*)`")
CONSTANT = re.compile(r'^\s*(?:const )?\w+\s+(\w+)\s*=\s*"([^"]*)"')
WRITTEN = re.compile(r"(resource\.Quantity|(metav1\.)?(Micro)?Time|intstr\.IntOrString|runtime\.RawExtension)")
DEFAULT = re.compile(r"^\s*// \+default=(.*)$")


@dataclass
class Member:
    """A field of a struct; an embedded one has no JSON name."""

    json_name: str
    go_type: str
    omit: bool
    default: str | None = None


@dataclass
class Package:
    """What one Go package declares."""

    name: str
    imports: dict[str, str] = field(default_factory=dict)
    structs: dict[str, list[Member]] = field(default_factory=dict)
    aliases: dict[str, str] = field(default_factory=dict)
    enums: dict[str, list[str]] = field(default_factory=dict)


def read_package(directory: Path) -> Package:
    """Read the declarations of a package."""
    package = Package(directory.name)
    for source in sorted(directory.glob("*.go")):
        if source.name.startswith("zz_generated") or source.name.endswith(("_test.go", ".pb.go")):
            continue
        read_source(package, source.read_text())
    return package


def read_source(package: Package, text: str) -> None:
    """Add the declarations of one file."""
    for block in re.findall(r"^import \((.*?)^\)", text, re.MULTILINE | re.DOTALL):
        for alias, path in IMPORT.findall(block):
            package.imports[alias or path.rpartition("/")[2]] = path
    lines = text.splitlines()
    marked_enum = False
    index = 0
    while index < len(lines):
        line = lines[index]
        index += 1
        if line.startswith("//"):
            marked_enum = marked_enum or line.strip() == "// +enum"
            continue
        found = TYPE.match(line)
        if found and found[2].startswith("struct {"):
            members: list[Member] = []
            if not found[2].endswith("}"):
                index = read_members(members, lines, index)
            package.structs[found[1]] = members
        elif found:
            package.aliases[found[1]] = found[2].split("//")[0].strip().removeprefix("= ")
            if marked_enum:
                package.enums.setdefault(found[1], [])
        if line.strip():
            marked_enum = False
    for constant in map(CONSTANT.match, lines):
        if constant and constant[1] in package.enums:
            package.enums[constant[1]].append(constant[2])


def read_members(members: list[Member], lines: list[str], index: int) -> int:
    """Read a struct's fields up to its closing brace; return where it ends."""
    default = None
    while index < len(lines) and lines[index] != "}":
        line = lines[index]
        index += 1
        marker = DEFAULT.match(line)
        if marker:
            default = marker[1].strip()
            continue
        if line.strip().startswith("//"):
            continue
        found = MEMBER.match(line)
        embedded = EMBEDDED.match(line)
        tag = re.search(r'json:"([^"]*)"', (found or embedded)[0]) if found or embedded else None
        if tag:
            name, *options = tag[1].split(",")
            go_type = (found[2] if found else embedded[1] if embedded else "").strip()
            # omitempty leaves out no struct, however empty; of structs only these have a form of their own
            omit = "omitzero" in options or ("omitempty" in options and not WRITTEN.fullmatch(go_type))
            if "inline" in options or not name:
                members.append(Member("", go_type, omit))
            elif name != "-":
                members.append(Member(name, go_type, omit, default))
        default = None
    return index


class Sources:
    """All packages, read as they are needed."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.packages: dict[Path, Package] = {}

    def package(self, directory: Path) -> Package:
        """Return the package of a directory."""
        if directory not in self.packages:
            self.packages[directory] = read_package(directory)
        return self.packages[directory]

    def of_definition(self, name: str) -> tuple[Package, str] | None:
        """Return the package and the type of a definition."""
        for prefix, module in MODULES.items():
            if name.startswith(prefix):
                *path, kind = name.removeprefix(prefix).split(".")
                return self.package(self.root / module / "/".join(path)), kind
        return None

    def resolve(self, package: Package, go_type: str) -> tuple[Package, str] | None:
        """Return where a named type is declared, None for Go's own and for what is not among the modules."""
        alias, dot, name = go_type.rpartition(".")
        if not dot:
            return (package, name) if name not in SCALARS else None
        path = package.imports.get(alias, "")
        directory = self.root / path.removeprefix("k8s.io/")
        return (self.package(directory), name) if path.startswith("k8s.io/") and directory.is_dir() else None

    def scalar(self, package: Package, go_type: str) -> bool:
        """Tell whether a type is a scalar in the end."""
        if go_type in SCALARS:
            return True
        found = self.resolve(package, go_type)
        if found is None or found[1] not in found[0].aliases:
            return False
        return self.scalar(found[0], found[0].aliases[found[1]])

    def printed(self, package: Package, go_type: str) -> str:
        """Return a type as Go's reflection prints it."""
        if go_type.startswith("[]"):
            return "[]" + self.printed(package, go_type[2:])
        if go_type.startswith("*"):
            return self.printed(package, go_type[1:])
        entry = re.match(r"map\[([\w.]+)\](.+)$", go_type)
        if entry:
            return f"map[{self.printed(package, entry[1])}]{self.printed(package, entry[2])}"
        if go_type == "byte":
            return "uint8"
        if go_type in SCALARS or go_type.startswith("interface"):
            return go_type
        alias, dot, name = go_type.rpartition(".")
        owner = package.imports.get(alias, alias).rpartition("/")[2] if dot else package.name
        return f"{owner}.{name}"

    def members(self, package: Package, kind: str) -> list[tuple[Package, Member]]:
        """Return a struct's fields, embedded structs' own included."""
        found: list[tuple[Package, Member]] = []
        for member in package.structs.get(kind, []):
            if member.json_name:
                found.append((package, member))
                continue
            inner = self.resolve(package, member.go_type.removeprefix("*"))
            if inner:
                found.extend(self.members(*inner))
        return found


def facts(sources: Sources, package: Package, kind: str) -> dict[str, Any]:
    """Return what there is to say of a struct."""
    found: dict[str, Any] = {"pointers": [], "always": [], "types": {}, "defaults": {}, "enums": {}}
    for owner, member in sources.members(package, kind):
        name, go_type = member.json_name, member.go_type
        plain = go_type.removeprefix("*")
        if go_type.startswith("*") and sources.scalar(owner, plain):
            found["pointers"].append(name)
        if not member.omit:
            found["always"].append(name)
        declared = sources.resolve(owner, plain) if re.fullmatch(r"[\w.]+", plain) else None
        parts = [sources.resolve(owner, part) for part in re.findall(r"[\w.]+", plain.replace("map[", "["))]
        if any(part and part[1] in part[0].aliases for part in parts):
            # structs and containers of structs print as the schema says already
            found["types"][name] = sources.printed(owner, plain)
        values = declared[0].enums.get(declared[1]) if declared else None
        if values:
            found["enums"][name] = sorted(set(values))
        if member.default is not None:
            try:
                found["defaults"][name] = json.loads(member.default)
            except ValueError:
                continue  # a reference to a constant: such defaults are not part of the schema's own values
    return {key: value for key, value in found.items() if value}


def main() -> int:
    """Write the file."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("directory", type=Path, help="the sources of the modules")
    sources = Sources(parser.parse_args().directory)
    found: dict[str, Any] = {}
    for name in definitions.names():
        place = sources.of_definition(name)
        if place is None:
            print(f"{name}: no such module", file=sys.stderr)
            return 1
        said = facts(sources, *place)
        if said:
            found[name] = said
    lines = ",\n".join(f"{json.dumps(name)}: {json.dumps(said, separators=(',', ':'))}" for name, said in found.items())
    TARGET.write_text(f"{{\n{lines}\n}}\n")
    print(f"{TARGET.name}: {len(found)} structs")
    return 0


if __name__ == "__main__":
    sys.exit(main())
