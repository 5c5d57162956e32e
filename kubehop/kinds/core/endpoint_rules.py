"""What is wrong with endpoints, in the old form and in slices.

Facts: pkg/apis/core/validation (validateEndpointSubsets), pkg/apis/discovery/validation.
"""

from __future__ import annotations

from typing import Any

from kubehop.kinds import validation_addresses as addresses
from kubehop.kinds.validation import Errors
from kubehop.kinds.validation_values import label, labels, obeys, one_of, port, qualified, subdomain, unchanged
from kubehop.machinery import fields, names
from kubehop.machinery.fields import Path

Object = dict[str, Any]

_PROTOCOLS = ("SCTP", "TCP", "UDP")
_TYPES = ("FQDN", "IPv4", "IPv6")
_MAX_ADDRESSES, _MAX_PORTS, _MAX_ENDPOINTS = 100, 20000, 1000
_MAX_HINTS = 8


def subsets(obj: Object, kept: frozenset[str] = frozenset()) -> Errors:
    """Check the subsets of Endpoints."""
    for index, subset in enumerate(obj.get("subsets") or ()):
        at = Path("subsets").index(index)
        if not subset.get("addresses") and not subset.get("notReadyAddresses"):
            yield fields.required(at, "must specify `addresses` or `notReadyAddresses`")
        for field in ("addresses", "notReadyAddresses"):
            for place, address in enumerate(subset.get(field) or ()):
                yield from _address(at.child(field).index(place), address, kept)
        ports = subset.get("ports") or ()
        for place, one in enumerate(ports):
            yield from _port(at.child("ports").index(place), one, named=len(ports) > 1)


def _address(at: Path, address: Object, kept: frozenset[str]) -> Errors:
    text = address.get("ip") or ""
    yield from addresses.ip(at.child("ip"), text, kept)
    if address.get("hostname"):
        yield from label(at.child("hostname"), address["hostname"])
    if address.get("nodeName") is not None:
        yield from subdomain(at.child("nodeName"), address["nodeName"])
    yield from addresses.not_special(at.child("ip"), text)


def _port(at: Path, one: Object, *, named: bool) -> Errors:
    if one.get("name"):
        yield from label(at.child("name"), one["name"])
    elif named:
        yield fields.required(at.child("name"))
    yield from port(at.child("port"), one.get("port"))
    yield from one_of(at.child("protocol"), one.get("protocol"), _PROTOCOLS)
    if one.get("appProtocol") is not None:
        yield from qualified(at.child("appProtocol"), one["appProtocol"])


def addresses_of(obj: Object) -> frozenset[str]:
    """Return the addresses that Endpoints have, which an update may keep whatever they look like."""
    return frozenset(
        address.get("ip") or ""
        for subset in obj.get("subsets") or ()
        for field in ("addresses", "notReadyAddresses")
        for address in subset.get(field) or ()
    )


def endpoint_slice(obj: Object) -> Errors:
    """Check an EndpointSlice."""
    kind = obj.get("addressType") or ""
    if not kind:
        yield fields.required(Path("addressType"))
    else:
        yield from one_of(Path("addressType"), kind, _TYPES)
    yield from _slice_ports(obj)
    yield from _slice_endpoints(obj, kind)


def _slice_ports(obj: Object) -> Errors:
    ports, at = obj.get("ports") or (), Path("ports")
    if len(ports) > _MAX_PORTS:
        yield fields.too_many(at, len(ports), _MAX_PORTS)
        return
    seen: set[str] = set()
    for index, one in enumerate(ports):
        here, name, protocol = at.index(index), one.get("name") or "", one.get("protocol")
        if name:
            yield from label(here.child("name"), name)
        if name in seen:
            yield fields.duplicate(here.child("name"), name)
        seen.add(name)
        if protocol is None:
            yield fields.required(here.child("protocol"))
        else:
            yield from one_of(here.child("protocol"), protocol, _PROTOCOLS)
        if one.get("appProtocol") is not None:
            yield from qualified(here.child("appProtocol"), one["appProtocol"])


def _slice_endpoints(obj: Object, kind: str) -> Errors:
    endpoints, at = obj.get("endpoints") or (), Path("endpoints")
    if len(endpoints) > _MAX_ENDPOINTS:
        yield fields.too_many(at, len(endpoints), _MAX_ENDPOINTS)
        return
    for index, endpoint in enumerate(endpoints):
        here = at.index(index)
        found = endpoint.get("addresses") or ()
        if not found:
            yield fields.required(here.child("addresses"), "must contain at least 1 address")
        elif len(found) > _MAX_ADDRESSES:
            yield fields.too_many(here.child("addresses"), len(found), _MAX_ADDRESSES)
        for place, text in enumerate(found):
            yield from _slice_address(here.child("addresses"), place, text, kind)
        if endpoint.get("nodeName") is not None:
            yield from subdomain(here.child("nodeName"), endpoint["nodeName"])
        yield from labels(here.child("deprecatedTopology"), endpoint.get("deprecatedTopology"))
        if endpoint.get("hostname") is not None:
            yield from label(here.child("hostname"), endpoint["hostname"])
        yield from _hints(here.child("hints"), endpoint.get("hints"))


def _slice_address(at: Path, place: int, text: str, kind: str) -> Errors:
    if kind in ("IPv4", "IPv6"):
        wrong = list(addresses.ip(at.index(place), text))
        yield from wrong
        if not wrong:
            yield from addresses.of_family(at, text, kind)
        if addresses.family(text) == kind:
            yield from addresses.not_special(at.index(place), text)
    elif kind == "FQDN":
        yield from names.fully_qualified_domain_name(at.index(place), text)


def _hints(at: Path, hints: Object | None) -> Errors:
    for field, rule in (("forZones", None), ("forNodes", names.dns1123_subdomain)):
        found = (hints or {}).get(field) or ()
        if len(found) > _MAX_HINTS:
            yield fields.too_many(at.child(field), len(found), _MAX_HINTS)
            return
        seen: set[str] = set()
        for index, one in enumerate(found):
            name = one.get("name") or ""
            here = at.child(field).index(index).child("name")
            if name in seen:
                yield fields.duplicate(here, name)
            else:
                seen.add(name)
                yield from obeys(here, name, rule or names.label_value)


def slice_changes(new: Object, old: Object) -> Errors:
    """Keep the family of a slice's addresses."""
    yield from unchanged(Path("addressType"), new.get("addressType"), old.get("addressType"))
