"""The rules that the level restricted adds: how a pod is hardened.

Read by `evaluation`; source of the behaviour: pod-security-admission policy/check_*.go.
"""

from __future__ import annotations

from typing import Final

from kubehop.machinery.objects import Object
from services.admission.plugins.pod_security.baseline import proc_mount, seccomp_profile
from services.admission.plugins.pod_security.violations import (
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

_VOLUMES: Final = frozenset(
    {
        "configMap",
        "csi",
        "downwardAPI",
        "emptyDir",
        "ephemeral",
        "image",
        "persistentVolumeClaim",
        "projected",
        "secret",
    }
)
_RESTRICTED_VOLUMES: Final = (
    "hostPath",
    "gcePersistentDisk",
    "awsElasticBlockStore",
    "gitRepo",
    "nfs",
    "iscsi",
    "glusterfs",
    "rbd",
    "flexVolume",
    "cinder",
    "cephfs",
    "flocker",
    "fc",
    "azureFile",
    "vsphereVolume",
    "quobyte",
    "azureDisk",
    "photonPersistentDisk",
    "portworxVolume",
    "scaleIO",
    "storageos",
)


def _is_windows(spec: Object) -> bool:
    return (spec.get("os") or {}).get("name") == "windows"


def _privilege_escalation(_: Object, spec: Object) -> Violation | None:
    bad = offenders(spec, lambda context: context.get("allowPrivilegeEscalation") is not False)
    if not bad:
        return None
    detail = f"{these('container', bad)} must set securityContext.allowPrivilegeEscalation=false"
    return Violation("allowPrivilegeEscalation != false", detail)


def _capabilities(_: Object, spec: Object) -> Violation | None:
    added: set[str] = set()

    def adds(context: Context) -> bool:
        wrong = [name for name in (context.get("capabilities") or {}).get("add") or () if name != "NET_BIND_SERVICE"]
        added.update(wrong)
        return bool(wrong)

    keeping = offenders(spec, lambda context: "ALL" not in ((context.get("capabilities") or {}).get("drop") or ()))
    adding = offenders(spec, adds)
    details = []
    if keeping:
        details.append(f'{these("container", keeping)} must set securityContext.capabilities.drop=["ALL"]')
    if adding:
        names = quoted(sorted(added))
        details.append(f"{these('container', adding)} must not include {names} in securityContext.capabilities.add")
    return Violation("unrestricted capabilities", "; ".join(details)) if details else None


def _volumes(_: Object, spec: Object) -> Violation | None:
    bad: list[str] = []
    types: set[str] = set()
    for volume in spec.get("volumes") or ():
        sources = {key for key, value in volume.items() if value is not None}
        if not sources & _VOLUMES:
            bad.append(volume.get("name", ""))
            types.add(next((kind for kind in _RESTRICTED_VOLUMES if kind in sources), "unknown"))
    if not bad:
        return None
    verb = "uses" if len(bad) == 1 else "use"
    what = plural("restricted volume type", len(types))
    return Violation("restricted volume types", f"{these('volume', bad)} {verb} {what} {quoted(sorted(types))}")


def _run_as_non_root(_: Object, spec: Object) -> Violation | None:
    reason = "runAsNonRoot != true"
    of_the_pod = pod_context(spec).get("runAsNonRoot")
    who = setters(of_the_pod is False, offenders(spec, lambda context: context.get("runAsNonRoot") is False))
    if who:
        return Violation(reason, f"{who} must not set securityContext.runAsNonRoot=false")
    if of_the_pod:
        return None
    silent = [name for name, context in contexts(spec) if context.get("runAsNonRoot") is None]
    if not silent:
        return None
    return Violation(reason, f"pod or {these('container', silent)} must set securityContext.runAsNonRoot=true")


def _run_as_user(_: Object, spec: Object) -> Violation | None:
    def is_bad(context: Context) -> bool:
        return context.get("runAsUser") == 0

    who = setters(is_bad(pod_context(spec)), offenders(spec, is_bad))
    return Violation("runAsUser=0", f"{who} must not set runAsUser=0") if who else None


def _seccomp(meta: Object, spec: Object) -> Violation | None:
    wrong = seccomp_profile(meta, spec)
    if wrong is not None or pod_context(spec).get("seccompProfile") is not None:
        return wrong
    silent = [name for name, context in contexts(spec) if context.get("seccompProfile") is None]
    if not silent:
        return None
    who = these("container", silent)
    return Violation(
        "seccompProfile",
        f'pod or {who} must set securityContext.seccompProfile.type to "RuntimeDefault" or "Localhost"',
    )


RULES: Final = (
    Rule(
        "allowPrivilegeEscalation",
        (Versioned(8, _privilege_escalation), Versioned(25, unless(_is_windows, _privilege_escalation))),
    ),
    Rule(
        "capabilities_restricted",
        (Versioned(22, _capabilities), Versioned(25, unless(_is_windows, _capabilities))),
        overrides="capabilities_baseline",
    ),
    Rule("procMount_restricted", (Versioned(35, proc_mount),), overrides="procMount"),
    Rule("restrictedVolumes", (Versioned(0, _volumes),), overrides="hostPathVolumes"),
    Rule("runAsNonRoot", (Versioned(0, _run_as_non_root), Versioned(35, unless(in_user_namespace, _run_as_non_root)))),
    Rule("runAsUser", (Versioned(23, _run_as_user), Versioned(35, unless(in_user_namespace, _run_as_user)))),
    Rule(
        "seccompProfile_restricted",
        (Versioned(19, _seccomp), Versioned(25, unless(_is_windows, _seccomp))),
        overrides="seccompProfile_baseline",
    ),
)
"""The rules in the order in which their violations are told, after those of the baseline."""
