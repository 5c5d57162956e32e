"""The rules of the level baseline: what would let a pod out of its container.

Read by `evaluation`; source of the behaviour: pod-security-admission policy/check_*.go.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import orjson

from kubehop.machinery.objects import Object
from services.admission.plugins.pod_security.violations import (
    Check,
    Context,
    Rule,
    Versioned,
    Violation,
    contexts,
    in_user_namespace,
    offenders,
    plural,
    pod_context,
    quoted,
    setters,
    these,
    unless,
)
from services.admission.pods import containers

APP_ARMOR_ANNOTATION: Final = "container.apparmor.security.beta.kubernetes.io/"
SECCOMP_POD_ANNOTATION: Final = "seccomp.security.alpha.kubernetes.io/pod"
SECCOMP_CONTAINER_ANNOTATION: Final = "container.seccomp.security.alpha.kubernetes.io/"
_CAPABILITIES: Final = frozenset(
    {
        "AUDIT_WRITE",
        "CHOWN",
        "DAC_OVERRIDE",
        "FOWNER",
        "FSETID",
        "KILL",
        "MKNOD",
        "NET_BIND_SERVICE",
        "SETFCAP",
        "SETGID",
        "SETPCAP",
        "SETUID",
        "SYS_CHROOT",
    }
)
_SELINUX_TYPES: Final = frozenset({"", "container_t", "container_init_t", "container_kvm_t"})
_SYSCTLS: Final = frozenset(
    {
        "kernel.shm_rmid_forced",
        "net.ipv4.ip_local_port_range",
        "net.ipv4.tcp_syncookies",
        "net.ipv4.ping_group_range",
        "net.ipv4.ip_unprivileged_port_start",
    }
)
_SYSCTLS_27: Final = _SYSCTLS | {"net.ipv4.ip_local_reserved_ports"}
_SYSCTLS_29: Final = _SYSCTLS_27 | {
    "net.ipv4.tcp_keepalive_time",
    "net.ipv4.tcp_fin_timeout",
    "net.ipv4.tcp_keepalive_intvl",
    "net.ipv4.tcp_keepalive_probes",
}
_SYSCTLS_32: Final = _SYSCTLS_29 | {"net.ipv4.tcp_rmem", "net.ipv4.tcp_wmem"}


def _app_armor(meta: Object, spec: Object) -> Violation | None:
    values: set[str] = set()

    def is_bad(context: Context) -> bool:
        profile = context.get("appArmorProfile")
        if profile is None or profile.get("type") in {"RuntimeDefault", "Localhost"}:
            return False
        values.add(profile.get("type") or "")
        return True

    annotations = sorted(
        f"{key}={orjson.dumps(value).decode()}"
        for key, value in (meta.get("annotations") or {}).items()
        if key.startswith(APP_ARMOR_ANNOTATION)
        and value
        and value != "runtime/default"
        and not value.startswith("localhost/")
    )
    who = setters(is_bad(pod_context(spec)), offenders(spec, is_bad))
    if annotations:
        who = " and ".join(filter(None, (who, plural("annotation", len(annotations)))))
    if not who:
        return None
    bad = [*sorted(values), *annotations]
    return Violation(
        plural("forbidden AppArmor profile", len(bad)), f"{who} must not set AppArmor profile type to {quoted(bad)}"
    )


def _capabilities(_: Object, spec: Object) -> Violation | None:
    added: set[str] = set()

    def is_bad(context: Context) -> bool:
        wrong = [name for name in (context.get("capabilities") or {}).get("add") or () if name not in _CAPABILITIES]
        added.update(wrong)
        return bool(wrong)

    bad = offenders(spec, is_bad)
    if not bad:
        return None
    detail = f"{these('container', bad)} must not include {quoted(sorted(added))} in securityContext.capabilities.add"
    return Violation("non-default capabilities", detail)


def _host_namespaces(_: Object, spec: Object) -> Violation | None:
    used = [f"{name}=true" for name in ("hostNetwork", "hostPID", "hostIPC") if spec.get(name)]
    return Violation("host namespaces", ", ".join(used)) if used else None


def _host_path_volumes(_: Object, spec: Object) -> Violation | None:
    bad = [volume.get("name", "") for volume in spec.get("volumes") or () if volume.get("hostPath") is not None]
    return Violation("hostPath volumes", these("volume", bad)) if bad else None


def _host_ports(_: Object, spec: Object) -> Violation | None:
    bad: list[str] = []
    ports: set[str] = set()
    for _path, container in containers(spec):
        used = {str(port["hostPort"]) for port in container.get("ports") or () if port.get("hostPort")}
        if used:
            bad.append(container.get("name", ""))
            ports |= used
    if not bad:
        return None
    verb = "uses" if len(bad) == 1 else "use"
    detail = f"{these('container', bad)} {verb} {plural('hostPort', len(ports))} {', '.join(sorted(ports))}"
    return Violation("hostPort", detail)


def _probe_hosts(_: Object, spec: Object) -> Violation | None:
    bad: set[str] = set()
    hosts: set[str] = set()
    for _path, container in containers(spec):
        used = {
            host
            for handler in _handlers(container)
            for kind in ("httpGet", "tcpSocket")
            if (host := (handler.get(kind) or {}).get("host"))
        }
        if used:
            bad.add(container.get("name", ""))
            hosts |= used
    if not bad:
        return None
    verb = "uses" if len(bad) == 1 else "use"
    what = plural("probe or lifecycle host", len(hosts))
    return Violation(
        "probe or lifecycle host", f"{these('container', sorted(bad))} {verb} {what} {quoted(sorted(hosts))}"
    )


def _handlers(container: Object) -> Iterator[dict[str, Any]]:
    for probe in ("livenessProbe", "readinessProbe", "startupProbe"):
        yield container.get(probe) or {}
    lifecycle = container.get("lifecycle") or {}
    for hook in ("postStart", "preStop"):
        yield lifecycle.get(hook) or {}


def _privileged(_: Object, spec: Object) -> Violation | None:
    bad = offenders(spec, lambda context: bool(context.get("privileged")))
    return (
        Violation("privileged", f"{these('container', bad)} must not set securityContext.privileged=true")
        if bad
        else None
    )


def proc_mount(_: Object, spec: Object) -> Violation | None:
    """An unmasked /proc."""
    types: set[str] = set()

    def is_bad(context: Context) -> bool:
        mount = context.get("procMount")
        if mount is None or mount == "Default":
            return False
        types.add(mount)
        return True

    bad = offenders(spec, is_bad)
    if not bad:
        return None
    detail = f"{these('container', bad)} must not set securityContext.procMount to {quoted(sorted(types))}"
    return Violation("procMount", detail)


def _selinux(allowed: frozenset[str]) -> Check:
    def check(_: Object, spec: Object) -> Violation | None:
        types: set[str] = set()
        fields: set[str] = set()

        def is_bad(context: Context) -> bool:
            options = context.get("seLinuxOptions") or {}
            wrong = [name for name in ("user", "role") if options.get(name)]
            fields.update(wrong)
            kind = options.get("type") or ""
            if kind in allowed:
                return bool(wrong)
            types.add(kind)
            return True

        who = setters(is_bad(pod_context(spec)), offenders(spec, is_bad))
        if not who:
            return None
        what = [these("type", sorted(types))] if types else []
        what += [f"{name} may not be set" for name in ("user", "role") if name in fields]
        return Violation("seLinuxOptions", f"{who} set forbidden securityContext.seLinuxOptions: {'; '.join(what)}")

    return check


def _seccomp_annotations(meta: Object, spec: Object) -> Violation | None:
    annotations = meta.get("annotations") or {}
    keys = [SECCOMP_POD_ANNOTATION, *(SECCOMP_CONTAINER_ANNOTATION + name for name, _ in contexts(spec))]
    bad = sorted(
        {
            f"{key}={orjson.dumps(annotations[key]).decode()}"
            for key in keys
            if key in annotations
            and annotations[key] not in {"runtime/default", "docker/default"}
            and not annotations[key].startswith("localhost/")
        }
    )
    return Violation("seccompProfile", f"forbidden {plural('annotation', len(bad))} {', '.join(bad)}") if bad else None


def seccomp_profile(_: Object, spec: Object) -> Violation | None:
    """A seccomp profile other than those of the runtime and of the host."""
    types: set[str] = set()

    def is_bad(context: Context) -> bool:
        profile = context.get("seccompProfile")
        if profile is None or profile.get("type") in {"RuntimeDefault", "Localhost"}:
            return False
        types.add(profile.get("type") or "")
        return True

    who = setters(is_bad(pod_context(spec)), offenders(spec, is_bad))
    if not who:
        return None
    detail = f"{who} must not set securityContext.seccompProfile.type to {quoted(sorted(types))}"
    return Violation("seccompProfile", detail)


def _sysctls(allowed: frozenset[str]) -> Check:
    def check(_: Object, spec: Object) -> Violation | None:
        names = [sysctl.get("name", "") for sysctl in pod_context(spec).get("sysctls") or ()]
        bad = [name for name in names if name not in allowed]
        return Violation("forbidden sysctls", ", ".join(bad)) if bad else None

    return check


def _windows_host_process(_: Object, spec: Object) -> Violation | None:
    def is_bad(context: Context) -> bool:
        return bool((context.get("windowsOptions") or {}).get("hostProcess"))

    who = setters(is_bad(pod_context(spec)), offenders(spec, is_bad))
    if not who:
        return None
    return Violation("hostProcess", f"{who} must not set securityContext.windowsOptions.hostProcess=true")


RULES: Final = (
    Rule("appArmorProfile", (Versioned(0, _app_armor),)),
    Rule("capabilities_baseline", (Versioned(0, _capabilities),)),
    Rule("hostNamespaces", (Versioned(0, _host_namespaces),)),
    Rule("hostPathVolumes", (Versioned(0, _host_path_volumes),)),
    Rule("hostPorts", (Versioned(0, _host_ports),)),
    Rule("hostProbesAndHostLifecycle", (Versioned(34, _probe_hosts),)),
    Rule("privileged", (Versioned(0, _privileged),)),
    Rule("procMount", (Versioned(0, proc_mount), Versioned(35, unless(in_user_namespace, proc_mount)))),
    Rule(
        "seLinuxOptions",
        (Versioned(0, _selinux(_SELINUX_TYPES)), Versioned(31, _selinux(_SELINUX_TYPES | {"container_engine_t"}))),
    ),
    Rule("seccompProfile_baseline", (Versioned(0, _seccomp_annotations), Versioned(19, seccomp_profile))),
    Rule(
        "sysctls",
        (
            Versioned(0, _sysctls(_SYSCTLS)),
            Versioned(27, _sysctls(_SYSCTLS_27)),
            Versioned(29, _sysctls(_SYSCTLS_29)),
            Versioned(32, _sysctls(_SYSCTLS_32)),
        ),
    ),
    Rule("windowsHostProcess", (Versioned(0, _windows_host_process),)),
)
"""The rules in the order in which their violations are told."""
