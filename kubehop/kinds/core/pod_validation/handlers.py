"""Probes and lifecycle hooks of containers: what is called, and how often."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kubehop.kinds.validation import Errors
from kubehop.kinds.validation_values import NOT_NEGATIVE, obeys, one_of, port_or_name
from kubehop.machinery import fields, names
from kubehop.machinery.fields import Path

Object = dict[str, Any]

_NUMBERS = ("initialDelaySeconds", "timeoutSeconds", "periodSeconds", "successThreshold", "failureThreshold")
_PROBE_HANDLERS = ("exec", "httpGet", "tcpSocket", "grpc")
_HOOK_HANDLERS = ("exec", "httpGet", "tcpSocket", "sleep")


def probes(path: Path, container: Object, grace: int | None) -> Errors:
    """Check a container's hooks and probes, in the order of kube-apiserver."""
    hooks = container.get("lifecycle")
    if hooks is not None:
        for name in ("postStart", "preStop"):
            if (hook := hooks.get(name)) is not None:
                yield from _handler(path.child("lifecycle", name), hook, _HOOK_HANDLERS, grace)
    for name in ("livenessProbe", "readinessProbe", "startupProbe"):
        if (probe := container.get(name)) is not None:
            yield from _probe(path.child(name), name, probe, grace)


def _probe(path: Path, name: str, probe: Object, grace: int | None) -> Errors:
    yield from _handler(path, probe, _PROBE_HANDLERS, grace)
    for number in _NUMBERS:
        value = probe.get(number) or 0
        if value < 0:
            yield fields.invalid(path.child(number), value, NOT_NEGATIVE)
    own_grace = probe.get("terminationGracePeriodSeconds")
    if own_grace is not None and own_grace <= 0:
        yield fields.invalid(path.child("terminationGracePeriodSeconds"), own_grace, "must be greater than 0")
    if name == "readinessProbe":
        if own_grace is not None:
            text = "must not be set for readinessProbes"
            yield fields.invalid(path.child("terminationGracePeriodSeconds"), own_grace, text)
    elif (probe.get("successThreshold") or 0) != 1:
        yield fields.invalid(path.child("successThreshold"), probe.get("successThreshold") or 0, "must be 1")


def _handler(path: Path, handler: Object, known: tuple[str, ...], grace: int | None) -> Errors:
    found = False
    for name in known:
        action = handler.get(name)
        if action is None:
            continue
        if found:
            yield fields.forbidden(path.child(name), "may not specify more than 1 handler type")
        elif name == "sleep":
            yield from _sleep(path.child(name), action, grace)
        else:
            yield from _ACTIONS[name](path.child(name), action)
        found = True
    if not found:
        yield fields.required(path, "must specify a handler type")


def _exec(path: Path, action: Object) -> Errors:
    if not action.get("command"):
        yield fields.required(path.child("command"))


def _http_get(path: Path, action: Object) -> Errors:
    if not action.get("path"):
        yield fields.required(path.child("path"))
    yield from port_or_name(path.child("port"), action.get("port"))
    yield from one_of(path.child("scheme"), action.get("scheme") or "", ("HTTP", "HTTPS"))
    for header in action.get("httpHeaders") or ():
        yield from obeys(path.child("httpHeaders"), header.get("name") or "", names.http_header_name)


def _port(path: Path, action: Object) -> Errors:
    yield from port_or_name(path.child("port"), action.get("port"))


def _sleep(path: Path, action: Object, grace: int | None) -> Errors:
    seconds = action.get("seconds") or 0
    if grace is not None and not 0 <= seconds <= grace:
        text = f"must be non-negative and less than terminationGracePeriodSeconds ({grace})"
        yield fields.invalid(path, seconds, text)


_ACTIONS: dict[str, Callable[[Path, Object], Errors]] = {
    "exec": _exec,
    "httpGet": _http_get,
    "tcpSocket": _port,
    "grpc": _port,
}
