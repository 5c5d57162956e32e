"""Object metadata: what the server sets, keeps and checks, the same for every kind.

The gateway's create and update verbs call it around a kind's own strategy. Behaviour of apiserver/pkg/registry/rest
(create.go, update.go, meta.go), apiserver/pkg/storage/names and apimachinery/pkg/api/validation/objectmeta.go (v0.36).
Functions that say so change the object that they are given, which is the request's own.
"""

from __future__ import annotations

import secrets
import uuid
from collections.abc import Mapping, Sequence
from typing import Any, Final

from kubehop.machinery import fields, gotext, names, status, timestamps
from kubehop.machinery.objects import (
    META_GROUP,
    Object,
    ensure_metadata,
    metadata,
    parse_group_version,
    string,
)

ALPHABET: Final = "bcdfghjklmnpqrstvwxz2456789"
"""Letters of generated names: no vowels and nothing that looks like one, so that no words come about."""
SUFFIX_LENGTH: Final = 5
MAX_GENERATED_PREFIX: Final = 63 - SUFFIX_LENGTH
MAX_ANNOTATIONS: Final = 256 * 1024
"""Bytes of all annotation keys and values together."""
MAX_FIELD_MANAGER: Final = 128
FINALIZER_ORPHAN: Final = "orphan"
FINALIZER_FOREGROUND: Final = "foregroundDeletion"

KEY_ORDER: Final = (
    "name", "generateName", "namespace", "selfLink", "uid", "resourceVersion", "generation", "creationTimestamp",
    "deletionTimestamp", "deletionGracePeriodSeconds", "labels", "annotations", "ownerReferences", "finalizers",
    "managedFields",
)  # fmt: skip
"""Members of metadata in the order in which kube-apiserver writes them."""
_TOP: Final = ("kind", "apiVersion", "metadata", "spec", "status")

_PATH: Final = fields.Path("metadata")
_NAMESPACE_MISMATCH: Final = "the namespace of the provided object does not match the namespace sent on the request"


# --- creating ---------------------------------------------------------------------------------------------------------


def random_suffix() -> str:
    """Five letters for a generated name."""
    return "".join(secrets.choice(ALPHABET) for _ in range(SUFFIX_LENGTH))


def generated_name(prefix: str) -> str:
    """A name from generateName; the prefix is cut so that the name stays a DNS label's length."""
    return prefix[:MAX_GENERATED_PREFIX] + random_suffix()


def generate_name(obj: Object) -> bool:
    """Give an object its name if it has a generateName alone; whether it did. Changes the object."""
    meta = metadata(obj)
    prefix = string(meta, "generateName")
    if not prefix or string(meta, "name"):
        return False
    meta["name"] = generated_name(prefix)
    return True


def wipe_system_fields(obj: Object) -> None:
    """Drop what only the server may say: uid, times of creation and deletion, selfLink. Changes the object."""
    meta = ensure_metadata(obj)
    for key in ("creationTimestamp", "uid", "deletionTimestamp", "deletionGracePeriodSeconds", "selfLink"):
        meta.pop(key, None)


def fill_system_fields(obj: Object, *, now: str = "") -> None:
    """Give a new object its uid and creationTimestamp. Changes the object."""
    meta = ensure_metadata(obj)
    meta["creationTimestamp"] = now or timestamps.now()
    meta["uid"] = str(uuid.uuid4())


def set_system_fields(obj: Object, *, now: str = "") -> None:
    """Prepare a new object: system fields wiped and filled, no resourceVersion, a generated name if it asks for one.

    Changes the object and orders its metadata.
    """
    wipe_system_fields(obj)
    ensure_metadata(obj).pop("resourceVersion", None)
    generate_name(obj)
    fill_system_fields(obj, now=now)
    order(obj)


def ensure_namespace(obj: Object, request_namespace: str, *, namespaced: bool) -> None:
    """Give the object the request's namespace; 400 when it names another one. Changes the object."""
    expected = request_namespace if namespaced else ""
    meta = ensure_metadata(obj)
    own = string(meta, "namespace")
    if own == expected:
        return
    if not own:
        meta["namespace"] = expected
    elif not expected:
        meta.pop("namespace")
    else:
        raise status.bad_request(_NAMESPACE_MISMATCH)


