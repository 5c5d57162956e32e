"""Content negotiation: the Accept and Content-Type headers against what an endpoint can read and write.

The gateway asks here for every request. Two gates stand one after the other in kube-apiserver and both are here: the
router's (go-restful: `route_accepts`, `route_consumes`), whose refusals list representations, and the handlers'
(apiserver/pkg/endpoints/handlers/negotiation), whose refusals list media types. Protobuf and CBOR are named as
kube-apiserver names protobuf, and never chosen: nobody here speaks them.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from kubehop.machinery import status
from kubehop.machinery.objects import META_GROUP, GroupVersionKind

JSON: Final = "application/json"
YAML: Final = "application/yaml"
PROTOBUF: Final = "application/vnd.kubernetes.protobuf"
CBOR: Final = "application/cbor"

MEDIA_TYPES: Final = (JSON, YAML, PROTOBUF)
"""What kube-apiserver lists as read and written, in its order."""
STREAM_MEDIA_TYPES: Final = ("application/json;stream=watch", "application/vnd.kubernetes.protobuf;stream=watch")
LIST_MEDIA_TYPES: Final = MEDIA_TYPES + STREAM_MEDIA_TYPES
SPOKEN: Final = frozenset({JSON, YAML})

JSON_PATCH: Final = "application/json-patch+json"
MERGE_PATCH: Final = "application/merge-patch+json"
STRATEGIC_MERGE_PATCH: Final = "application/strategic-merge-patch+json"
APPLY_YAML_PATCH: Final = "application/apply-patch+yaml"
PATCH_TYPES: Final = (JSON_PATCH, MERGE_PATCH, STRATEGIC_MERGE_PATCH, APPLY_YAML_PATCH)
"""Patch types of built-in kinds, in kube-apiserver's order; custom resources have no strategic merge."""

_HUMANS: Final = ("curl", "Wget", "Mozilla/5.0")


@dataclass(frozen=True, slots=True)
class Clause:
    """One media range of an Accept header."""

    type: str
    subtype: str
    quality: float
    params: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Accepted:
    """What was negotiated for an answer."""

    media_type: str = JSON
    pretty: bool = False
    stream: str = ""
    """`watch` where the client named the streaming form."""
    convert: GroupVersionKind | None = None
    """The type that the client wants the object turned into: Table, PartialObjectMetadata(List)."""
    profile: str = ""
    """Profile of aggregated discovery."""


@dataclass(frozen=True, slots=True)
class Restrictions:
    """What an endpoint lets a client ask for."""

    transforms: tuple[GroupVersionKind, ...] = ()
    """Types that it can turn its answer into."""
    media_types: tuple[str, ...] = (JSON, YAML)
    """What it writes, by preference."""
    listed: tuple[str, ...] = MEDIA_TYPES
    """What a refusal lists."""
    streams: bool = False
    """Whether this is a watch; YAML has no streaming form."""


TABLE_KINDS: Final = tuple(
    GroupVersionKind(META_GROUP, version, kind)
    for version in ("v1", "v1beta1")
    for kind in ("Table", "PartialObjectMetadata", "PartialObjectMetadataList")
)
RESOURCES: Final = Restrictions(transforms=TABLE_KINDS)
"""Endpoints that serve objects: tables and metadata on demand."""
PLAIN: Final = Restrictions()
"""Endpoints without transformations: errors, create options, plain documents."""
WATCHES: Final = Restrictions(transforms=TABLE_KINDS, listed=STREAM_MEDIA_TYPES, streams=True)


@functools.lru_cache(maxsize=256)
def parse_accept(header: str) -> tuple[Clause, ...]:
    """The media ranges of an Accept header, best first: by quality, then exact before wild (goautoneg)."""
    clauses = [clause for part in header.split(",") if (clause := _clause(part)) is not None]
    clauses.sort(key=lambda clause: (-clause.quality, clause.type == "*", clause.subtype == "*"))
    return tuple(clauses)


def _clause(part: str) -> Clause | None:
    media, *parameters = part.split(";")
    kind, _, subtype = media.strip().partition("/")
    if not subtype:
        if kind != "*":
            return None
        subtype = "*"
    quality = 1.0
    params: dict[str, str] = {}
    for parameter in parameters:
        key, equals, value = parameter.partition("=")
        key, value = key.strip(), value.strip()
        if not equals:
            continue
        if key == "q":
            try:
                quality = float(value)
            except ValueError:
                quality = 0.0
        else:
            params[key] = value
    return Clause(kind.strip(), subtype.strip(), quality, params)


def negotiate(
    accept: str, restrictions: Restrictions = RESOURCES, *, pretty: str = "", user_agent: str = ""
) -> Accepted:
    """Choose the form of an answer. `pretty` is the query parameter, "" where it is absent.

    Raises 406 listing the media types when nothing that the client accepts can be written.
    """
    chosen = _choose(accept, restrictions)
    if chosen is None:
        raise status.not_acceptable(restrictions.listed)
    if chosen.pretty or not _is_pretty(pretty, user_agent):
        return chosen
    return Accepted(chosen.media_type, True, chosen.stream, chosen.convert, chosen.profile)


