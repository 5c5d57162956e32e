"""A pod's network: ports of containers and of the node, names, resolving of names."""

from __future__ import annotations

from typing import Any

from kubehop.kinds.validation import Errors
from kubehop.kinds.validation_addresses import ip
from kubehop.kinds.validation_values import label, obeys, subdomain
from kubehop.machinery import fields, names
from kubehop.machinery.fields import Path

Object = dict[str, Any]

_PROTOCOLS = ("SCTP", "TCP", "UDP")
_MAX_SERVERS = 3
_MAX_SEARCHES = 32
_MAX_SEARCH_CHARACTERS = 2048
_MAX_HOST_NAME = 64


def ports(path: Path, found: list[Object]) -> Errors:
    """Check the ports of one container (validateContainerPorts)."""
    seen: set[str] = set()
    for index, port in enumerate(found):
        name = port.get("name")
        if name:
            messages = names.port_name(name)
            for message in messages:
                yield fields.invalid(path.index(index).child("name"), name, message)
            if not messages and name in seen:
                yield fields.duplicate(path.index(index).child("name"), name)
            elif not messages:
                seen.add(name)
        number = port.get("containerPort") or 0
        if not number:
            yield fields.required(path.index(index).child("containerPort"))
        else:
            yield from _number(path, index, "containerPort", number)
        if port.get("hostPort"):
            yield from _number(path, index, "hostPort", port["hostPort"])
        protocol = port.get("protocol") or ""
        if not protocol:
            yield fields.required(path.index(index).child("protocol"))
        elif protocol not in _PROTOCOLS:
            yield fields.not_supported(path.index(index).child("protocol"), protocol, _PROTOCOLS)


def _number(path: Path, index: int, field: str, number: int) -> Errors:
    if not 0 < number < 65536:
        for message in names.port_number(number):
            yield fields.invalid(path.index(index).child(field), number, message)


def host_port_conflicts(path: Path, containers: list[Object]) -> Errors:
    """Refuse that two containers take one port of the node (checkHostPortConflicts)."""
    taken: set[str] = set()
    for position, container in enumerate(containers):
        for index, port in enumerate(container.get("ports") or ()):
            number = port.get("hostPort")
            if not number:
                continue
            place = f"{port.get('protocol') or ''}/{port.get('hostIP') or ''}/{number}"
            if place in taken:
                yield fields.duplicate(path.index(position).child("ports").index(index).child("hostPort"), place)
            taken.add(place)


def host_network(path: Path, spec: Object, *, is_pod: bool) -> Errors:
    """Want the ports of a pod in the node's network to be the node's (validatePodHostNetworkDeps)."""
    if not spec.get("hostNetwork"):
        return
    for position, container in enumerate(spec.get("containers") or ()):
        for index, port in enumerate(container.get("ports") or ()):
            on_host = port.get("hostPort") or 0
            # templates may leave it open: it is filled in when the pod is made
            if (is_pod or on_host) and on_host != (port.get("containerPort") or 0):
                at = path.child("containers").index(position).child("ports").index(index).child("hostPort")
                yield fields.invalid(at, on_host, "must match `containerPort` when `hostNetwork` is true")


def resolving(path: Path, spec: Object) -> Errors:
    """Check how names are resolved (validatePodDNSConfig)."""
    config = spec.get("dnsConfig")
    if spec.get("dnsPolicy") == "None":
        if config is None:
            yield fields.required(path, "must provide `dnsConfig` when `dnsPolicy` is None")
            return
        if not config.get("nameservers"):
            text = "must provide at least one DNS nameserver when `dnsPolicy` is None"
            yield fields.required(path.child("nameservers"), text)
            return
    if config is None:
        return
    servers, searches = config.get("nameservers") or [], config.get("searches") or []
    if len(servers) > _MAX_SERVERS:
        text = f"must not have more than {_MAX_SERVERS} nameservers"
        yield fields.invalid(path.child("nameservers"), servers, text)
    for index, server in enumerate(servers):
        yield from ip(path.child("nameservers").index(index), server)
    if len(searches) > _MAX_SEARCHES:
        text = f"must not have more than {_MAX_SEARCHES} search paths"
        yield fields.invalid(path.child("searches"), searches, text)
    if names.byte_length(" ".join(searches)) > _MAX_SEARCH_CHARACTERS:
        text = f"must not have more than {_MAX_SEARCH_CHARACTERS} characters (including spaces) in the search list"
        yield fields.invalid(path.child("searches"), searches, text)
    for index, search in enumerate(searches):
        if search != ".":
            at = path.child("searches").index(index)
            yield from obeys(at, search.removesuffix("."), names.dns1123_subdomain_with_underscore)
    for index, option in enumerate(config.get("options") or ()):
        if not option.get("name"):
            yield fields.required(path.child("options").index(index), "must not be empty")


def host_names(path: Path, spec: Object) -> Errors:
    """Check the names of the pod in the network."""
    for name in ("hostname", "subdomain"):
        if spec.get(name):
            yield from label(path.child(name), spec[name])


def host_name_override(path: Path, spec: Object) -> Errors:
    """Check a host name that takes the place of all others."""
    name = spec.get("hostnameOverride")
    if name is None:
        return
    at = path.child("hostnameOverride")
    if names.byte_length(name) > _MAX_HOST_NAME:
        yield fields.too_long(at, _MAX_HOST_NAME)
    yield from subdomain(at, name)
    if spec.get("hostNetwork"):
        yield fields.forbidden(at, "may not be specified when `hostNetwork` is true")
    if spec.get("setHostnameAsFQDN"):
        yield fields.forbidden(at, "may not be specified when `setHostnameAsFQDN` is true")


def host_aliases(path: Path, found: list[Object]) -> Errors:
    """Check names that are added to a pod's hosts file (ValidateHostAliases)."""
    for index, alias in enumerate(found):
        yield from ip(path.index(index).child("ip"), alias.get("ip") or "")
        for position, name in enumerate(alias.get("hostnames") or ()):
            yield from subdomain(path.index(index).child("hostnames").index(position), name)
