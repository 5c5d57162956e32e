"""What is wrong with ingresses and their classes. Facts: pkg/apis/networking/validation/validation.go."""

from __future__ import annotations

from typing import Any

from kubehop.kinds import validation_addresses as addresses
from kubehop.kinds.core.service_rules import balanced_address
from kubehop.kinds.validation import Errors
from kubehop.kinds.validation_values import (
    label,
    obeys,
    one_of,
    port,
    required_name,
    segment,
    subdomain,
    unchanged,
)
from kubehop.machinery import fields, names
from kubehop.machinery.fields import Path

Object = dict[str, Any]

CLASS_ANNOTATION = "kubernetes.io/ingress.class"
_SPEC = Path("spec")
_FORBIDDEN_PARTS = ("//", "/./", "/../", "%2f", "%2F")
_FORBIDDEN_ENDS = ("/..", "/.")
_PATH_TYPES = ("Exact", "ImplementationSpecific", "Prefix")
_MAX_CONTROLLER = 250


def ingress(obj: Object, old: Object | None = None) -> Errors:
    """Check an ingress; names that were wrong before may stay so."""
    spec = obj.get("spec") or {}
    rules, backend, name = spec.get("rules") or [], spec.get("defaultBackend"), spec.get("ingressClassName")
    if not rules and backend is None:
        yield fields.invalid(_SPEC, spec.get("rules"), "either `defaultBackend` or `rules` must be specified")
    if backend is not None:
        yield from _backend(_SPEC.child("defaultBackend"), backend)
    for index, rule in enumerate(rules):
        yield from _rule(_SPEC.child("rules").index(index), rule)
    for index, tls in enumerate(spec.get("tls") or ()):
        yield from _tls(_SPEC.child("tls").index(index), tls, any_secret=_had_wrong_secrets(old))
    if name is not None:
        yield from subdomain(_SPEC.child("ingressClassName"), name)


def _had_wrong_secrets(old: Object | None) -> bool:
    found = ((old or {}).get("spec") or {}).get("tls") or ()
    return any(names.dns1123_subdomain(tls["secretName"]) for tls in found if tls.get("secretName"))


def annotation(obj: Object) -> Errors:
    """Want the old way of naming the class to say the same as the new one."""
    old_way = ((obj.get("metadata") or {}).get("annotations") or {}).get(CLASS_ANNOTATION)
    new_way = (obj.get("spec") or {}).get("ingressClassName")
    if old_way is not None and new_way is not None and old_way != new_way:
        text = "must match `ingressClassName` when both are specified"
        yield fields.invalid(Path("annotations", CLASS_ANNOTATION), old_way, text)


def _host(at: Path, host: str) -> Errors:
    yield from obeys(at, host, names.wildcard_dns1123_subdomain if "*" in host else names.dns1123_subdomain)


def _rule(at: Path, rule: Object) -> Errors:
    host, http = rule.get("host") or "", rule.get("http")
    if host:
        if addresses.parse_address(host) is not None:
            yield fields.invalid(at.child("host"), host, "must be a DNS name, not an IP address")
        yield from _host(at.child("host"), host)
    if http is None:
        return
    paths = http.get("paths") or ()
    if not paths:
        yield fields.required(at.child("http", "paths"))
    for index, path in enumerate(paths):
        yield from _path(at.child("http", "paths").index(index), path)


def _path(at: Path, path: Object) -> Errors:
    kind, text = path.get("pathType"), path.get("path") or ""
    if kind is None:
        yield fields.required(at.child("pathType"), "pathType must be specified")
        return
    yield from one_of(at.child("pathType"), kind, _PATH_TYPES)
    exact = kind in ("Exact", "Prefix")
    if (exact or (text and kind == "ImplementationSpecific")) and not text.startswith("/"):
        yield fields.invalid(at.child("path"), text, "must be an absolute path")
    if exact:
        for piece in _FORBIDDEN_PARTS:
            if piece in text:
                yield fields.invalid(at.child("path"), text, f"must not contain '{piece}'")
        for end in _FORBIDDEN_ENDS:
            if text.endswith(end):
                yield fields.invalid(at.child("path"), text, f"cannot end with '{end}'")
    yield from _backend(at.child("backend"), path.get("backend") or {})


