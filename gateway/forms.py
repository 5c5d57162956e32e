"""Objects and lists in the form that was negotiated: as stored, YAML, Table, metadata only.

Verbs hand in what storage gave them. JSON in the storage version goes out as it came; everything else is decoded here,
once, and put into the other form (apiserver pkg/endpoints/handlers/response.go).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from time import time

import orjson

from gateway.answers import Answer
from gateway.context import RequestContext
from gateway.negotiating import PLAIN
from gateway.scopes import Scope
from kubehop.kinds import convert, tables
from kubehop.machinery import codec, status, table
from kubehop.machinery.negotiation import Accepted
from kubehop.machinery.objects import Object

TABLE, METADATA, METADATA_LIST = "Table", "PartialObjectMetadata", "PartialObjectMetadataList"


def target(accepted: Accepted) -> str:
    """Return the kind that the answer is to be turned into, "" for none."""
    return accepted.convert.kind if accepted.convert else ""


def include_object(request: RequestContext) -> str:
    """Return what rows of a Table carry: "" for metadata, "None", "Metadata" or "Object". Raises 400."""
    value = request.query.get("includeObject", "") if request.query_string else ""
    if value not in table.INCLUDE_OBJECTS:
        shown = orjson.dumps(value).decode()
        detail = f"includeObject: Invalid value: {shown}: must be 'Metadata', 'Object', 'None', or empty"
        raise status.bad_request(f"Unable to convert to Table as requested: {detail}")
    return value


def check_form(request: RequestContext, scope: Scope, accepted: Accepted, *, listing: bool) -> None:
    """Refuse forms that the answer cannot take, before anything is done for it."""
    kind = target(accepted)
    if kind == TABLE:
        include_object(request)
    elif kind == METADATA and listing:
        text = f"the requested object is a list (*{_go_type(scope)}List)"
        raise status.not_acceptable_message(f"you requested {METADATA}, but {text}")
    elif kind == METADATA_LIST and not listing:
        text = f"the requested object is not a list (*{_go_type(scope)})"
        raise status.not_acceptable_message(f"you requested {METADATA_LIST}, but {text}")


def _go_type(scope: Scope) -> str:
    """Return the name of the internal Go type, which messages show."""
    group = scope.resource.group.partition(".")[0] or "core"
    return f"{group}.{scope.kind.kind}"


def speaks_storage(scope: Scope) -> bool:
    """Say whether the scope's version is the one that is kept in the store."""
    return not convert.needed(scope.resource) and scope.kind.kind == scope.resource.kind


def object_answer(request: RequestContext, scope: Scope, accepted: Accepted, stored: bytes, code: int = 200) -> Answer:
    """Return the answer for an object as storage gave it."""
    if accepted is PLAIN and speaks_storage(scope):
        return Answer(code, stored + b"\n")
    obj: Object = orjson.loads(stored)
    if not target(accepted):
        obj = convert.to_served(obj, scope.resource)
    return value_answer(request, scope, accepted, obj, code)


def value_answer(request: RequestContext, scope: Scope, accepted: Accepted, obj: Object, code: int = 200) -> Answer:
    """Return the answer for a decoded object; for Tables and metadata in the storage version, else in the scope's."""
    kind = target(accepted)
    if kind and obj.get("kind") != "Status":
        assert accepted.convert is not None
        check_form(request, scope, accepted, listing=False)
        version = accepted.convert.version
        if kind == TABLE:
            obj = as_table(request, scope, [obj], obj.get("metadata") or {}, version)
        else:
            obj = table.partial_object_metadata(obj, version)
    return Answer(code, codec.encode(obj, accepted.media_type, pretty=accepted.pretty), accepted.media_type)


def as_table(
    request: RequestContext,
    scope: Scope,
    objects: Sequence[Object],
    metadata: Object,
    version: str,
    *,
    headers: bool = True,
) -> Object:
    """Return objects of the storage version as a Table."""
    return table.table(
        printer_for(scope),
        objects,
        metadata,
        now=time(),
        include_object=include_object(request),
        version=version,
        present=presenter(scope),
        headers=headers,
    )


def printer_for(scope: Scope) -> table.Printer:
    """Return what prints the objects of a scope."""
    if scope.subresource is not None and scope.subresource.kind == "Scale":
        return tables.scale_printer()
    return tables.columns_for(scope.resource)


def presenter(scope: Scope) -> Callable[[Object], Object] | None:
    """Return what turns a stored object into the scope's version, None where they are the same."""
    if speaks_storage(scope):
        return None
    return lambda obj: convert.to_served(obj, scope.resource)


def encoded(obj: Object, accepted: Accepted) -> bytes:
    """Return an object in the negotiated media type, without the line break of JSON."""
    return codec.encode(obj, accepted.media_type, pretty=accepted.pretty).rstrip(b"\n")


def list_answer(request: RequestContext, scope: Scope, accepted: Accepted, items: bytes, metadata: Object) -> Answer:
    """Return the answer for a list that has to be decoded; items are JSON objects joined by commas, with types."""
    objects: list[Object] = orjson.loads(b"[%b]" % items)
    kind = target(accepted)
    resource = scope.resource
    made: Object
    if kind == TABLE:
        assert accepted.convert is not None
        made = as_table(request, scope, objects, metadata, accepted.convert.version)
    elif kind == METADATA_LIST:
        assert accepted.convert is not None
        made = table.partial_object_metadata_list(objects, metadata, accepted.convert.version)
    else:
        shown = [_without_type(convert.to_served(obj, resource)) for obj in objects]
        made = {
            "kind": resource.list_kind,
            "apiVersion": resource.api_version,
            "metadata": metadata,
            "items": shown,
        }
    return Answer(200, codec.encode(made, accepted.media_type, pretty=accepted.pretty), accepted.media_type)


def _without_type(obj: Object) -> Object:
    """Drop kind and apiVersion: items of built-in lists go without."""
    return {key: value for key, value in obj.items() if key not in ("kind", "apiVersion")}
