"""Where volumes appear in a container: as directories, or as raw devices."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kubehop.kinds.core.pod_validation.paths import descending
from kubehop.kinds.validation import Errors
from kubehop.machinery import fields
from kubehop.machinery.fields import Path

Object = dict[str, Any]
Volumes = Mapping[str, Object]

_PROPAGATION = ("Bidirectional", "HostToContainer", "None")
_RECURSIVE = ("Disabled", "Enabled", "IfPossible")


def mounts(path: Path, container: Object, volumes: Volumes) -> Errors:
    """Check the directories of one container (ValidateVolumeMounts)."""
    devices = {
        device.get("name") or "": device.get("devicePath") or "" for device in container.get("volumeDevices") or ()
    }
    seen: set[str] = set()
    for index, mount in enumerate(container["volumeMounts"]):
        name, target = mount.get("name") or "", mount.get("mountPath") or ""
        at = path.index(index)
        if not name:
            yield fields.required(at.child("name"))
        if name not in volumes:
            yield fields.not_found(at.child("name"), name)
        if not target:
            yield fields.required(at.child("mountPath"))
        if target in seen:
            yield fields.invalid(at.child("mountPath"), target, "must be unique")
        seen.add(target)
        if name in devices:
            yield fields.invalid(at.child("name"), name, "must not already exist in volumeDevices")
        if target in devices.values():
            yield fields.invalid(at.child("mountPath"), target, "must not already exist as a path in volumeDevices")
        if len(mount) > 2:
            yield from _details(path, at, mount, container, volumes.get(name))


def _details(path: Path, at: Path, mount: Object, container: Object, volume: Object | None) -> Errors:
    """Check what only some mounts have; a few errors name the list instead of the item, as kube-apiserver's do."""
    part, expression = mount.get("subPath") or "", mount.get("subPathExpr") or ""
    if volume is not None and volume.get("image") is not None:
        for name, value in (("subPath", part), ("subPathExpr", expression)):
            if value:
                yield fields.invalid(at.child(name), value, "not allowed in image volume sources")
    if part:
        yield from descending(path.child("subPath"), part)
    if expression:
        if part:
            text = "subPathExpr and subPath are mutually exclusive"
            yield fields.invalid(at.child("subPathExpr"), expression, text)
        yield from descending(path.child("subPathExpr"), expression)
    propagation = mount.get("mountPropagation")
    if propagation is not None:
        if propagation not in _PROPAGATION:
            yield fields.not_supported(path.child("mountPropagation"), propagation, _PROPAGATION)
        if propagation == "Bidirectional" and not (container.get("securityContext") or {}).get("privileged"):
            text = "Bidirectional mount propagation is available only to privileged containers"
            yield fields.forbidden(path.child("mountPropagation"), text)
    yield from _recursive(path.child("recursiveReadOnly"), mount)


def _recursive(path: Path, mount: Object) -> Errors:
    value = mount.get("recursiveReadOnly")
    if value is None or value == "Disabled":
        return
    if value not in _RECURSIVE:
        yield fields.not_supported(path, value, _RECURSIVE)
        return
    if not mount.get("readOnly"):
        yield fields.forbidden(path, "may only be specified when readOnly is true")
    if mount.get("mountPropagation") not in (None, "None"):
        yield fields.forbidden(path, "may only be specified when mountPropagation is None or not specified")


def devices(path: Path, container: Object, volumes: Volumes) -> Errors:
    """Check the devices of one container (ValidateVolumeDevices)."""
    mounted = {mount.get("name") or "": mount.get("mountPath") or "" for mount in container.get("volumeMounts") or ()}
    seen_names: set[str] = set()
    seen_paths: set[str] = set()
    for index, device in enumerate(container["volumeDevices"]):
        name, target = device.get("name") or "", device.get("devicePath") or ""
        at = path.index(index)
        volume = volumes.get(name)
        if not name:
            yield fields.required(at.child("name"))
        if name in seen_names:
            yield fields.invalid(at.child("name"), name, "must be unique")
        if volume is None:
            yield fields.not_found(at.child("name"), name)
        elif volume.get("persistentVolumeClaim") is None and volume.get("ephemeral") is None:
            text = "can only use volume source type of PersistentVolumeClaim or Ephemeral for block mode"
            yield fields.invalid(at.child("name"), name, text)
        if not target:
            yield fields.required(at.child("devicePath"))
        if target in seen_paths:
            yield fields.invalid(at.child("devicePath"), target, "must be unique")
        if ".." in target.split("/"):
            yield fields.invalid(at.child("devicePath"), target, "can not contain backsteps ('..')")
        else:
            seen_paths.add(target)
        if name in mounted:
            yield fields.invalid(at.child("name"), name, "must not already exist in volumeMounts")
        if target in mounted.values():
            yield fields.invalid(at.child("devicePath"), target, "must not already exist as a path in volumeMounts")
        if name:
            seen_names.add(name)
