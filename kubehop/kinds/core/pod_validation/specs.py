"""The whole of a pod's spec, and pod templates: the way in for pods and for every kind with a template.

Facts: ValidatePodSpec, ValidatePodTemplateSpec, ValidatePodCreate.
"""

from __future__ import annotations

from typing import Any

from kubehop.kinds.core.pod_validation import (
    containers,
    legacy_annotations,
    network,
    resources,
    scheduling,
    security,
    volumes,
    windows,
)
from kubehop.kinds.validation import Errors
from kubehop.kinds.validation_values import obeys, qualified
from kubehop.machinery import fields, metadata, names
from kubehop.machinery.fields import Path

Object = dict[str, Any]

SPEC = Path("spec")
ANNOTATIONS = Path("metadata", "annotations")

_RESTART_POLICIES = ("Always", "OnFailure", "Never")
_DNS_POLICIES = ("ClusterFirstWithHostNet", "ClusterFirst", "Default", "None")
_PREEMPTION_POLICIES = ("PreemptLowerPriority", "Never")
_MAX_INT32 = (1 << 31) - 1


def pod(obj: Object) -> Errors:
    """Check a pod, new or changed, but for its metadata (validatePodMetadataAndSpec)."""
    spec, meta = obj.get("spec") or {}, obj.get("metadata") or {}
    yield from legacy_annotations.of_pod(ANNOTATIONS, meta.get("annotations") or {}, spec)
    yield from pod_spec(SPEC, spec, pod_name=meta.get("name") or "", is_pod=True)
    if not spec.get("serviceAccountName"):
        yield from _tokens_without_account(spec)
    for field in ("containers", "initContainers"):
        for index, container in enumerate(spec.get(field) or ()):
            yield from containers.image_space(SPEC.child(field).index(index), container)


def new_pod(obj: Object) -> Errors:
    """Check what only new pods are held to (ValidatePodCreate)."""
    spec = obj.get("spec") or {}
    if spec.get("ephemeralContainers"):
        yield fields.forbidden(SPEC.child("ephemeralContainers"), "cannot be set on create")
    if spec.get("nodeName") and spec.get("schedulingGates"):
        yield fields.forbidden(SPEC.child("nodeName"), "cannot be set until all schedulingGates have been cleared")
    yield from legacy_annotations.match_fields(SPEC, (obj.get("metadata") or {}).get("annotations") or {}, spec)


def _tokens_without_account(spec: Object) -> Errors:
    for index, volume in enumerate(spec.get("volumes") or ()):
        for position, source in enumerate((volume.get("projected") or {}).get("sources") or ()):
            if source.get("serviceAccountToken") is not None:
                at = SPEC.child("volumes").index(index).child("projected", "sources").index(position)
                text = "must not be specified when serviceAccountName is not set"
                yield fields.forbidden(at.child("serviceAccountToken"), text)


def template(path: Path, found: Object | None) -> Errors:
    """Check a pod template (ValidatePodTemplateSpec)."""
    found = found or {}
    meta, spec = found.get("metadata") or {}, found.get("spec") or {}
    noted = meta.get("annotations") or {}
    if meta.get("labels"):
        yield from metadata.validate_labels(meta["labels"], path.child("labels"))
    if noted:
        yield from metadata.validate_annotations(noted, path.child("annotations"))
        yield from legacy_annotations.of_pod(path.child("annotations"), noted, spec)
    yield from pod_spec(path.child("spec"), spec)
    if noted:
        yield from legacy_annotations.match_fields(path.child("spec"), noted, spec)
    if spec.get("ephemeralContainers"):
        text = "ephemeral containers not allowed in pod template"
        yield fields.forbidden(path.child("spec", "ephemeralContainers"), text)


