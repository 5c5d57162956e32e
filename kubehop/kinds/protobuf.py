"""Field numbers of the built-in kinds' protobuf form, read when the first such body comes.

The table is written by scripts/proto_fields.py; `kubehop.machinery.protobuf` reads bodies along it.
"""

from __future__ import annotations

import functools
from importlib import resources
from typing import Any

import orjson

from kubehop.kinds import definitions
from kubehop.machinery.objects import Object
from kubehop.machinery.protobuf import Fields, ProtobufError, Reader, unwrap


@functools.cache
def _table() -> dict[str, Any]:
    table: dict[str, Any] = orjson.loads(resources.files(__package__).joinpath("proto_fields.json").read_bytes())
    return table


def _fields(message: str) -> Fields | None:
    return _table().get(message)


_META = {"DeleteOptions", "CreateOptions", "UpdateOptions", "PatchOptions"}


def decode(data: bytes) -> Object:
    """The object in a protobuf body, kind and apiVersion first; raises ProtobufError."""
    envelope = unwrap(data)
    group, _, version = envelope.api_version.rpartition("/")
    if envelope.kind in _META:
        message = f"meta.v1.{envelope.kind}"
    else:
        definition = definitions.kinds().get((group, version, envelope.kind))
        if definition is None:
            raise ProtobufError(
                f'no kind "{envelope.kind}" is registered for version "{envelope.api_version}" in scheme '
                '"k8s.io/kubernetes/pkg/api/legacyscheme/scheme.go:30"'
            )
        message = ".".join(definition.split(".")[-3:])
    return {
        "kind": envelope.kind,
        "apiVersion": envelope.api_version,
        **Reader(_fields).read(message, envelope.raw),
    }