def _backend(at: Path, backend: Object) -> Errors:
    resource, service = backend.get("resource"), backend.get("service")
    if resource is not None and service is not None:
        yield fields.invalid(at, "", "cannot set both resource and service backends")
    elif resource is not None:
        yield from _reference(at.child("resource"), resource)
    elif service is not None:
        yield from required_name(at.child("service", "name"), service.get("name"), names.dns1123_label)
        yield from _service_port(at, service.get("port") or {})
    else:
        yield fields.invalid(at, "", "resource or service backend is required")


def _service_port(at: Path, found: Object) -> Errors:
    name, number = found.get("name") or "", found.get("number") or 0
    if name and number:
        yield fields.invalid(at, "", "cannot set both port name & port number")
    elif name:
        yield from obeys(at.child("service", "port", "name"), name, names.port_name)
    elif number:
        yield from port(at.child("service", "port", "number"), number)
    else:
        yield fields.required(at, "port name or number is required")


def _reference(at: Path, reference: Object) -> Errors:
    if reference.get("apiGroup") is not None:
        yield from subdomain(at.child("apiGroup"), reference["apiGroup"])
    for field in ("kind", "name"):
        yield from required_name(at.child(field), reference.get(field), names.path_segment_name)


def _tls(at: Path, tls: Object, *, any_secret: bool) -> Errors:
    for index, host in enumerate(tls.get("hosts") or ()):
        yield from _host(at.child("hosts").index(index), host)
    if tls.get("secretName") and not any_secret:
        yield from subdomain(at.child("secretName"), tls["secretName"])


def status(new: Object, old: Object) -> Errors:
    """Check what a balancer says."""
    at = Path("status", "loadBalancer", "ingress")
    kept = {one.get("ip") or "" for one in _balanced(old)}
    for index, one in enumerate(_balanced(new)):
        yield from balanced_address(at.index(index), one, kept)


def _balanced(obj: Object) -> list[Object]:
    return ((obj.get("status") or {}).get("loadBalancer") or {}).get("ingress") or []


def ingress_class(obj: Object) -> Errors:
    """Check a class."""
    spec = obj.get("spec") or {}
    controller, parameters = spec.get("controller") or "", spec.get("parameters")
    if not controller:
        yield fields.required(_SPEC.child("controller"))
    else:
        if names.byte_length(controller) > _MAX_CONTROLLER:
            yield fields.too_long(_SPEC.child("controller"), _MAX_CONTROLLER)
        yield from names.domain_prefixed_path(_SPEC.child("controller"), controller)
    if parameters is not None:
        yield from _parameters(_SPEC.child("parameters"), parameters)


def _parameters(at: Path, parameters: Object) -> Errors:
    yield from _reference(at, parameters)
    scope, namespace = parameters.get("scope"), parameters.get("namespace")
    if scope is None:
        yield fields.required(at.child("scope"))
        return
    yield from one_of(at.child("scope"), scope, ("Cluster", "Namespace"))
    if scope == "Namespace":
        if namespace is None:
            yield fields.required(at.child("namespace"), "`parameters.scope` is set to 'Namespace'")
        else:
            yield from label(at.child("namespace"), namespace)
    elif scope == "Cluster" and namespace is not None:
        yield fields.forbidden(at.child("namespace"), "`parameters.scope` is set to 'Cluster'")


def same_controller(new: Object, old: Object) -> Errors:
    """Keep the controller of a class."""
    after, before = ((obj.get("spec") or {}).get("controller") for obj in (new, old))
    yield from unchanged(_SPEC.child("controller"), after, before)


def parent(obj: Object) -> Errors:
    """Check whom an IPAddress belongs to."""
    reference, at = (obj.get("spec") or {}).get("parentRef"), _SPEC.child("parentRef")
    if reference is None:
        yield fields.required(at)
        return
    if reference.get("group"):
        yield from subdomain(at.child("group"), reference["group"])
    for field in ("resource", "name"):
        yield from required_name(at.child(field), reference.get(field), names.path_segment_name)
    if reference.get("namespace"):
        yield from segment(at.child("namespace"), reference["namespace"])
