"""Security contexts of pods and of containers: users, profiles, sysctls, and what Windows has instead."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from kubehop.kinds.core.pod_validation.paths import descending
from kubehop.kinds.core.pod_validation.windows import options as windows_options
from kubehop.kinds.validation import Errors
from kubehop.kinds.validation_values import exactly_what
from kubehop.machinery import fields, names
from kubehop.machinery.fields import Path

Object = dict[str, Any]

_PROFILES = ("Localhost", "RuntimeDefault", "Unconfined")
_SYSCTL = r"^([a-z0-9]([-_a-z0-9]*[a-z0-9])?[\./])*[a-z0-9]([-_a-z0-9]*[a-z0-9])?$"
_match_sysctl = re.compile(_SYSCTL.removeprefix("^").removesuffix("$")).fullmatch
_SYSCTL_MAX = 253
_PROFILE_MAX = 4095
_IPC_SYSCTLS = frozenset({"kernel.sem", "kernel.shmall", "kernel.shmmax", "kernel.shmmni", "kernel.shm_rmid_forced"})
_CONTEXT_FIELDS = (
    "capabilities", "privileged", "SELinuxOptions", "windowsOptions", "runAsUser", "runAsGroup", "runAsNonRoot",
    "readOnlyRootFilesystem", "allowPrivilegeEscalation", "procMount", "seccompProfile", "appArmorProfile",
)  # fmt: skip
_PROFILE_FIELDS = ("type", "localhostProfile")
_IDS: tuple[tuple[str, Callable[[int], list[str]]], ...] = (
    ("fsGroup", names.group_id),
    ("runAsUser", names.user_id),
    ("runAsGroup", names.group_id),
)


def of_pod(path: Path, context: Object, spec: Object) -> Errors:
    """Check the context of a whole pod (validatePodSpecSecurityContext)."""
    yield from _ids(path, context, _IDS)
    for index, group in enumerate(context.get("supplementalGroups") or ()):
        for message in names.group_id(group):
            yield fields.invalid(path.child("supplementalGroups").index(index), group, message)
    if spec.get("shareProcessNamespace") and spec.get("hostPID"):
        text = "ShareProcessNamespace and HostPID cannot both be enabled"
        yield fields.invalid(path.child("shareProcessNamespace"), True, text)
    if context.get("sysctls"):
        yield from _sysctls(path.child("sysctls"), context["sysctls"], spec)
    yield from _choice(path, context, "fsGroupChangePolicy", ("Always", "OnRootMismatch"))
    yield from _seccomp(path.child("seccompProfile"), context.get("seccompProfile"))
    yield from windows_options(path.child("windowsOptions"), context.get("windowsOptions"))
    yield from _app_armor(path.child("appArmorProfile"), context.get("appArmorProfile"))
    yield from _choice(path, context, "supplementalGroupsPolicy", ("Merge", "Strict"))
    yield from _choice(path, context, "seLinuxChangePolicy", ("MountOption", "Recursive"))


def of_container(path: Path, context: Object, *, host_users: bool) -> Errors:
    """Check the context of a container (ValidateSecurityContext)."""
    yield from _ids(path, context, _IDS[1:])
    mount = context.get("procMount")
    if mount is not None:
        if mount not in ("Default", "Unmasked"):
            yield fields.not_supported(path.child("procMount"), mount, ("Default", "Unmasked"))
        if host_users and mount == "Unmasked":
            yield fields.invalid(path.child("procMount"), mount, "`hostUsers` must be false to use `Unmasked`")
    yield from _seccomp(path.child("seccompProfile"), context.get("seccompProfile"))
    if context.get("allowPrivilegeEscalation") is False:
        if context.get("privileged"):
            text = "cannot set `allowPrivilegeEscalation` to false and `privileged` to true"
            yield fields.invalid(path, _as_go(context), text)
        if "CAP_SYS_ADMIN" in ((context.get("capabilities") or {}).get("add") or ()):
            text = "cannot set `allowPrivilegeEscalation` to false and `capabilities.Add` CAP_SYS_ADMIN"
            yield fields.invalid(path, _as_go(context), text)
    yield from windows_options(path.child("windowsOptions"), context.get("windowsOptions"))
    yield from _app_armor(path.child("appArmorProfile"), context.get("appArmorProfile"))


def _as_go(context: Object) -> Object:
    whole = exactly_what({**context, "SELinuxOptions": context.get("seLinuxOptions")}, _CONTEXT_FIELDS)
    if whole["Capabilities"] is not None:
        whole["Capabilities"] = exactly_what(whole["Capabilities"], ("add", "drop"))
    for profile in ("SeccompProfile", "AppArmorProfile"):
        if whole[profile] is not None:
            whole[profile] = exactly_what(whole[profile], _PROFILE_FIELDS)
    return whole


def _ids(path: Path, context: Object, rules: tuple[tuple[str, Callable[[int], list[str]]], ...]) -> Errors:
    for field, rule in rules:
        value = context.get(field)
        if value is not None:
            for message in rule(value):
                yield fields.invalid(path.child(field), value, message)


def _choice(path: Path, context: Object, field: str, supported: tuple[str, ...]) -> Errors:
    value = context.get(field)
    if value is not None and value not in supported:
        yield fields.not_supported(path.child(field), value, supported)


def _sysctls(path: Path, found: list[Object], spec: Object) -> Errors:
    seen: set[str] = set()
    for index, sysctl in enumerate(found):
        at, name = path.index(index).child("name"), sysctl.get("name") or ""
        if not name:
            yield fields.required(at)
        elif len(name) > _SYSCTL_MAX or not _match_sysctl(name):
            yield fields.invalid(at, name, f"must have at most {_SYSCTL_MAX} characters and match regex {_SYSCTL}")
        elif name in seen:
            yield fields.duplicate(at, name)
        namespace = _namespace(name)
        if spec.get("hostNetwork") and namespace == "net":
            yield fields.invalid(at, name, "may not be specified when 'hostNetwork' is true")
        elif spec.get("hostIPC") and namespace == "ipc":
            yield fields.invalid(at, name, "may not be specified when 'hostIPC' is true")
        seen.add(name)


def _namespace(sysctl: str) -> str:
    """Return the namespace that a sysctl belongs to, "" for none of these two (GetNamespace)."""
    dot, slash = sysctl.find("."), sysctl.find("/")
    # written with slashes: slashes separate, dots belong to names
    name = sysctl.translate(str.maketrans("./", "/.")) if slash >= 0 and (dot < 0 or slash < dot) else sysctl
    if name.startswith("net."):
        return "net"
    return "ipc" if name in _IPC_SYSCTLS or name.startswith(("kernel.msg", "fs.mqueue.")) else ""


def _seccomp(path: Path, profile: Object | None) -> Errors:
    if profile is None:
        return
    kind, local = profile.get("type") or "", profile.get("localhostProfile")
    if not kind:
        yield fields.required(path.child("type"), "type is required when seccompProfile is set")
    elif kind not in _PROFILES:
        yield fields.not_supported(path.child("type"), kind, _PROFILES)
    if kind != "Localhost":
        if local is not None:
            whole = exactly_what(profile, _PROFILE_FIELDS)
            yield fields.invalid(
                path.child("localhostProfile"), whole, "can only be set when seccomp type is Localhost"
            )
    elif local is None:
        yield fields.required(path.child("localhostProfile"), "must be set when seccomp type is Localhost")
    else:
        yield from descending(path.child("localhostProfile"), local)


def _app_armor(path: Path, profile: Object | None) -> Errors:
    if profile is None:
        return
    kind, local = profile.get("type") or "", profile.get("localhostProfile")
    at = path.child("localhostProfile")
    if not kind:
        yield fields.required(path.child("type"), "type is required when appArmorProfile is set")
    elif kind not in _PROFILES:
        yield fields.not_supported(path.child("type"), kind, _PROFILES)
    elif kind != "Localhost":
        if local is not None:
            yield fields.invalid(at, local, "can only be set when AppArmor type is Localhost")
    elif local is None:
        yield fields.required(at, "must be set when AppArmor type is Localhost")
    else:
        if local != local.strip():
            yield fields.invalid(at, local, "must not be padded with whitespace")
        elif not local:
            yield fields.required(at, "must be set when AppArmor type is Localhost")
        if names.byte_length(local) > _PROFILE_MAX:
            yield fields.too_long(at, _PROFILE_MAX)
