"""RequestInfo: what a request is about, read from its method, path and query.

The gateway parses every request once, here; authorization, audit, routing and the journey use the result. Behaviour
of k8s.io/apiserver/pkg/endpoints/request/requestinfo.go (API prefixes `api` and `apis`, `api` without groups).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from kubehop.machinery import gotext
from kubehop.machinery.selectors import fields as field_selectors
from kubehop.machinery.selectors import labels as label_selectors

_VERBS = {
    "GET": "get",
    "HEAD": "get",
    "POST": "create",
    "PUT": "update",
    "PATCH": "patch",
    "DELETE": "delete",
}
_NAMESPACE_SUBRESOURCES = frozenset({"status", "finalize"})
_WITH_SELECTORS = frozenset({"list", "watch", "deletecollection"})


class RequestInfoError(ValueError):
    """A path that starts like a resource's and ends too early; kube-apiserver answers 500 in plain text."""


@dataclass(frozen=True, slots=True)
class RequestInfo:
    """What a request asks for. Empty strings stand for what a request does not name."""

    is_resource_request: bool
    """Whether it is about an API resource; if not, only `path` and `verb` (the method in lower case) are set."""
    path: str
    verb: str
    """get, list, watch, create, update, patch, delete, deletecollection or proxy; "" for other methods."""
    api_prefix: str = ""
    api_group: str = ""
    api_version: str = ""
    namespace: str = ""
    resource: str = ""
    subresource: str = ""
    name: str = ""
    """From the path, or from a field selector that names one object."""
    parts: tuple[str, ...] = ()
    """The path from the resource on: resource, name, subresource and whatever follows."""
    field_selector: str = ""
    label_selector: str = ""


def parse(method: str, path: str, query: Mapping[str, str]) -> RequestInfo:
    """Read a request; `path` is decoded, `query` maps each parameter to its first value.

    Raises RequestInfoError for `/api/v1/watch` and the like.
    """
    parts = path.strip("/").split("/")
    count = len(parts)
    if count < 3:
        return RequestInfo(False, path, method.lower())
    prefix = parts[0]
    if prefix == "api":
        group, version, at = "", parts[1], 2
    elif prefix == "apis" and count > 3:
        group, version, at = parts[1], parts[2], 3
    else:
        return RequestInfo(False, path, method.lower(), prefix if prefix == "apis" else "")

    first = parts[at]
    by_path = first in {"watch", "proxy"}
    if by_path:
        if at + 1 >= count:
            raise RequestInfoError(f"unable to determine kind and namespace from url, {path}")
        verb = first
        at += 1
        first = parts[at]
    else:
        verb = _VERBS.get(method, "")

    namespace = ""
    if first == "namespaces" and at + 1 < count:
        namespace = parts[at + 1]
        # a step after the namespace is a resource of its own, unless it is a subresource of the namespace
        if at + 2 < count and parts[at + 2] not in _NAMESPACE_SUBRESOURCES:
            at += 2

    rest = tuple(parts[at:])
    depth = len(rest)
    name = rest[1] if depth > 1 else ""
    subresource = rest[2] if depth > 2 and verb != "proxy" else ""

    field_selector = label_selector = ""
    if not name:
        if verb == "get":
            verb, name = _collection(query)
        elif verb == "delete":
            verb = "deletecollection"
    if query and not by_path and verb in _WITH_SELECTORS:
        field_selector = query.get("fieldSelector", "")
        label_selector = query.get("labelSelector", "")
    return RequestInfo(
        True, path, verb, prefix, group, version, namespace, rest[0], subresource, name, rest,
        field_selector, label_selector,
    )  # fmt: skip


def _collection(query: Mapping[str, str]) -> tuple[str, str]:
    """list or watch, and the one name that the field selector asks for, if it does and all options can be read."""
    if not query:
        return "list", ""
    verb = "watch" if is_watch(query) else "list"
    selector = query.get("fieldSelector", "")
    if "metadata.name" not in selector:
        return verb, ""
    try:
        for number in ("limit", "timeoutSeconds"):
            if number in query:
                gotext.parse_int64(query[number])
        label_selectors.parse(query.get("labelSelector", ""))
        name = field_selectors.parse(selector).requires_exact_match("metadata.name")
    except ValueError:
        # options that cannot be read leave the name unknown; the handler will answer 400
        return verb, ""
    if name is None or name in {".", ".."} or "/" in name or "%" in name:
        return verb, ""
    return verb, name


def is_watch(query: Mapping[str, str]) -> bool:
    """The `watch` parameter, read as every boolean parameter: present and neither `false` nor `0`."""
    return parse_bool(query.get("watch"))


def parse_bool(value: str | None) -> bool:
    """A boolean query parameter (runtime.Convert_Slice_string_To_bool): absent, `false` and `0` are false."""
    return value is not None and value.lower() not in {"false", "0"}
