"""The schema of every kind, built from the catalogue when it is first needed.

Decoding, patches and field management go along these; what two kinds share (a pod template, say) is built once. None of
the prose is kept.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping
from typing import Any

from kubehop.kinds import definitions, go_fields
from kubehop.kinds.value_structs import value_structs
from kubehop.machinery.schema import Builder, Schema


class _ValueStructs(Mapping[str, tuple[str, ...]]):
    """By-value structs by a definition's full name, as the builder asks for them."""

    def __getitem__(self, definition: str) -> tuple[str, ...]:
        properties: Mapping[str, Any] = definitions.definition(definition).get("properties") or {}
        return tuple(sorted(value_structs(definition, frozenset(properties))))

    def __iter__(self) -> Iterator[str]:
        return iter(definitions.names())

    def __len__(self) -> int:
        return sum(1 for _ in definitions.names())


@functools.cache
def _builder() -> Builder:
    return Builder(definitions.definition, value_structs=_ValueStructs(), go_fields=go_fields.Fields())


def schema_for(group: str, version: str, kind: str) -> Schema:
    """Return the schema of a kind. KeyError where the catalogue has none.

    Types of meta.k8s.io (DeleteOptions, Status) are found by that group and version v1.
    """
    if group == "meta.k8s.io":
        return schema_named(f"io.k8s.apimachinery.pkg.apis.meta.{version}.{kind}")
    return schema_named(definitions.kinds()[group, version, kind])


@functools.cache
def schema_named(definition: str) -> Schema:
    """Return the schema of a definition: `io.k8s.api.core.v1.PodSpec`. KeyError where there is none."""
    return _builder().build(definition)
