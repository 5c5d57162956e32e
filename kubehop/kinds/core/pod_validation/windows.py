"""What only Windows pods have, and what pods of one operating system may not set."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from kubehop.kinds.validation import Errors
from kubehop.machinery import fields, names
from kubehop.machinery.fields import Path

Object = dict[str, Any]

CONTAINER_FIELDS = ("initContainers", "containers", "ephemeralContainers")

_CREDENTIAL_KIB = 64
_DOMAIN_MAX = 256
_USER_MAX = 104
_match_control = re.compile(r"[\x00-\x1f\x7f]").search
_match_netbios = re.compile(r'[^\\/:*?"<>|.][^\\/:*?"<>|]{0,14}').fullmatch
_DNS_LABEL = "[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?"
_match_domain = re.compile(rf"{_DNS_LABEL}(?:\.{_DNS_LABEL})*").fullmatch
_match_forbidden = re.compile(r'["/\\:;|=,+*?<>@\[\]]').search
_match_dots = re.compile(r"[. ]+").fullmatch

_POD_CONTEXT = (
    "appArmorProfile", "seLinuxOptions", "hostUsers", "hostPID", "hostIPC", "seccompProfile", "fsGroup",
    "fsGroupChangePolicy", "sysctls", "shareProcessNamespace", "runAsUser", "runAsGroup", "supplementalGroups",
    "supplementalGroupsPolicy", "seLinuxChangePolicy",
)  # fmt: skip
_OF_SPEC = frozenset({"hostUsers", "hostPID", "hostIPC", "shareProcessNamespace"})
_CONTAINER_CONTEXT = (
    "appArmorProfile", "seLinuxOptions", "seccompProfile", "capabilities", "readOnlyRootFilesystem", "privileged",
    "allowPrivilegeEscalation", "procMount", "runAsUser", "runAsGroup",
)  # fmt: skip
_SYSTEMS = ("linux", "windows")


def containers(spec: Object) -> Iterator[tuple[str, int, Object]]:
    """Yield field, index and container of every container, in the order in which kube-apiserver visits them."""
    for field in CONTAINER_FIELDS:
        for index, container in enumerate(spec.get(field) or ()):
            yield field, index, container


def options(path: Path, found: Object | None) -> Errors:
    """Check how a process runs on Windows (validateWindowsSecurityContextOptions)."""
    if found is None:
        return
    name, credential, user = (
        found.get(key) for key in ("gmsaCredentialSpecName", "gmsaCredentialSpec", "runAsUserName")
    )
    if name is not None:
        for message in names.dns1123_subdomain(name):
            yield fields.invalid(path.child("gmsaCredentialSpecName"), name, message)
    if credential is not None:
        at = path.child("gmsaCredentialSpec")
        if not credential:
            yield fields.invalid(at, credential, "gmsaCredentialSpec cannot be an empty string")
        elif names.byte_length(credential) > _CREDENTIAL_KIB * 1024:
            yield fields.invalid(at, credential, f"gmsaCredentialSpec size must be under {_CREDENTIAL_KIB} KiB")
    if user is not None:
        for message in _user_errors(user):
            yield fields.invalid(path.child("runAsUserName"), user, message)


def _user_errors(text: str) -> Iterator[str]:
    parts = text.split("\\")
    if not text:
        yield "runAsUserName cannot be an empty string"
    elif _match_control(text):
        yield "runAsUserName cannot contain control characters"
    elif len(parts) > 2:
        yield "runAsUserName cannot contain more than one backslash"
    else:
        domain, user = parts if len(parts) == 2 else ("", text)
        if names.byte_length(domain) >= _DOMAIN_MAX:
            yield f"runAsUserName's Domain length must be under {_DOMAIN_MAX} characters"
        if len(parts) == 2 and not _match_netbios(domain) and not _match_domain(domain):
            yield "runAsUserName's Domain doesn't match the NetBios nor the DNS format"
        if not user:
            yield "runAsUserName's User cannot be empty"
        elif names.byte_length(user) > _USER_MAX:
            yield f"runAsUserName's User length must not be longer than {_USER_MAX} characters"
        if _match_dots(user):
            yield "runAsUserName's User cannot contain only periods or spaces"
        if _match_forbidden(user):
            yield r'runAsUserName\'s User cannot contain the following characters: "/\:;|=,+*?<>@[]'.replace("\\'", "'")


def _host_process(context: Object | None) -> bool | None:
    found: bool | None = ((context or {}).get("windowsOptions") or {}).get("hostProcess")
    return found


def host_processes(path: Path, spec: Object) -> Errors:
    """Want all containers to be processes of the host if one is (validateWindowsHostProcessPod)."""
    whole = _host_process(spec.get("securityContext"))
    count = hosted = 0
    for field, index, container in containers(spec):
        count += 1
        own = _host_process(container.get("securityContext")) if "securityContext" in container else None
        if whole is not None and own is not None and whole != own:
            at = path.child(field).index(index).child("securityContext", "windowsOptions", "hostProcess")
            value = "true" if whole else "false"
            yield fields.invalid(at, own, f"pod hostProcess value must be identical if both are specified, was {value}")
        hosted += bool(whole if own is None else own)
    if hosted:
        if hosted != count:
            text = "If pod contains any hostProcess containers then all containers must be HostProcess containers"
            yield fields.invalid(path, "", text)
        if not spec.get("hostNetwork"):
            text = "hostNetwork must be true if pod contains any hostProcess containers"
            yield fields.invalid(path.child("hostNetwork"), False, text)


def operating_system(path: Path, spec: Object) -> Errors:
    """Hold a pod to what its operating system has (validateOS, validateLinux, validateWindows)."""
    name = (spec.get("os") or {}).get("name") or ""
    if not name:
        yield fields.required(path.child("os", "name"), "cannot be empty")
    elif name not in _SYSTEMS:
        yield fields.not_supported(path.child("os"), name, _SYSTEMS)
    elif name == "linux":
        yield from _linux(path, spec)
    else:
        yield from _windows(path, spec)


def _linux(path: Path, spec: Object) -> Errors:
    text = "windows options cannot be set for a linux pod"
    if (spec.get("securityContext") or {}).get("windowsOptions") is not None:
        yield fields.forbidden(path.child("securityContext", "windowsOptions"), text)
    for field, index, container in containers(spec):
        if (container.get("securityContext") or {}).get("windowsOptions") is not None:
            at = path.child(field).index(index).child("securityContext", "windowsOptions")
            yield fields.forbidden(at, text)


def _windows(path: Path, spec: Object) -> Errors:
    text = "cannot be set for a windows pod"
    context = spec.get("securityContext") or {}
    for name in _POD_CONTEXT:
        if name in _OF_SPEC:
            value = spec.get(name)
            # flags that are false are as good as absent, pointers to false are not
            if value or (value is False and name in ("hostUsers", "shareProcessNamespace")):
                yield fields.forbidden(path.child(name), text)
        elif context.get(name) is not None:
            yield fields.forbidden(path.child("securityContext", name), text)
    for field, index, container in containers(spec):
        own = container.get("securityContext") or {}
        for name in _CONTAINER_CONTEXT:
            if own.get(name) is not None:
                yield fields.forbidden(path.child(field).index(index).child("securityContext", name), text)
