"""Request bodies: read within the limit, of an accepted media type, decoded as what the path expects.

Used by create and update (objects) and by delete and deletecollection (options).
"""

from __future__ import annotations

import orjson

from gateway.context import RequestContext
from gateway.options import DeleteOptions, delete_options_from_body, delete_options_from_query
from gateway.schemes import LegacyScheme, MetaScheme
from kubehop.machinery import codec, decoding, negotiation, status
from kubehop.machinery.objects import GroupVersionKind, Object, parse_group_version

LIMIT = 3 * 1024 * 1024
"""Bytes of a body, kube-apiserver's MaxRequestBodyBytes."""
READ = (negotiation.JSON, negotiation.YAML, negotiation.PROTOBUF)
"""Media types of bodies that are understood; clients written in Go send protobuf by default."""
_SCHEME = LegacyScheme()
_META = MetaScheme()


def media_type_of(request: RequestContext) -> str:
    """Return the media type of the body. Raises 415."""
    return negotiation.content_type(request.headers.get("Content-Type") or "", READ)


async def read(request: RequestContext) -> bytes:
    """Return the body. Raises 413 and 504."""
    return await request.wire.read_body(LIMIT, request.deadline)


def decode(
    request: RequestContext,
    data: bytes,
    media_type: str,
    expected: GroupVersionKind,
    validation: str,
    *,
    check_version: bool = True,
) -> Object:
    """Return the object that a body holds, warning the client of what strict reading complains of. Raises 400."""
    data, media_type = _as_text(data, media_type)
    obj, warnings = decoding.decode_object(
        data, media_type, _SCHEME, expected, field_validation=validation, check_version=check_version
    )
    for text in warnings:
        request.add_warning(text)
    return obj


async def read_delete_options(request: RequestContext) -> DeleteOptions:
    """Return the options of a delete: the body's where there is one, else the query's. Raises 400, 415 and 422."""
    data = await read(request)
    if not data:
        return delete_options_from_query(request.query)
    data, media_type = _as_text(data, media_type_of(request))
    return delete_options_from_body(_decode_options(data, media_type))


def _as_text(data: bytes, media_type: str) -> tuple[bytes, str]:
    """Return a protobuf body as the JSON that says the same, and any other as it is. Raises 400."""
    if media_type != negotiation.PROTOBUF:
        return data, media_type
    from kubehop.kinds import protobuf
    from kubehop.machinery.protobuf import ProtobufError

    try:
        return orjson.dumps(protobuf.decode(data)), negotiation.JSON
    except ProtobufError as error:
        raise status.bad_request(str(error)) from None


def _decode_options(data: bytes, media_type: str) -> Object:
    """Decode DeleteOptions of any group; unknown fields are ignored here, as kube-apiserver does."""
    try:
        body = codec.decode(data, media_type)
    except codec.DecodeError as error:
        prefix = "" if media_type == codec.YAML else "couldn't get version/kind; json parse error: "
        raise status.bad_request(f"{prefix}{error}") from None
    value = body.value if body.value is not None else {}
    if not isinstance(value, dict):
        raise status.bad_request("couldn't get version/kind; json parse error: json: cannot unmarshal into Go value")
    actual = _type_of(value)
    node = _META.schema(*actual)
    if node is None or actual.kind != "DeleteOptions":
        raise status.bad_request(
            f'no kind "{actual.kind}" is registered for version "{actual.api_version}" in scheme "{_META.name}"'
        )
    try:
        made: Object = decoding.decode_value(node, value, exact=body.exact, repeats=body.repeats).value
    except decoding.TypeMismatchError as error:
        raise status.bad_request(str(error)) from None
    return made


def _type_of(value: Object) -> GroupVersionKind:
    try:
        group, version = parse_group_version(str(value.get("apiVersion") or "v1"))
    except ValueError as error:
        raise status.bad_request(str(error)) from None
    return GroupVersionKind(group, version or "v1", str(value.get("kind") or "DeleteOptions"))
