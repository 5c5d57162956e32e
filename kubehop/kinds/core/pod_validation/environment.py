"""Environment variables of containers: their names, and where their values come from."""

from __future__ import annotations

from typing import Any

from kubehop.kinds.core.pod_validation import references
from kubehop.kinds.validation import Errors
from kubehop.kinds.validation_values import obeys, required_name
from kubehop.machinery import fields, names
from kubehop.machinery.fields import Path

Object = dict[str, Any]

_NO_SOURCE = "must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef`, `secretKeyRef` or `fileKeyRef`"
_SEVERAL = "may not have more than one field specified at a time"


def variables(path: Path, found: list[Object]) -> Errors:
    """Check environment variables (ValidateEnv)."""
    for index, variable in enumerate(found):
        name = variable.get("name") or ""
        if not name:
            yield fields.required(path.index(index).child("name"))
        else:
            for message in names.relaxed_env_var_name(name):
                yield fields.invalid(path.index(index).child("name"), name, message)
        source = variable.get("valueFrom")
        if source is not None:
            yield from _source(path.index(index).child("valueFrom"), source, variable.get("value") or "")


def _source(path: Path, source: Object, value: str) -> Errors:
    count = 0
    if (reference := source.get("fieldRef")) is not None:
        count += 1
        yield from references.field(path.child("fieldRef"), reference, references.ENVIRONMENT_FIELDS)
    if (reference := source.get("resourceFieldRef")) is not None:
        count += 1
        yield from references.resource(path.child("resourceFieldRef"), reference, in_volume=False)
    for name in ("configMapKeyRef", "secretKeyRef"):
        if (reference := source.get(name)) is not None:
            count += 1
            yield from references.key(path.child(name), reference)
    if (reference := source.get("fileKeyRef")) is not None:
        count += 1
        yield from references.file_key(path.child("fileKeyRef"), reference)
    if not count:
        yield fields.invalid(path, "", _NO_SOURCE)
    elif value:
        yield fields.invalid(path, "", "may not be specified when `value` is not empty")
    elif count > 1:
        yield fields.invalid(path, "", _SEVERAL)


def sources(path: Path, found: list[Object]) -> Errors:
    """Check whole maps and secrets that are taken as variables (ValidateEnvFrom)."""
    for index, source in enumerate(found):
        at = path.index(index)
        if source.get("prefix"):
            yield from obeys(at.child("prefix"), source["prefix"], names.relaxed_env_var_name)
        count = 0
        for name in ("configMapRef", "secretRef"):
            if (reference := source.get(name)) is not None:
                count += 1
                yield from required_name(at.child(name, "name"), reference.get("name"), _prefix_of_name)
        if not count:
            yield fields.invalid(path, "", "must specify one of: `configMapRef` or `secretRef`")
        elif count > 1:
            yield fields.invalid(path, "", _SEVERAL)


def _prefix_of_name(name: str) -> list[str]:
    return names.name_is_dns_subdomain(name, True)