def check_name(obj: Mapping[str, Any], name: str, namespace: str) -> None:
    """400 when an object that was sent to a URL does not carry the URL's name and namespace (handlers/rest.go)."""
    meta = metadata(obj)
    own = string(meta, "name")
    if not own:
        raise status.bad_request(
            f"the name of the object ({name} based on URL) was undeterminable: name must be provided"
        )
    if own != name:
        raise status.bad_request(f"the name of the object ({own}) does not match the name on the URL ({name})")
    own_namespace = string(meta, "namespace")
    if namespace and own_namespace and own_namespace != namespace:
        raise status.bad_request(
            f"the namespace of the object ({own_namespace}) does not match the namespace on the request ({namespace})"
        )


# --- updating ---------------------------------------------------------------------------------------------------------


def prepare_update(new: Object, old: Mapping[str, Any]) -> None:
    """Keep what an update may not change and need not state. Changes the new object.

    generation is the old one (the strategy raises it), uid is filled in if absent, creationTimestamp is always the old
    one, deletionTimestamp and the grace period cannot be taken back.
    """
    meta, before = ensure_metadata(new), metadata(old)
    _keep(meta, before, "generation", always=True)
    if not string(meta, "uid"):
        _keep(meta, before, "uid")
    for key in ("creationTimestamp", "deletionTimestamp"):
        _keep(meta, before, key)
    if meta.get("deletionGracePeriodSeconds") is None:
        _keep(meta, before, "deletionGracePeriodSeconds")
    meta.pop("selfLink", None)


def _keep(meta: Object, before: Object, key: str, *, always: bool = False) -> None:
    value = before.get(key)
    if value or (key == "deletionGracePeriodSeconds" and value is not None):
        meta[key] = value
    elif always:
        meta.pop(key, None)


def generation(obj: Mapping[str, Any]) -> int:
    """metadata.generation, 0 where there is none."""
    value = metadata(obj).get("generation")
    return value if isinstance(value, int) else 0


def bump_generation(new: Object, old: Mapping[str, Any]) -> None:
    """The generation after the old one: for strategies whose kinds count changes of their spec. Changes the object."""
    ensure_metadata(new)["generation"] = generation(old) + 1


def spec_changed(new: Mapping[str, Any], old: Mapping[str, Any], *, ignore: Sequence[str] = ()) -> bool:
    """Whether anything but metadata, status and what is to be ignored differs."""
    passed = {"apiVersion", "kind", "metadata", "status", *ignore}
    return any(new.get(key) != old.get(key) for key in (new.keys() | old.keys()) - passed)


def is_being_deleted(obj: Mapping[str, Any]) -> bool:
    """Whether the object has a deletionTimestamp."""
    return metadata(obj).get("deletionTimestamp") is not None


# --- order ------------------------------------------------------------------------------------------------------------


def order(obj: Object) -> None:
    """Put the members of metadata, and the well-known ones of the object, in Kubernetes' order. Changes the object.

    JSON does not care; people who read `kubectl get --raw` and journeys do.
    """
    meta = obj.get("metadata")
    if isinstance(meta, dict):
        ordered = {key: meta[key] for key in KEY_ORDER if key in meta}
        if len(ordered) != len(meta):
            ordered.update((key, value) for key, value in meta.items() if key not in ordered)
        obj["metadata"] = ordered
    if tuple(obj)[:3] != _TOP[:3]:
        body = dict(obj)
        obj.clear()
        obj.update((key, body.pop(key)) for key in _TOP[:3] if key in body)
        obj.update(body)


# --- validation -------------------------------------------------------------------------------------------------------


