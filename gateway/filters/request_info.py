"""Reads what the URL asks for: verb, group, version, resource, namespace, name.

Everything below depends on it. As kube-apiserver: pkg/endpoints/filters/requestinfo.go and request/requestinfo.go.
"""

from __future__ import annotations

import json
from functools import lru_cache

from gateway.answers import Answer, text
from gateway.chain import Handler
from gateway.context import RequestContext
from kubehop.machinery import request_info
from kubehop.machinery.request_info import RequestInfo, RequestInfoError

LONG_RUNNING_VERBS = frozenset({"watch", "proxy"})
LONG_RUNNING_SUBRESOURCES = frozenset({"attach", "exec", "proxy", "log", "portforward"})
_LONGEST_KEPT_PATH = 512


def wrap(handler: Handler) -> Handler:
    """Return the handler that parses the URL first."""

    async def with_request_info(request: RequestContext) -> Answer:
        try:
            if request.query_string or len(request.path) > _LONGEST_KEPT_PATH:
                info = request_info.parse(request.method, request.path, request.query)
            else:
                info = _parse_path(request.method, request.path)
        except RequestInfoError as error:
            request.info = RequestInfo(False, request.path, request.method.lower())
            return text(500, f"Internal Server Error: {json.dumps(request.path)}: {error}\n")
        request.info = info
        request.long_running = is_long_running(info)
        return await handler(request)

    return with_request_info


@lru_cache(maxsize=4096)
def _parse_path(method: str, path: str) -> RequestInfo:
    """Parse a URL without a query: a pure function of two short texts, which come again and again."""
    return request_info.parse(method, path, {})


def is_long_running(info: RequestInfo) -> bool:
    """Say whether a request may last: it is then exempt from deadline, wait group and in-flight limits."""
    if not info.is_resource_request:
        return False
    return info.verb in LONG_RUNNING_VERBS or info.subresource in LONG_RUNNING_SUBRESOURCES
