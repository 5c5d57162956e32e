"""Small pieces that the validation of kinds is made of; a rule is one line, its message is kube-apiserver's.

Each yields field errors for an object, or for a changed object and what it was.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from kubehop.kinds.defaulting import part
from kubehop.machinery import fields, metadata, names
from kubehop.machinery.fields import FieldError

Object = dict[str, Any]
Errors = Iterator[FieldError]


def _at(obj: Object, path: tuple[str, ...]) -> Any:
    found: Any = obj
    for key in path:
        found = found.get(key) if isinstance(found, dict) else None
    return found


def immutable(new: Object, old: Object, *path: str) -> Errors:
    """Refuse a change of the field at a path."""
    value = _at(new, path)
    if value != _at(old, path):
        yield fields.immutable(fields.Path(*path), value)


def only_changed(new: Object, old: Object, mutable: tuple[str, ...], message: str) -> Errors:
    """Refuse a change of any field of the spec but some."""
    before, after = _at(old, ("spec",)) or {}, _at(new, ("spec",)) or {}
    if any(before.get(key) != after.get(key) for key in (before.keys() | after.keys()) - set(mutable)):
        yield fields.forbidden(fields.Path("spec"), message)


def frozen(new: Object, old: Object, *data: str) -> Errors:
    """Keep what has been declared immutable: the declaration and the data."""
    if not old.get("immutable"):
        return
    message = "field is immutable when `immutable` is set"
    if not new.get("immutable"):
        yield fields.forbidden(fields.Path("immutable"), message)
    for field in data:
        if (new.get(field) or {}) != (old.get(field) or {}):
            yield fields.forbidden(fields.Path(field), message)


def data_keys(obj: Object, field: str, clashes: str = "") -> Errors:
    """Check the keys of a ConfigMap's or Secret's data, which may not be in another field too."""
    for key in obj.get(field) or {}:
        path = fields.Path(field).key(key)
        for message in names.config_map_key(key):
            yield fields.invalid(path, key, message)
        if clashes == "binaryData" and key in (obj.get(clashes) or {}):
            yield fields.invalid(path, key, f"duplicate of key present in {clashes}")


def required_selector(obj: Object, kind: str) -> Errors:
    """Require a selector that selects something; `kind` is what the message calls it."""
    selector = part(obj, "spec", "selector")
    if selector is None:
        yield fields.required(fields.Path("spec", "selector"))
    elif not selector:
        yield fields.invalid(fields.Path("spec", "selector"), selector, f"empty selector is invalid for {kind}")


def pod_template_selected(obj: Object) -> Errors:
    """Require that the selector matches the labels of the template."""
    selector = part(obj, "spec", "selector")
    labels = _at(obj, ("spec", "template", "metadata", "labels")) or {}
    path = fields.Path("spec", "template", "metadata", "labels")
    if selector and not selects(selector, labels):
        yield fields.invalid(path, labels, "`selector` does not match template `labels`")
    yield from metadata.validate_labels(labels, path)


def selects(selector: Object, labels: Object) -> bool:
    """Tell whether a LabelSelector matches labels; one with an operator that nobody knows matches none."""
    if any(labels.get(key) != value for key, value in (selector.get("matchLabels") or {}).items()):
        return False
    for requirement in selector.get("matchExpressions") or ():
        key, values = requirement.get("key"), requirement.get("values") or ()
        matched = {
            "In": key in labels and labels[key] in values,
            "NotIn": labels.get(key) not in values,
            "Exists": key in labels,
            "DoesNotExist": key not in labels,
        }.get(requirement.get("operator"), False)
        if not matched:
            return False
    return True