def validate(
    obj: Mapping[str, Any],
    *,
    namespaced: bool,
    name_rule: names.NameValidator = names.name_is_path_segment,
    path: fields.Path = _PATH,
) -> list[fields.FieldError]:
    """Check the metadata of an object that is about to be created or was changed (ValidateObjectMetaAccessor)."""
    meta = metadata(obj)
    errors: list[fields.FieldError] = []
    prefix = string(meta, "generateName")
    if prefix:
        at = path.child("generateName")
        errors.extend(fields.invalid(at, prefix, message) for message in name_rule(prefix, True))
    name = string(meta, "name")
    if not name:
        errors.append(fields.required(path.child("name"), "name or generateName is required"))
    else:
        at = path.child("name")
        errors.extend(fields.invalid(at, name, message) for message in name_rule(name, False))
    errors.extend(_namespace_errors(string(meta, "namespace"), path.child("namespace"), namespaced=namespaced))
    if generation(obj) < 0:
        errors.append(fields.invalid(path.child("generation"), generation(obj), "must be greater than or equal to 0"))
    errors.extend(validate_labels(meta.get("labels") or {}, path.child("labels")))
    errors.extend(validate_annotations(meta.get("annotations") or {}, path.child("annotations")))
    errors.extend(validate_owner_references(meta.get("ownerReferences") or (), path.child("ownerReferences")))
    errors.extend(validate_finalizers(meta.get("finalizers") or (), path.child("finalizers")))
    errors.extend(validate_managed_fields(meta.get("managedFields") or (), path.child("managedFields")))
    return errors


def _namespace_errors(namespace: str, path: fields.Path, *, namespaced: bool) -> list[fields.FieldError]:
    if not namespaced:
        return [fields.forbidden(path, "not allowed on this type")] if namespace else []
    if not namespace:
        return [fields.required(path)]
    return [fields.invalid(path, namespace, message) for message in names.dns1123_label(namespace)]


def validate_update(
    new: Mapping[str, Any], old: Mapping[str, Any], *, path: fields.Path = _PATH
) -> list[fields.FieldError]:
    """Check changed metadata against what it was (ValidateObjectMetaAccessorUpdate)."""
    meta, before = metadata(new), metadata(old)
    errors: list[fields.FieldError] = []
    if before.get("deletionTimestamp") is not None:
        extra = sorted(set(meta.get("finalizers") or ()) - set(before.get("finalizers") or ()))
        if extra:
            listed = ", ".join(map(gotext.quote, extra))
            text = (
                "no new finalizers can be added if the object is being deleted, "
                f"found new finalizers []string{{{listed}}}"
            )
            errors.append(fields.forbidden(path.child("finalizers"), text))
    if not string(meta, "resourceVersion"):
        errors.append(fields.invalid(path.child("resourceVersion"), "", "must be specified for an update"))
    if generation(new) < 0:
        errors.append(fields.invalid(path.child("generation"), generation(new), "must be greater than or equal to 0"))
    if generation(new) < generation(old):
        errors.append(fields.invalid(path.child("generation"), generation(new), "must not be decremented"))
    errors.extend(
        fields.immutable(path.child(key), string(meta, key))
        for key in ("name", "namespace", "uid")
        if string(meta, key) != string(before, key)
    )
    errors.extend(
        fields.immutable(path.child(key), meta.get(key))
        for key in ("creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds")
        if meta.get(key) != before.get(key)
    )
    errors.extend(validate_labels(meta.get("labels") or {}, path.child("labels")))
    errors.extend(validate_annotations(meta.get("annotations") or {}, path.child("annotations")))
    errors.extend(validate_owner_references(meta.get("ownerReferences") or (), path.child("ownerReferences")))
    errors.extend(validate_managed_fields(meta.get("managedFields") or (), path.child("managedFields")))
    return errors


def validate_labels(labels: Mapping[str, str], path: fields.Path) -> list[fields.FieldError]:
    """Keys and values of labels."""
    errors: list[fields.FieldError] = []
    for key, value in labels.items():
        errors.extend(fields.invalid(path, key, message) for message in names.label_key(key))
        errors.extend(fields.invalid(path, value, message) for message in names.label_value(value))
    return errors


