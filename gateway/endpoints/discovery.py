"""/api and /apis: which groups, versions and resources there are, one by one or aggregated.

Called by `gateway.routing`. The documents are `kubehop.machinery.discovery`'s; here they are negotiated, and aggregated
ones answered with 304 to clients that have them (apiserver pkg/endpoints/discovery).
"""

from __future__ import annotations

import gzip
from dataclasses import replace
from typing import Final

import orjson

from gateway.answers import JSON, Answer, page_not_found
from gateway.context import RequestContext
from gateway.negotiating import negotiate
from gateway.server.connection import GZIP_THRESHOLD, accepts_gzip
from kubehop.kinds import catalogue
from kubehop.machinery import codec, negotiation, status
from kubehop.machinery.discovery import Discovery
from kubehop.machinery.objects import GroupVersionKind

_AGGREGATED: Final = GroupVersionKind("apidiscovery.k8s.io", "v2", "APIGroupDiscoveryList")
_ROOT: Final = replace(negotiation.PLAIN, transforms=(_AGGREGATED,))
_AGGREGATED_TYPE: Final = f"{JSON};g={_AGGREGATED.group};v={_AGGREGATED.version};as={_AGGREGATED.kind}"
_PARTS_OF_GROUP = 2
_PARTS_OF_VERSION = 3


class DiscoveryEndpoint:
    """Serves the discovery documents of the built-in resources."""

    def __init__(self, discovery: Discovery | None = None) -> None:
        self._discovery = discovery or Discovery(catalogue.RESOURCES)
        self._compressed: dict[str, bytes] = {}

    async def answer(self, request: RequestContext) -> Answer:
        """Answer /api, /api/VERSION, /apis, /apis/GROUP and /apis/GROUP/VERSION."""
        parts = request.path.strip("/").split("/")
        if len(parts) == 1:
            return self._root(request, core=parts[0] == "api")
        if parts[0] == "api":
            group, version = "", parts[1]
        else:
            group, version = parts[1], parts[2] if len(parts) == _PARTS_OF_VERSION else ""
            if not catalogue.versions(group):
                return page_not_found()
        if parts[0] == "apis" and len(parts) == _PARTS_OF_GROUP:
            document = self._discovery.group(group)
        else:
            document = self._discovery.resource_list(group, version)
        if document is None:
            raise status.generic_server_response(404)
        if request.method != "GET":
            raise status.generic_server_response(405)
        return self._plain(request, document)

    def _root(self, request: RequestContext, *, core: bool) -> Answer:
        accepted = negotiate(request, _ROOT)
        if accepted.convert is not None:
            return self._aggregated(request, core=core)
        if core:
            host = request.headers.get("Host") or ""
            return self._plain(request, self._discovery.api_versions([("0.0.0.0/0", host)]))
        return self._plain(request, self._discovery.group_list())

    def _aggregated(self, request: RequestContext, *, core: bool) -> Answer:
        document = self._discovery.aggregated(core=core)
        tag = f'"{document.etag}"'
        head = f"Etag: {tag}\r\nVary: Accept\r\n"
        if request.headers.get("If-None-Match") == tag:
            return Answer(304, b"", "", head)
        if len(document.body) > GZIP_THRESHOLD and accepts_gzip(request.headers):
            body = self._compressed.get(document.etag)
            if body is None:
                body = self._compressed[document.etag] = gzip.compress(document.body, 6, mtime=0)
            return Answer(200, body, _AGGREGATED_TYPE, f"{head}Content-Encoding: gzip\r\nVary: Accept-Encoding\r\n")
        return Answer(200, document.body, _AGGREGATED_TYPE, head)

    @staticmethod
    def _plain(request: RequestContext, document: bytes) -> Answer:
        accepted = negotiate(request, negotiation.PLAIN)
        if accepted.media_type == JSON and not accepted.pretty:
            return Answer(200, document)
        value = orjson.loads(document)
        return Answer(200, codec.encode(value, accepted.media_type, pretty=accepted.pretty), accepted.media_type)
