"""What the Go types of Kubernetes say of their fields and its published schemas do not.

The facts are in go_fields.json, written by scripts/go_fields.py from the sources of the release. `definitions` takes
defaults and enumerations from here, `schemas` the fields that keep their zero values.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import orjson

from kubehop.machinery.schema import GoFields

Facts = Mapping[str, Any]

_NOTHING: Facts = {}


@functools.cache
def _facts() -> Mapping[str, Facts]:
    found: Mapping[str, Facts] = orjson.loads(Path(__file__).with_suffix(".json").read_bytes())
    return found


def defaults(definition: str) -> Facts:
    """Return the default values of a definition's fields."""
    found: Facts = _facts().get(definition, _NOTHING).get("defaults", _NOTHING)
    return found


def enumerations(definition: str) -> Mapping[str, list[str]]:
    """Return the values that a definition's fields allow, where they are enumerated."""
    found: Mapping[str, list[str]] = _facts().get(definition, _NOTHING).get("enums", _NOTHING)
    return found


class Fields(Mapping[str, GoFields]):
    """The facts that the schema builder asks for, by a definition's name."""

    def __getitem__(self, definition: str) -> GoFields:
        facts = _facts()[definition]
        return GoFields(
            pointers=frozenset(facts.get("pointers", ())),
            always=frozenset(facts.get("always", ())),
            types=facts.get("types", _NOTHING),
        )

    def __iter__(self) -> Iterator[str]:
        return iter(_facts())

    def __len__(self) -> int:
        return len(_facts())
