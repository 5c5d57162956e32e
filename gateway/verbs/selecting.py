"""The options of list, watch and deletecollection, held against what the resource supports.

Shared by these three verbs. As listOpts in apiserver pkg/endpoints/handlers/get.go.
"""

from __future__ import annotations

from dataclasses import replace

from gateway.context import RequestContext
from gateway.options import ListOptions, read_list_options
from gateway.scopes import Scope
from kubehop.machinery import status
from kubehop.machinery.gotext import parse_uint64, quote
from kubehop.machinery.selectors import fields as field_selectors


def read_options(request: RequestContext, scope: Scope, *, watch: bool) -> ListOptions:
    """Return the options of a request, its field selector in the store's terms. Raises 400 and 422."""
    options = read_list_options(request.query, watch=watch)
    selector = field_selectors.parse(options.field_selector)
    if not selector.empty:
        convert = scope.resource.convert_field_label
        try:
            selector = selector.transform(lambda label, value: (convert(label), value))
        except ValueError as error:
            raise status.bad_request(str(error)) from None
    if name := request.info.name:
        if selector.empty:
            selector = field_selectors.from_set({"metadata.name": name})
        elif selector.requires_exact_match("metadata.name") != name:
            raise status.bad_request("fieldSelector metadata.name doesn't match requested name")
    return replace(options, field_selector=str(selector))


def check_version(text: str) -> None:
    """Refuse a resourceVersion that is no number, as the watch cache of kube-apiserver does (500 without a reason)."""
    try:
        parse_uint64(text)
    except ValueError as error:
        raise status.unknown(f"resourceVersion: Invalid value: {quote(text)}: {error}") from None
