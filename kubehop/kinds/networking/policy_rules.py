"""What is wrong with network policies and service ranges. Facts: pkg/apis/networking/validation/validation.go."""

from __future__ import annotations

from typing import Any

from kubehop.kinds import validation_addresses as addresses
from kubehop.kinds.validation import Errors
from kubehop.kinds.validation_values import label_selector, obeys, one_of, port
from kubehop.machinery import fields, names
from kubehop.machinery.fields import Path

Object = dict[str, Any]

_SPEC = Path("spec")
_DIRECTIONS = (("ingress", "from"), ("egress", "to"))


def network_policy(obj: Object, old: Object | None = None) -> Errors:
    """Check a policy; ranges and label values that were wrong before may stay so."""
    spec, kept = obj.get("spec") or {}, _ranges(old)
    before = ((old or {}).get("spec") or {}).get("podSelector")
    lenient = any(label_selector(_SPEC, before))
    yield from label_selector(_SPEC.child("podSelector"), spec.get("podSelector") or {}, any_value=lenient)
    for direction, peers in _DIRECTIONS:
        for index, rule in enumerate(spec.get(direction) or ()):
            at = _SPEC.child(direction).index(index)
            for place, one in enumerate(rule.get("ports") or ()):
                yield from _port(at.child("ports").index(place), one)
            for place, peer in enumerate(rule.get(peers) or ()):
                yield from _peer(at.child(peers).index(place), peer, kept, any_value=lenient)
    types, at = spec.get("policyTypes") or [], _SPEC.child("policyTypes")
    if len(types) > 2:
        yield fields.invalid(at, types, "may not specify more than two policyTypes")
        return
    for index, kind in enumerate(types):
        yield from one_of(at.index(index), kind, ("Ingress", "Egress"))


def _port(at: Path, one: Object) -> Errors:
    if one.get("protocol") is not None:
        yield from one_of(at.child("protocol"), one["protocol"], ("TCP", "UDP", "SCTP"))
    number, end = one.get("port"), one.get("endPort")
    if isinstance(number, str):
        if end is not None:
            yield fields.invalid(at.child("endPort"), end, "may not be specified when `port` is non-numeric")
        yield from obeys(at.child("port"), number, names.port_name)
    elif number is not None:
        yield from port(at.child("port"), number)
        if end is not None:
            if end < number:
                # kube-apiserver prints the port here, not the end
                yield fields.invalid(at.child("endPort"), number, "must be greater than or equal to `port`")
            yield from port(at.child("endPort"), end)
    elif end is not None:
        yield fields.invalid(at.child("endPort"), end, "may not be specified when `port` is not specified")


def _peer(at: Path, peer: Object, kept: frozenset[str], *, any_value: bool) -> Errors:
    block = peer.get("ipBlock")
    selectors = [field for field in ("podSelector", "namespaceSelector") if peer.get(field) is not None]
    for field in selectors:
        yield from label_selector(at.child(field), peer[field], any_value=any_value)
    if block is not None:
        yield from _block(at.child("ipBlock"), block, kept)
        if selectors:
            yield fields.forbidden(at, "may not specify both ipBlock and another peer")
    elif not selectors:
        yield fields.required(at, "must specify a peer")


def _block(at: Path, block: Object, kept: frozenset[str]) -> Errors:
    text = block.get("cidr") or ""
    if not text:
        yield fields.required(at.child("cidr"))
        return
    yield from addresses.cidr(at.child("cidr"), text, kept)
    outer = addresses.parse_range(text)
    for index, inner_text in enumerate(block.get("except") or () if outer is not None else ()):
        here = at.child("except").index(index)
        yield from addresses.cidr(here, inner_text, kept)
        inner = addresses.parse_range(inner_text)
        if inner is None or outer is None:
            continue
        if inner.network_address not in outer or outer.prefixlen >= inner.prefixlen:
            yield fields.invalid(here, inner_text, "must be a strict subset of `cidr`")


def _ranges(old: Object | None) -> frozenset[str]:
    """Return the ranges that a policy has, which an update may use anywhere."""
    spec = (old or {}).get("spec") or {}
    blocks = [
        peer["ipBlock"]
        for direction, peers in _DIRECTIONS
        for rule in spec.get(direction) or ()
        for peer in rule.get(peers) or ()
        if peer.get("ipBlock")
    ]
    return frozenset(text for block in blocks for text in (block.get("cidr") or "", *(block.get("except") or ())))


def service_cidr(obj: Object) -> Errors:
    """Check the ranges of service addresses."""
    found, at = (obj.get("spec") or {}).get("cidrs") or [], _SPEC.child("cidrs")
    if not found:
        yield fields.required(at, "at least one CIDR required")
    elif len(found) > 2:
        yield fields.invalid(at, {"CIDRs": found}, "may only hold up to 2 values")
    else:
        for index, text in enumerate(found):
            yield from addresses.canonical_cidr(at.index(index), text)
        families = [addresses.family(text) for text in found]
        if len(families) == 2 and families[0] and families[0] == families[1]:
            text = "may specify no more than one IP for each IP family, i.e 192.168.0.0/24 and 2001:db8::/64"
            yield fields.invalid(at, found, text)


def same_ranges(new: Object, old: Object) -> Errors:
    """Keep the ranges, but for a second one that is added."""
    after, before = ((obj.get("spec") or {}).get("cidrs") or [] for obj in (new, old))
    at = _SPEC.child("cidrs")
    if len(before) == len(after):
        for index, text in enumerate(before):
            if after[index] != text:
                yield fields.immutable(at.index(index), after[index])
    elif (len(before), len(after)) == (1, 2):
        if after[0] != before[0]:
            yield fields.immutable(at.index(0), after[0])
        yield from service_cidr(new)
    else:
        yield fields.immutable(at, after)
