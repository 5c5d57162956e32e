"""PATCH requests: a body of one of the patch types applied to the current object.

The gateway's patch verb calls `patch_object` for each attempt (again when the object changed meanwhile). Behaviour and
words of apiserver/pkg/endpoints/handlers/patch.go: jsonPatcher and smpPatcher.
"""

from __future__ import annotations

from typing import Any, Final

import orjson

from kubehop.machinery import codec, decoding, exactly, fields, gotext, negotiation, status
from kubehop.machinery.codec import DecodeError
from kubehop.machinery.decoding import IGNORE, STRICT, Scheme, TypeMismatchError
from kubehop.machinery.objects import GroupVersionKind, Object
from kubehop.machinery.patch import json_patch, merge_patch, strategic
from kubehop.machinery.schema import Schema, anything


def _operation_schema() -> Schema:
    """The Go struct that strict reading of a JSON patch uses, for its complaints."""
    text = Schema()
    text.type, text.go_type = "string", "string"
    operation = Schema()
    operation.type, operation.name, operation.go_type = "object", "jsonPatchOp", "handlers.jsonPatchOp"
    operation.properties = {"op": text, "path": text, "from": text, "value": anything()}
    operations = Schema()
    operations.type, operations.items, operations.go_type = "array", operation, "[]handlers.jsonPatchOp"
    return operations


_OPERATIONS: Final = _operation_schema()
_ANY_OBJECT: Final = "map[string]interface {}"


def patch_object(
    patch_type: str,
    data: bytes,
    current: Object,
    *,
    scheme: Scheme,
    expected: GroupVersionKind,
    field_validation: str = "",
) -> tuple[Object, list[str]]:
    """The object with the patch applied, of the expected version like `current`, and warnings.

    `patch_type` is one of negotiation's JSON_PATCH, MERGE_PATCH and STRATEGIC_MERGE_PATCH. Neither defaults nor
    metadata rules are applied yet. Raises StatusError: 400 for bodies that are no patch, 413 for too many operations,
    422 for patches that fail or whose result is no such object, 500 where kube-apiserver answers 500.
    """
    strict = field_validation != IGNORE
    if patch_type == negotiation.STRATEGIC_MERGE_PATCH:
        return _strategic(data, current, scheme, expected, field_validation)
    if patch_type == negotiation.JSON_PATCH:
        value, errors = _json_patched(data, current, strict=strict)
    elif patch_type == negotiation.MERGE_PATCH:
        value, errors = _merge_patched(data, current, strict=strict)
    else:
        raise status.unsupported_media_type(negotiation.PATCH_TYPES)
    return _decoded(value, errors, scheme, expected, field_validation)


# --- JSON and merge patches -------------------------------------------------------------------------------------------


def _json_patched(data: bytes, current: Object, *, strict: bool) -> tuple[Any, list[str]]:
    operations, errors = read_operations(data, strict=strict)
    if len(operations) > json_patch.MAX_OPERATIONS:
        raise status.request_entity_too_large(
            f"The allowed maximum operations in a JSON patch is {json_patch.MAX_OPERATIONS}, got {len(operations)}"
        )
    try:
        return json_patch.apply(current, operations), errors
    except json_patch.JsonPatchError:
        raise status.generic_server_response(422) from None


def read_operations(data: bytes, *, strict: bool = True) -> tuple[list[Any], list[str]]:
    """The operations of a JSON patch and what strict reading complains of; 400 when it is none."""
    prefix = "error decoding patch: " if strict else ""
    try:
        value = codec.decode(data, strict=strict).value
    except DecodeError as error:
        raise status.bad_request(f"{prefix}{error}") from None
    if strict:
        reader = exactly.JsonReader()
        try:
            reader.read(_OPERATIONS, value)
        except TypeMismatchError as error:
            raise status.bad_request(f"{prefix}{error}") from None
        return _plain(value) or [], [f"json patch {error}" for error in reader.strict_errors]
    value = _plain(value)
    if value is None:
        return [], []
    if not isinstance(value, list):
        kind = exactly.json_kind(value)
        raise status.bad_request(f"json: cannot unmarshal {kind} into Go value of type jsonpatch.Patch")
    for operation in value:
        if operation is not None and not isinstance(operation, dict):
            kind = exactly.json_kind(operation)
            raise status.bad_request(f"json: cannot unmarshal {kind} into Go value of type jsonpatch.Operation")
    return value, []


