"""Annotations that once stood for fields of pods: they are still held to their form, and to the fields.

Facts: ValidatePodSpecificAnnotations and the functions beside it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import orjson

from kubehop.kinds.core.pod_validation.paths import descending
from kubehop.kinds.core.pod_validation.scheduling import tolerations
from kubehop.kinds.core.pod_validation.windows import containers
from kubehop.kinds.validation import Errors
from kubehop.machinery import fields, gotext
from kubehop.machinery.fields import Path

Object = dict[str, Any]
Annotations = Mapping[str, str]

MIRROR = "kubernetes.io/config.mirror"
DELETION_COST = "controller.kubernetes.io/pod-deletion-cost"
SECCOMP_POD = "seccomp.security.alpha.kubernetes.io/pod"
SECCOMP_CONTAINER = "container.seccomp.security.alpha.kubernetes.io/"
APP_ARMOR = "container.apparmor.security.beta.kubernetes.io/"
_TOLERATIONS = "scheduler.alpha.kubernetes.io/tolerations"
_LOCAL = "localhost/"
_RUNTIME = "runtime/default"
_UNCONFINED = "unconfined"
_SECCOMP_RUNTIME = (_RUNTIME, "docker/default")
_match_cost = re.compile("0|-?[1-9][0-9]*").fullmatch
_INT32 = 1 << 31


def of_pod(path: Path, annotations: Annotations, spec: Object) -> Errors:
    """Check the annotations of a pod or of a pod template."""
    if not annotations:
        return
    if MIRROR in annotations and not spec.get("nodeName"):
        text = "must set spec.nodeName if mirror pod annotation is set"
        yield fields.invalid(path.key(MIRROR), annotations[MIRROR], text)
    if annotations.get(_TOLERATIONS):
        yield from _old_tolerations(path, annotations[_TOLERATIONS])
    cost = annotations.get(DELETION_COST)
    if cost is not None and not (_match_cost(cost) and len(cost) < 12 and -_INT32 <= int(cost) < _INT32):
        yield fields.invalid(path.key(DELETION_COST), cost, "must be a 32bit integer")
    if SECCOMP_POD in annotations:
        yield from _seccomp(path.child(SECCOMP_POD), annotations[SECCOMP_POD])
    for key, value in annotations.items():
        if key.startswith(SECCOMP_CONTAINER):
            yield from _seccomp(path.child(key), value)
    for key, value in annotations.items():
        if key.startswith(APP_ARMOR):
            name = key.removeprefix(APP_ARMOR)
            if all(container.get("name") != name for _, _, container in containers(spec)):
                yield fields.invalid(path.key(key), name, "container not found")
            if value not in ("", _RUNTIME, _UNCONFINED) and not value.startswith(_LOCAL):
                text = f"invalid AppArmor profile name: {gotext.quote(value)}"
                yield fields.invalid(path.key(key), value, text)


def _old_tolerations(path: Path, text: str) -> Errors:
    try:
        found = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        yield fields.invalid(path, _TOLERATIONS, str(error))
        return
    if isinstance(found, list) and all(isinstance(one, dict) for one in found):
        yield from tolerations(path.child(_TOLERATIONS), found)
    else:
        yield fields.invalid(path, _TOLERATIONS, "json: cannot unmarshal into Go value of type []v1.Toleration")


def _seccomp(path: Path, profile: str) -> Errors:
    if profile in (*_SECCOMP_RUNTIME, _UNCONFINED):
        return
    if profile.startswith(_LOCAL):
        yield from descending(path, profile.removeprefix(_LOCAL))
    else:
        yield fields.invalid(path, profile, "must be a valid seccomp profile")


def match_fields(path: Path, annotations: Annotations, spec: Object) -> Errors:
    """Want annotations to say what the fields say, where both are there; `path` is that of the spec."""
    if not annotations:
        return
    context = spec.get("securityContext") or {}
    whole = context.get("seccompProfile")
    if whole is not None and SECCOMP_POD in annotations:
        at = path.child("securityContext", "seccompProfile")
        yield from _matches(at, annotations[SECCOMP_POD], whole, "seccomp", _SECCOMP_RUNTIME)
    for field, index, container in containers(spec):
        own = (container.get("securityContext") or {}).get("seccompProfile")
        annotation = annotations.get(f"{SECCOMP_CONTAINER}{container.get('name')}")
        if own is not None and annotation is not None:
            at = path.child(field).index(index).child("securityContext", "seccompProfile")
            yield from _matches(at, annotation, own, "seccomp", _SECCOMP_RUNTIME)
    if (spec.get("os") or {}).get("name") == "windows":
        return
    for field, index, container in containers(spec):
        own = (container.get("securityContext") or {}).get("appArmorProfile") or context.get("appArmorProfile")
        annotation = annotations.get(f"{APP_ARMOR}{container.get('name')}")
        if own is not None and annotation is not None:
            at = path.child(field).index(index).child("securityContext", "appArmorProfile")
            yield from _matches(at, annotation, own, "apparmor", (_RUNTIME,))


def _matches(path: Path, annotation: str, profile: Object, what: str, runtime: tuple[str, ...]) -> Errors:
    text = f"{what} type in annotation and field must match"
    match profile.get("type"):
        case "Unconfined":
            if annotation != _UNCONFINED:
                yield fields.forbidden(path.child("type"), text)
        case "RuntimeDefault":
            if annotation not in runtime:
                yield fields.forbidden(path.child("type"), text)
        case "Localhost":
            if not annotation.startswith(_LOCAL):
                yield fields.forbidden(path.child("type"), text)
            elif annotation.removeprefix(_LOCAL) != profile.get("localhostProfile"):
                profiles = f"{what} profile in annotation and field must match"
                yield fields.forbidden(path.child("localhostProfile"), profiles)
        case _:
            pass


def changed(path: Path, new: Annotations, old: Annotations) -> Errors:
    """Refuse that annotations change that stand for what cannot (ValidatePodSpecificAnnotationUpdates)."""
    if new == old:
        return
    for key, value in old.items():
        if new.get(key) == value:
            continue
        if key.startswith(APP_ARMOR):
            yield fields.forbidden(path.key(key), "may not remove or update AppArmor annotations")
        if key == MIRROR:
            yield fields.forbidden(path.key(key), "may not remove or update mirror pod annotation")
    for key in new.keys() - old.keys():
        if key.startswith(APP_ARMOR):
            yield fields.forbidden(path.key(key), "may not add AppArmor annotations")
        if key == MIRROR:
            yield fields.forbidden(path.key(key), "may not add mirror pod annotation")