def validate_annotations(annotations: Mapping[str, str], path: fields.Path) -> list[fields.FieldError]:
    """Keys of annotations, in any case, and their size in all."""
    errors: list[fields.FieldError] = []
    size = 0
    for key, value in annotations.items():
        errors.extend(fields.invalid(path, key, message) for message in names.label_key(key.lower()))
        size += names.byte_length(key) + names.byte_length(value)
    if size > MAX_ANNOTATIONS:
        errors.append(fields.too_long(path, MAX_ANNOTATIONS))
    return errors


def validate_owner_references(references: Sequence[Any], path: fields.Path) -> list[fields.FieldError]:
    """Owners: fully named, at most one of them the controller."""
    errors = []
    controller = ""
    for reference in references:
        errors.extend(_owner_errors(reference, path))
        if reference.get("controller"):
            this = f"{string(reference, 'kind')}/{string(reference, 'name')}"
            if controller:
                text = (
                    "Only one reference can have Controller set to true. "
                    f'Found "true" in references for {controller} and {this}'
                )
                errors.append(fields.invalid(path, [_owner(each) for each in references], text))
            else:
                controller = this
    return errors


def _owner(reference: Mapping[str, Any]) -> Object:
    """A reference as Go writes the struct: its fields in declared order, the four names always."""
    written: Object = {key: string(reference, key) for key in ("apiVersion", "kind", "name", "uid")}
    for key in ("controller", "blockOwnerDeletion"):
        if reference.get(key) is not None:
            written[key] = reference[key]
    return written


def _owner_errors(reference: Mapping[str, Any], path: fields.Path) -> list[fields.FieldError]:
    api_version, kind = string(reference, "apiVersion"), string(reference, "kind")
    try:
        group, version = parse_group_version(api_version)
    except ValueError:
        # apimachinery then takes the kind alone to be known
        group, version = "", ""
    errors = []
    if not version:
        errors.append(fields.invalid(path.child("apiVersion"), api_version, "version must not be empty"))
    errors.extend(
        fields.invalid(path.child(key), "", "must not be empty")
        for key in ("kind", "name", "uid")
        if not string(reference, key)
    )
    if (group, version, kind) == ("", "v1", "Event"):
        errors.append(fields.invalid(path, _owner(reference), "/v1, Kind=Event is disallowed from being an owner"))
    return errors


def validate_finalizers(finalizers: Sequence[str], path: fields.Path) -> list[fields.FieldError]:
    """Finalizers: qualified names, not both ways of treating dependents."""
    errors = [fields.invalid(path, name, text) for name in finalizers for text in names.label_key(name)]
    if FINALIZER_ORPHAN in finalizers and FINALIZER_FOREGROUND in finalizers:
        text = f"finalizer {FINALIZER_ORPHAN} and {FINALIZER_FOREGROUND} cannot be both set"
        errors.append(fields.invalid(path, list(finalizers), text))
    return errors


def validate_managed_fields(entries: Sequence[Any], path: fields.Path) -> list[fields.FieldError]:
    """Entries of managedFields that a client sent."""
    errors = []
    for index, entry in enumerate(entries):
        at = path.index(index)
        operation = string(entry, "operation")
        if operation not in {"Apply", "Update"}:
            errors.append(fields.invalid(at.child("operation"), operation, "must be `Apply` or `Update`"))
        kind = string(entry, "fieldsType")
        if kind not in {"", "FieldsV1"}:
            errors.append(fields.invalid(at.child("fieldsType"), kind, "must be `FieldsV1`"))
        errors.extend(validate_field_manager(string(entry, "manager"), at.child("manager")))
        if names.byte_length(string(entry, "subresource")) > 256:
            errors.append(fields.too_long(at.child("subresource"), 256))
    return errors


def validate_field_manager(manager: str, path: fields.Path) -> list[fields.FieldError]:
    """The name of a field manager: short and printable."""
    errors = []
    if names.byte_length(manager) > MAX_FIELD_MANAGER:
        errors.append(fields.too_long(path, MAX_FIELD_MANAGER))
    position = 0
    for char in manager:
        if not char.isprintable():
            text = f"invalid character U+{ord(char):04X} (at position {position})"
            errors.append(fields.invalid(path, manager, text))
        position += len(char.encode("utf-8", "surrogatepass"))
    return errors


