"""Claims that are made with a pod or a stateful set: templates of persistent volume claims, and their specs.

Facts: ValidatePersistentVolumeClaimTemplate and ValidatePersistentVolumeClaimSpec.
"""

from __future__ import annotations

from typing import Any

from kubehop.kinds.validation import Errors
from kubehop.kinds.validation_quantities import positive
from kubehop.kinds.validation_values import label, label_selector, obeys, one_of
from kubehop.machinery import fields, metadata, names
from kubehop.machinery.fields import Path

Object = dict[str, Any]

ACCESS_MODES = ("ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod")
VOLUME_MODES = ("Block", "Filesystem")


def claim_template(path: Path, template: Object) -> Errors:
    """Check a claim that is made for an ephemeral volume."""
    meta = template.get("metadata") or {}
    at = path.child("metadata")
    yield from metadata.validate_annotations(meta.get("annotations") or {}, at.child("annotations"))
    yield from metadata.validate_labels(meta.get("labels") or {}, at.child("labels"))
    for name, value in meta.items():
        if name not in ("annotations", "labels") and value:
            yield fields.forbidden(at.child(name), "cannot be set")
    yield from claim_spec(path.child("spec"), template.get("spec") or {})


def claim_spec(path: Path, spec: Object) -> Errors:
    """Check what is claimed (ValidatePersistentVolumeClaimSpec)."""
    modes = spec.get("accessModes") or []
    if not modes:
        yield fields.required(path.child("accessModes"), "at least 1 access mode is required")
    yield from label_selector(path.child("selector"), spec.get("selector"))
    yield from access_modes(path.child("accessModes"), modes)
    requested = ((spec.get("resources") or {}).get("requests") or {}).get("storage")
    if requested is None:
        yield fields.required(path.child("resources").key("storage"))
    else:
        yield from positive(path.child("resources").key("storage"), requested)
    if spec.get("storageClassName"):
        yield from obeys(path.child("storageClassName"), spec["storageClassName"], names.dns1123_subdomain)
    if spec.get("volumeMode") is not None:
        yield from one_of(path.child("volumeMode"), spec["volumeMode"], VOLUME_MODES)
    yield from _sources(path, spec)
    if spec.get("volumeAttributesClassName"):
        at = path.child("volumeAttributesClassName")
        yield from obeys(at, spec["volumeAttributesClassName"], names.dns1123_subdomain)


def access_modes(path: Path, modes: list[str]) -> Errors:
    """Want known access modes, and the one for a single pod alone."""
    for mode in modes:
        yield from one_of(path, mode, ACCESS_MODES)
    if "ReadWriteOncePod" in modes and any(mode in ACCESS_MODES[:3] for mode in modes):
        yield fields.forbidden(path, "may not use ReadWriteOncePod with other access modes")


def _sources(path: Path, spec: Object) -> Errors:
    source, reference = spec.get("dataSource"), spec.get("dataSourceRef")
    if source is not None:
        yield from _source(path.child("dataSource"), source)
    if reference is not None:
        yield from _source(path.child("dataSourceRef"), reference)
        if reference.get("namespace"):
            yield from label(path.child("dataSourceRef", "namespace"), reference["namespace"])
    if source is None or reference is None:
        return
    # the value that these two errors print is the field's path, as in kube-apiserver
    shown = fields.Literal("{}")
    if reference.get("namespace"):
        yield fields.invalid(path, shown, "may not be specified when dataSourceRef.namespace is specified")
    elif any((source.get(key) or "") != (reference.get(key) or "") for key in ("apiGroup", "kind", "name")):
        yield fields.invalid(path, shown, "must match dataSourceRef")


def _source(path: Path, source: Object) -> Errors:
    kind, group = source.get("kind") or "", source.get("apiGroup") or ""
    if not source.get("name"):
        yield fields.required(path.child("name"))
    if not kind:
        yield fields.required(path.child("kind"))
    if not group and kind != "PersistentVolumeClaim":
        text = "must be 'PersistentVolumeClaim' when referencing the default apiGroup"
        yield fields.invalid(path, kind, text)
    if group:
        yield from obeys(path.child("apiGroup"), group, names.dns1123_subdomain)