def pod_spec(path: Path, spec: Object, *, pod_name: str = "", is_pod: bool = False) -> Errors:
    """Check the spec of a pod or of a template (ValidatePodSpec)."""
    yield from _contents(path, spec, pod_name, is_pod=is_pod)
    yield from network.host_network(path, spec, is_pod=is_pod)
    yield from _choice(path, spec, "restartPolicy", _RESTART_POLICIES)
    yield from _choice(path, spec, "dnsPolicy", _DNS_POLICIES)
    if spec.get("nodeSelector"):
        yield from metadata.validate_labels(spec["nodeSelector"], path.child("nodeSelector"))
    if spec.get("securityContext"):
        yield from security.of_pod(path.child("securityContext"), spec["securityContext"], spec)
    elif spec.get("shareProcessNamespace") and spec.get("hostPID"):
        yield from security.of_pod(path.child("securityContext"), {}, spec)
    if spec.get("affinity"):
        yield from scheduling.affinity(path.child("affinity"), spec["affinity"])
    yield from network.resolving(path.child("dnsConfig"), spec)
    for index, gate in enumerate(spec.get("readinessGates") or ()):
        yield from qualified(
            path.child("readinessGates").index(index).child("conditionType"), gate.get("conditionType") or ""
        )
    if spec.get("schedulingGates"):
        yield from scheduling.gates(path.child("schedulingGates"), spec["schedulingGates"])
    if spec.get("topologySpreadConstraints"):
        at = path.child("topologySpreadConstraints")
        yield from scheduling.spreading(at, spec["topologySpreadConstraints"])
    yield from windows.host_processes(path, spec)
    if spec.get("hostUsers") is False:
        yield from _host_namespaces(path, spec)
    yield from _rest(path, spec)
    if spec.get("os") is not None:
        yield from windows.operating_system(path, spec)


def _contents(path: Path, spec: Object, pod_name: str, *, is_pod: bool) -> Errors:
    """Check volumes, claims and containers."""
    grace = spec.get("terminationGracePeriodSeconds")
    if grace is None:
        yield fields.required(path.child("terminationGracePeriodSeconds"))
    known: dict[str, Object] = {}
    if spec.get("volumes"):
        known, errors = volumes.volumes(path.child("volumes"), spec["volumes"], pod_name, is_pod=is_pod)
        yield from errors
    claims = [claim["name"] for claim in spec.get("resourceClaims") or () if claim.get("name")]
    if spec.get("resourceClaims"):
        yield from resources.pod_claims(path.child("resourceClaims"), spec["resourceClaims"])
    restart_policy = spec.get("restartPolicy") or ""
    around = containers.Surroundings(known, claims, grace, restart_policy, spec.get("hostUsers") is not False)
    running = spec.get("containers") or []
    yield from containers.running(path.child("containers"), running, around)
    if spec.get("initContainers"):
        yield from containers.initializing(path.child("initContainers"), spec["initContainers"], running, around)
    if spec.get("ephemeralContainers"):
        yield from containers.ephemeral(path.child("ephemeralContainers"), spec, around)
    if spec.get("resources") is not None:
        yield from resources.of_pod(path.child("resources"), spec, claims)


def _rest(path: Path, spec: Object) -> Errors:
    """Check the single values at the end, in kube-apiserver's order."""
    for name in ("serviceAccountName", "nodeName"):
        if spec.get(name):
            yield from obeys(path.child(name), spec[name], names.dns1123_subdomain)
    deadline = spec.get("activeDeadlineSeconds")
    if deadline is not None and not 0 < deadline <= _MAX_INT32:
        text = names.inclusive_range_error(1, _MAX_INT32)
        yield fields.invalid(path.child("activeDeadlineSeconds"), deadline, text)
    yield from network.host_names(path, spec)
    yield from network.host_name_override(path, spec)
    if spec.get("tolerations"):
        yield from scheduling.tolerations(path.child("tolerations"), spec["tolerations"])
    if spec.get("hostAliases"):
        yield from network.host_aliases(path.child("hostAliases"), spec["hostAliases"])
    for name in ("priorityClassName", "runtimeClassName"):
        if spec.get(name):
            yield from obeys(path.child(name), spec[name], names.dns1123_subdomain)
    if spec.get("runtimeClassName") == "":
        yield from obeys(path.child("runtimeClassName"), "", names.dns1123_subdomain)
    if spec.get("preemptionPolicy") is not None:
        yield from _choice(path, spec, "preemptionPolicy", _PREEMPTION_POLICIES)
    if spec.get("overhead"):
        yield from resources.requirements(path.child("overhead"), {"limits": spec["overhead"]}, ())


def _choice(path: Path, spec: Object, field: str, supported: tuple[str, ...]) -> Errors:
    value = spec.get(field) or ""
    if not value:
        yield fields.required(path.child(field))
    elif value not in supported:
        yield fields.not_supported(path.child(field), value, supported)


def _host_namespaces(path: Path, spec: Object) -> Errors:
    """Refuse the host's namespaces to a pod with users of its own (validateHostUsers); the paths are odd there too."""
    for field, shown in (("hostNetwork", "hostNetwork"), ("hostPID", "HostPID"), ("hostIPC", "HostIPC")):
        if spec.get(field):
            yield fields.forbidden(path.child(shown), "when `pod.Spec.HostUsers` is false")