def negotiate_error(accept: str, *, pretty: str = "", user_agent: str = "") -> Accepted:
    """Choose the form of an error: like any answer, but JSON where the client accepts nothing that can be written."""
    chosen = _choose(accept, PLAIN) or Accepted()
    return Accepted(chosen.media_type, chosen.pretty or _is_pretty(pretty, user_agent))


@functools.lru_cache(maxsize=1024)
def _choose(accept: str, restrictions: Restrictions) -> Accepted | None:
    """Independent of the request at hand, hence cached: clients send the same few headers."""
    if not accept:
        return Accepted(restrictions.media_types[0])
    for clause in parse_accept(accept):
        for media_type in restrictions.media_types:
            kind, _, subtype = media_type.partition("/")
            if not (
                (clause.type == kind and clause.subtype in {subtype, "*"})
                or (clause.type == "*" and clause.subtype == "*")
            ):
                continue
            accepted = _with_params(clause.params, media_type, restrictions)
            if accepted is not None:
                return None if restrictions.streams and media_type == YAML else accepted
    return None


def _with_params(params: Mapping[str, str], media_type: str, restrictions: Restrictions) -> Accepted | None:
    stream = params.get("stream", "")
    if stream and (stream != "watch" or media_type not in {JSON, CBOR}):
        return None
    if params.get("sv"):
        return None
    convert = None
    if "as" in params or "g" in params or "v" in params:
        convert = GroupVersionKind(params.get("g", ""), params.get("v", ""), params.get("as", ""))
        if convert not in restrictions.transforms:
            return None
    return Accepted(media_type, params.get("pretty") == "1", stream, convert, params.get("profile", ""))


def _is_pretty(pretty: str, user_agent: str) -> bool:
    """The query parameter if it is given, else whether a person seems to read the answer."""
    if pretty:
        return pretty in {"1", "t", "T", "TRUE", "true", "True"}
    return user_agent.startswith(_HUMANS)


# --- request bodies ---------------------------------------------------------------------------------------------------


def parse_media_type(header: str) -> str:
    """The media type of a Content-Type header, in lower case and without parameters; "" when it is malformed.

    Malformed is what Go's mime.ParseMediaType refuses: no token, or parameters without a value.
    """
    media, *parameters = header.split(";")
    media = media.strip().lower()
    kind, slash, subtype = media.partition("/")
    if not _is_token(kind) or (slash and not _is_token(subtype)):
        return ""
    names = set()
    for index, parameter in enumerate(parameters):
        key, equals, value = (piece.strip() for piece in parameter.partition("="))
        if not key and index == len(parameters) - 1:
            break
        if not equals or not _is_token(key) or not value or key.lower() in names:
            return ""
        names.add(key.lower())
    return media


def _is_token(text: str) -> bool:
    return bool(text) and all("!" <= char <= "~" and char not in '()<>@,;:\\"/[]?=' for char in text)


def content_type(header: str, accepted: Sequence[str] = (JSON, YAML), listed: Iterable[str] = MEDIA_TYPES) -> str:
    """The media type of a body; an absent header is the first of the accepted. 415 for the others."""
    if not header:
        return accepted[0]
    media_type = parse_media_type(header)
    if media_type in accepted:
        return media_type
    raise status.unsupported_media_type(listed)


def patch_type(header: str, accepted: Sequence[str] = PATCH_TYPES) -> str:
    """The patch type of a PATCH body. 415 of the router for types that the resource does not take."""
    route_consumes(header, accepted)
    return header.partition(";")[0].strip()


def patch_type_of_handler(header: str, accepted: Sequence[str] = PATCH_TYPES) -> str:
    """The patch type where routing did not look at it already (custom resources). 415 listing the patch types."""
    media_type = header.partition(";")[0].strip()
    if media_type in accepted:
        return media_type
    raise status.unsupported_media_type(accepted)


# --- the router's gate ------------------------------------------------------------------------------------------------


def route_accepts(accept: str, produces: Sequence[str] = MEDIA_TYPES) -> None:
    """406 of the router: it compares whole media types, and knows of wildcards only `*/*`."""
    if not accept:
        return
    for part in accept.split(","):
        media = part.partition(";")[0].strip(" ")
        if media == "*/*" or media in produces:
            return
    listed = ", ".join(produces)
    raise status.generic_server_response(
        406, server_message=f"406: Not Acceptable\n\nAvailable representations: {listed}"
    )


def route_consumes(header: str, consumes: Sequence[str] = ("*/*",)) -> None:
    """415 of the router; a body without Content-Type is an octet stream to it."""
    for part in (header or "application/octet-stream").split(","):
        media = part.partition(";")[0].strip(" ")
        if "*/*" in consumes or media in consumes:
            return
    raise status.generic_server_response(415, server_message="415: Unsupported Media Type")
