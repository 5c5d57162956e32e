"""A pod's volumes: named once, each of one source."""

from __future__ import annotations

from typing import Any

from kubehop.kinds.core.pod_validation.volume_sources import SOURCES
from kubehop.kinds.validation import Errors
from kubehop.kinds.validation_values import label
from kubehop.machinery import fields, gotext, names
from kubehop.machinery.fields import FieldError, Path

Object = dict[str, Any]

_BY_FIELD = {source.field: source for source in SOURCES}
_SECOND = "may not specify more than 1 volume type"
_PORTAL_MAX = 64


def volumes(
    path: Path, found: list[Object], pod_name: str, *, is_pod: bool
) -> tuple[dict[str, Object], list[FieldError]]:
    """Check the volumes of a pod (ValidateVolumes); return those that are right, by name, and what is wrong.

    `pod_name` is "" where there is no pod yet.
    """
    known: dict[str, Object] = {}
    errors: list[FieldError] = []
    made = {f"{pod_name}-{one.get('name')}" for one in found if pod_name and one.get("ephemeral") is not None}
    for index, volume in enumerate(found):
        name = volume.get("name") or ""
        wrong = list(_source(path.index(index), volume, name, pod_name, is_pod=is_pod))
        if not name:
            wrong.append(fields.required(path.index(index).child("name")))
        else:
            wrong.extend(label(path.index(index).child("name"), name))
        if name in known:
            wrong.append(fields.duplicate(path.index(index).child("name"), name))
        if wrong:
            errors.extend(wrong)
        else:
            known[name] = volume
        claim = (volume.get("persistentVolumeClaim") or {}).get("claimName")
        if made and claim in made:
            text = "must not reference a PVC that gets created for an ephemeral volume"
            at = path.index(index).child("persistentVolumeClaim", "claimName")
            errors.append(fields.invalid(at, claim, text))
    return known, errors


def _source(path: Path, volume: Object, name: str, pod_name: str, *, is_pod: bool) -> Errors:
    given = [field for field in volume if field in _BY_FIELD and volume[field] is not None]
    if len(given) > 1:
        given.sort(key=_ORDER.__getitem__)
    for position, field in enumerate(given):
        source = _BY_FIELD[field]
        if position:
            yield fields.forbidden(path.child(source.second or field), _SECOND)
        elif field == "image" and is_pod and not volume[field].get("reference"):
            yield fields.required(path.child("image", "reference"))
            yield from source.check(path.child("image"), volume[field])
        else:
            yield from source.check(path.child(source.path or field), volume[field])
        if field == "iscsi":
            yield from _portal(path, volume[field], name)
        if field == "ephemeral" and not position and pod_name and name:
            claim = f"{pod_name}-{name}"
            for message in names.dns1123_subdomain(claim):
                yield fields.invalid(path.child("name"), name, f"PVC name {gotext.quote(claim)}: {message}")
    if not given:
        yield fields.required(path, "must specify a volume type")


_ORDER = {source.field: position for position, source in enumerate(SOURCES)}


def _portal(path: Path, source: Object, name: str) -> Errors:
    portal = source.get("targetPortal") or ""
    if source.get("initiatorName") is not None and names.byte_length(f"{name}:{portal}") > _PORTAL_MAX:
        text = (
            "Total length of <volume name>:<iscsi.targetPortal> must be under 64 characters "
            "if iscsi.initiatorName is specified."
        )
        yield fields.invalid(path.child("name"), name, text)
