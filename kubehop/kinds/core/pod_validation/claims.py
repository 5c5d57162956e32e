"""Claims that are made with a pod, for its ephemeral volumes (ValidatePersistentVolumeClaimTemplate)."""

from __future__ import annotations

from typing import Any

from kubehop.kinds.core.volume_rules import claim
from kubehop.kinds.validation import Errors
from kubehop.machinery import fields, metadata
from kubehop.machinery.fields import Path

Object = dict[str, Any]


def claim_template(path: Path, template: Object) -> Errors:
    """Check a claim that is made for an ephemeral volume."""
    meta = template.get("metadata") or {}
    at = path.child("metadata")
    yield from metadata.validate_annotations(meta.get("annotations") or {}, at.child("annotations"))
    yield from metadata.validate_labels(meta.get("labels") or {}, at.child("labels"))
    for name, value in meta.items():
        if name not in ("annotations", "labels") and value:
            yield fields.forbidden(at.child(name), "cannot be set")
    yield from claim(template, None, path.child("spec"))