# --- options of requests ----------------------------------------------------------------------------------------------


def validate_options(
    kind: str,
    *,
    field_manager: str = "",
    dry_run: Sequence[str] = (),
    field_validation: str = "",
    force: bool | None = None,
    apply: bool = False,
) -> None:
    """Check CreateOptions, UpdateOptions or PatchOptions; 422 naming the kind of options."""
    errors: list[fields.FieldError] = []
    if kind == "PatchOptions":
        if apply and not field_manager:
            errors.append(fields.required("fieldManager", "is required for apply patch"))
        elif not apply and force is not None:
            errors.append(fields.forbidden("force", "may not be specified for non-apply patch"))
    errors.extend(validate_field_manager(field_manager, fields.Path("fieldManager")))
    errors.extend(validate_dry_run(dry_run))
    supported = ("", "Ignore", "Strict", "Warn")
    if field_validation not in supported:
        errors.append(fields.not_supported("fieldValidation", field_validation, supported))
    if errors:
        raise status.invalid(META_GROUP, kind, "", errors)


def validate_dry_run(values: Sequence[str]) -> list[fields.FieldError]:
    """The dryRun option: All, or nothing."""
    if all(value == "All" for value in values):
        return []
    return [fields.not_supported("dryRun", list(values), ("All",))]


def validate_delete_options(options: Mapping[str, Any]) -> list[fields.FieldError]:
    """DeleteOptions: how dependents are treated, dryRun (ValidateDeleteOptions)."""
    errors: list[fields.FieldError] = []
    policy = options.get("propagationPolicy")
    if policy is not None:
        if options.get("orphanDependents") is not None:
            text = "orphanDependents and deletionPropagation cannot be both set"
            errors.append(fields.invalid("propagationPolicy", policy, text))
        if policy not in {"Foreground", "Background", "Orphan"}:
            supported = ("Foreground", "Background", "Orphan", "nil")
            errors.append(fields.not_supported("propagationPolicy", policy, supported))
    errors.extend(validate_dry_run(options.get("dryRun") or ()))
    return errors


def validate_condition_list(conditions: Sequence[Any], path: fields.Path) -> list[fields.FieldError]:
    """metav1.Conditions: each type once, each condition complete (ValidateConditions)."""
    errors: list[fields.FieldError] = []
    seen: set[str] = set()
    for index, condition in enumerate(conditions):
        at = path.index(index)
        kind = string(condition, "type")
        if kind in seen:
            errors.append(fields.duplicate(at.child("type"), kind))
        seen.add(kind)
        errors.extend(validate_condition(condition, at))
    return errors


def validate_condition(condition: Mapping[str, Any], path: fields.Path) -> list[fields.FieldError]:
    """One metav1.Condition."""
    kind, state = string(condition, "type"), string(condition, "status")
    errors = [fields.invalid(path.child("type"), kind, text) for text in names.label_key(kind)]
    if state not in {"True", "False", "Unknown"}:
        errors.append(fields.not_supported(path.child("status"), state, ("False", "True", "Unknown")))
    observed = condition.get("observedGeneration") or 0
    if observed < 0:
        text = "must be greater than or equal to zero"
        errors.append(fields.invalid(path.child("observedGeneration"), observed, text))
    if not condition.get("lastTransitionTime"):
        errors.append(fields.required(path.child("lastTransitionTime")))
    reason = string(condition, "reason")
    if not reason:
        errors.append(fields.required(path.child("reason")))
    else:
        errors.extend(fields.invalid(path.child("reason"), reason, text) for text in names.condition_reason(reason))
        if names.byte_length(reason) > 1024:
            errors.append(fields.too_long(path.child("reason"), 1024))
    if names.byte_length(string(condition, "message")) > 32 * 1024:
        errors.append(fields.too_long(path.child("message"), 32 * 1024))
    return errors