def _plain(value: Any) -> Any:
    try:
        return exactly.plain(value)
    except TypeMismatchError as error:
        raise status.bad_request(f"error decoding patch: {error}") from None


def _merge_patched(data: bytes, current: Object, *, strict: bool) -> tuple[Any, list[str]]:
    try:
        value = codec.decode(data, strict=strict).value
    except DecodeError as error:
        raise status.bad_request(f"error decoding patch: {error}" if strict else "Invalid JSON Patch") from None
    errors = decoding.untyped_errors(value) if strict else []
    value = _plain(value)
    if isinstance(value, dict):
        return merge_patch.apply(current, value), errors
    if value is not None and strict:
        kind = exactly.json_kind(value)
        raise status.bad_request(
            f"error decoding patch: json: cannot unmarshal {kind} into Go value of type {_ANY_OBJECT}"
        )
    if isinstance(value, list):
        return merge_patch.pruned(value), errors
    raise status.bad_request("Invalid JSON Patch")


def _decoded(
    value: Any, errors: list[str], scheme: Scheme, expected: GroupVersionKind, field_validation: str
) -> tuple[Object, list[str]]:
    """The patched document read as the kind that it has to be."""
    try:
        decoded = decoding.read_document(value, scheme, expected)
    except ValueError as error:
        raise _invalid_patch(_document_text(value), str(error)) from None
    errors = [*errors, *decoded.strict_errors]
    if errors and field_validation == STRICT:
        raise _invalid_patch(_document_text(value), decoding.strict_decoding_error(errors))
    return decoded.value, codec.strict_warnings(errors) if field_validation != IGNORE else []


def _document_text(value: Any) -> str:
    try:
        return gotext.json_text(value, sort_keys=True)
    except (TypeError, orjson.JSONEncodeError):
        return ""


def _invalid_patch(document: str, message: str) -> status.StatusError:
    return status.invalid("", "", "", [fields.invalid("patch", document, message)])


# --- strategic merge patches ------------------------------------------------------------------------------------------


def _strategic(
    data: bytes, current: Object, scheme: Scheme, expected: GroupVersionKind, field_validation: str
) -> tuple[Object, list[str]]:
    node = scheme.schema(*expected)
    if node is None:
        raise status.bad_request("strategic merge patch format is not supported")
    strict = field_validation != IGNORE
    patch, errors = _read_map(data, strict=strict)
    try:
        merged = strategic.merge(current, patch, node)
    except strategic.PatchFormatError as error:
        raise status.bad_request(str(error)) from None
    except strategic.UnsupportedListError:
        raise status.generic_server_response(422) from None
    except strategic.StrategicPatchError as error:
        raise status.unknown(str(error)) from None
    try:
        decoded = decoding.restore_value(node, merged.value)
    except TypeMismatchError as error:
        raise _invalid_patch(gotext.value_text(merged.residue), str(error)) from None
    if strict:
        # complaints of the merged object come sorted by their text
        errors = [*errors, *sorted(decoded.strict_errors)]
    if errors and field_validation == STRICT:
        raise _invalid_patch(gotext.value_text(merged.residue), decoding.strict_decoding_error(errors))
    return decoding.with_type(decoded.value, expected), codec.strict_warnings(errors) if strict else []


def _read_map(data: bytes, *, strict: bool) -> tuple[Object, list[str]]:
    try:
        body = codec.decode(data, strict=strict)
    except DecodeError as error:
        raise status.bad_request(str(error)) from None
    value = body.value
    if value is None:
        return {}, []
    if not isinstance(value, dict):
        kind = exactly.json_kind(value)
        raise status.bad_request(f"json: cannot unmarshal {kind} into Go value of type {_ANY_OBJECT}")
    if not body.repeats:  # an ordinary value
        return value, []
    errors = decoding.untyped_errors(value) if strict else []
    plain: Object = _plain(value)
    return plain, errors
