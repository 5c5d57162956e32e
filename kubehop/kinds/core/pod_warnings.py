"""What clients are told of pods and pod templates that are valid all the same (pkg/api/pod/warnings.go).

Called by pods and by every kind with a template. Paths begin where the template is: at the top for pods.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from kubehop.kinds.core.pod_validation.legacy_annotations import APP_ARMOR, SECCOMP_CONTAINER, SECCOMP_POD
from kubehop.kinds.core.pod_validation.windows import containers
from kubehop.kinds.validation_addresses import ip_warnings
from kubehop.kinds.validation_quantities import amount
from kubehop.machinery import gotext, names
from kubehop.machinery.fields import Path

Object = dict[str, Any]
Warnings = Iterator[str]

POD_NAME = "metadata.name: this is used in the Pod's hostname, which can result in surprising behavior; "
OWNER_NAME = "metadata.name: this is used in Pod names and hostnames, which can result in surprising behavior; "

_LABELS = {
    "beta.kubernetes.io/arch": 'deprecated since v1.14; use "kubernetes.io/arch" instead',
    "beta.kubernetes.io/os": 'deprecated since v1.14; use "kubernetes.io/os" instead',
    "beta.kubernetes.io/instance-type": 'deprecated since v1.17; use "node.kubernetes.io/instance-type" instead',
    "failure-domain.beta.kubernetes.io/region": 'deprecated since v1.17; use "topology.kubernetes.io/region" instead',
    "failure-domain.beta.kubernetes.io/zone": 'deprecated since v1.17; use "topology.kubernetes.io/zone" instead',
}
_ANNOTATIONS = {
    "scheduler.alpha.kubernetes.io/critical-pod": 'non-functional in v1.16+; use the "priorityClassName" field instead',
    "security.alpha.kubernetes.io/sysctls": 'non-functional in v1.11+; use the "sysctls" field instead',
    "security.alpha.kubernetes.io/unsafe-sysctls": 'non-functional in v1.11+; use the "sysctls" field instead',
}
_VOLUMES = (
    ("photonPersistentDisk", "photonPersistentDisk", "deprecated in v1.11, non-functional in v1.16+"),
    ("gitRepo", "gitRepo", "deprecated in v1.11, and disabled by default in v1.33+"),
    ("scaleIO", "scaleIO", "deprecated in v1.16, non-functional in v1.22+"),
    ("flocker", "flocker", "deprecated in v1.22, non-functional in v1.25+"),
    ("storageos", "storageOS", "deprecated in v1.22, non-functional in v1.25+"),
    ("quobyte", "quobyte", "deprecated in v1.22, non-functional in v1.25+"),
    ("glusterfs", "glusterfs", "deprecated in v1.25, non-functional in v1.26+"),
    ("cephfs", "cephfs", "deprecated in v1.28, non-functional in v1.31+"),
    ("rbd", "rbd", "deprecated in v1.28, non-functional in v1.31+"),
)
_SECCOMP = 'non-functional in v1.27+; use the "seccompProfile" field instead'
_APP_ARMOR = 'deprecated since v1.30; use the "appArmorProfile" field instead'
_REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"
_PREFERRED = "preferredDuringSchedulingIgnoredDuringExecution"
_MATCHES_NOTHING = "a null labelSelector results in matching no pod"
_TEMPLATE = Path("spec", "template")
_BYTES = ("memory", "ephemeral-storage")


class _Place:
    """Where the pod is: nowhere above a pod, somewhere in a workload for a template."""

    def __init__(self, path: Path | None) -> None:
        self.is_template = path is not None
        self.spec = Path("spec", parent=path)
        self.annotations = Path("metadata", "annotations") if path is None else path.child("metadata", "annotations")


def host_name(name: str, text: str) -> Warnings:
    """Tell of a name that is no DNS label where pods are named after it."""
    messages = names.dns1123_label(name)
    if messages:
        yield f"{text}a DNS label is recommended: [{' '.join(messages)}]"


def pod(obj: Object) -> Warnings:
    """Tell of a new pod."""
    yield from host_name((obj.get("metadata") or {}).get("name") or "", POD_NAME)
    yield from _of(None, obj)


def template(path: Path, found: Object | None) -> Warnings:
    """Tell of a pod template."""
    if found is not None:
        yield from _of(path, found)


def workload(obj: Object, old: Object | None, path: Path = _TEMPLATE, *, named: bool = True) -> list[str]:
    """Tell of a workload whose template is at a path: of a new one, and where its spec has changed."""
    meta = obj.get("metadata") or {}
    if old is not None and meta.get("generation") == (old.get("metadata") or {}).get("generation"):
        return []
    found: Any = obj
    for step in str(path).split("."):
        found = (found or {}).get(step)
    told = list(host_name(meta.get("name") or "", OWNER_NAME)) if named and old is None else []
    return [*told, *template(path, found)]


def _of(path: Path | None, obj: Object) -> Warnings:
    place = _Place(path)
    spec, annotations = obj.get("spec") or {}, (obj.get("metadata") or {}).get("annotations") or {}
    yield from _placing(place, spec)
    for key, text in _ANNOTATIONS.items():
        if key in annotations:
            yield f"{place.annotations.key(key)}: {text}"
    if spec.get("volumes"):
        yield from _volumes(place, spec["volumes"])
    yield from _repeated(place.spec.child("hostAliases"), spec.get("hostAliases") or (), "ip")
    yield from _repeated(place.spec.child("imagePullSecrets"), spec.get("imagePullSecrets") or (), "name")
    for index, secret in enumerate(spec.get("imagePullSecrets") or ()):
        if not secret.get("name"):
            at = place.spec.child("imagePullSecrets").index(index).child("name")
            yield f'{at}: invalid empty name ""'
    yield from _fractions(place.spec.child("overhead"), spec.get("overhead") or {})
    if SECCOMP_POD in annotations and (spec.get("securityContext") or {}).get("seccompProfile") is None:
        yield f"{place.annotations.key(SECCOMP_POD)}: {_SECCOMP}"
    for field, index, container in containers(spec):
        yield from _container(place, place.spec.child(field).index(index), container, spec, annotations)
    yield from _ports(place, spec)
    if (spec.get("terminationGracePeriodSeconds") or 0) < 0:
        at = place.spec.child("terminationGracePeriodSeconds")
        yield f"{at}: must be >= 0; negative values are invalid and will be treated as 1"
    if spec.get("affinity"):
        yield from _pod_affinities(place.spec.child("affinity"), spec["affinity"])
    yield from _addresses(place, spec)


def _placing(place: _Place, spec: Object) -> Warnings:
    for key in spec.get("nodeSelector") or ():
        if key in _LABELS:
            yield f"{place.spec.child('nodeSelector').key(key)}: {_LABELS[key]}"
    node = (spec.get("affinity") or {}).get("nodeAffinity") or {}
    path = place.spec.child("affinity", "nodeAffinity")
    for index, term in enumerate((node.get(_REQUIRED) or {}).get("nodeSelectorTerms") or ()):
        yield from _node_term(path.child(_REQUIRED, "nodeSelectorTerms").index(index), term, values=False)
    for index, preferred in enumerate(node.get(_PREFERRED) or ()):
        at = path.child(_PREFERRED).index(index).child("preference")
        yield from _node_term(at, preferred.get("preference") or {}, values=True)
    for index, constraint in enumerate(spec.get("topologySpreadConstraints") or ()):
        at = place.spec.child("topologySpreadConstraints").index(index)
        key = constraint.get("topologyKey") or ""
        if key in _LABELS:
            yield f"{at.child('topologyKey')}: {key} is {_LABELS[key]}"
        if constraint.get("labelSelector") is None:
            yield f"{at.child('labelSelector')}: {_MATCHES_NOTHING}"


def _node_term(path: Path, term: Object, *, values: bool) -> Warnings:
    for index, requirement in enumerate(term.get("matchExpressions") or ()):
        at, key = path.child("matchExpressions").index(index), requirement.get("key") or ""
        if key in _LABELS:
            yield f"{at.child('key')}: {key} is {_LABELS[key]}"
        for position, value in enumerate(requirement.get("values") or () if values else ()):
            for message in names.label_value(value):
                yield f"{at.child('values').index(position)}: {value} is invalid, {message}"


def _volumes(place: _Place, volumes: list[Object]) -> Warnings:
    path = place.spec.child("volumes")
    for index, volume in enumerate(volumes):
        for field, shown, text in _VOLUMES:
            if volume.get(field) is not None:
                yield f"{path.index(index).child(shown)}: {text}"
        template = (volume.get("ephemeral") or {}).get("volumeClaimTemplate")
        if template is not None:
            yield from claim(
                path.index(index).child("ephemeral", "volumeClaimTemplate", "spec"), template.get("spec") or {}
            )
    tokens = {
        (source.get("serviceAccountToken") or {}).get("path")
        for volume in volumes
        for source in (volume.get("projected") or {}).get("sources") or ()
        if source.get("serviceAccountToken") is not None
    }
    if tokens:
        for index, volume in enumerate(volumes):
            for source in (volume.get("projected") or {}).get("sources") or ():
                yield from _hidden_tokens(path.index(index).child("projected", "sources"), source, tokens)


def _hidden_tokens(path: Path, source: Object, tokens: set[Any]) -> Warnings:
    for field, shown in (("configMap", "configMap"), ("secret", "secrets"), ("downwardAPI", "downwardAPI")):
        for index, item in enumerate((source.get(field) or {}).get("items") or ()):
            if item.get("path") in tokens:
                quoted = gotext.quote(item.get("path") or "")
                yield f"{path.child(shown).index(index)}: has duplicated path with ServiceAccountToken {quoted}"
    bundle = source.get("clusterTrustBundle") or {}
    if bundle and bundle.get("path") in tokens:
        quoted = gotext.quote(bundle.get("path") or "")
        yield f"{path.child('ClusterTrustBundle')}: has duplicated path with ServiceAccountToken {quoted}"


def claim(path: Path, spec: Object) -> Warnings:
    """Tell of a claim of storage whose amount is no whole number of bytes."""
    resources = spec.get("resources") or {}
    for field in ("requests", "limits"):
        value = (resources.get(field) or {}).get("storage")
        if value is not None and not amount(value).exact(0):
            at = path.child("resources").child(field).key("storage")
            yield f"{at}: fractional byte value {gotext.quote(str(value))} is invalid, must be an integer"


def _repeated(path: Path, found: Any, field: str) -> Warnings:
    seen: set[str] = set()
    for index, item in enumerate(found):
        value = item.get(field) or ""
        if value in seen:
            yield f"{path.index(index).child(field)}: duplicate {field} {gotext.quote(value)}"
        seen.add(value)


def _fractions(path: Path, amounts: Object) -> Warnings:
    for name in _BYTES:
        value = amounts.get(name)
        if value is not None and amount(value).milli_value % 1000:
            yield f"{path.key(name)}: fractional byte value {gotext.quote(str(value))} is invalid, must be an integer"


def _container(place: _Place, path: Path, container: Object, spec: Object, annotations: Object) -> Warnings:
    context, name = container.get("securityContext") or {}, container.get("name") or ""
    if annotations:
        key = f"{SECCOMP_CONTAINER}{name}"
        if key in annotations and context.get("seccompProfile") is None:
            yield f"{place.annotations.key(key)}: {_SECCOMP}"
        whole = (spec.get("securityContext") or {}).get("appArmorProfile")
        key = f"{APP_ARMOR}{name}"
        if key in annotations and whole is None and context.get("appArmorProfile") is None:
            yield f"{place.annotations.key(key)}: {_APP_ARMOR}"
    resources = container.get("resources")
    if resources:
        for byte in _BYTES:
            for field in ("limits", "requests"):
                value = (resources.get(field) or {}).get(byte)
                if value is not None:
                    yield from _fractions(path.child("resources", field), {byte: value})
    if len(container.get("env") or ()) > 1:
        yield from _variables(path.child("env"), container["env"])


def _variables(path: Path, variables: list[Object]) -> Warnings:
    seen: set[str] = set()
    for index, variable in enumerate(variables):
        name, value = variable.get("name") or "", variable.get("value") or ""
        if name in seen:
            reference = f"$({name})"
            # one that builds on the former value is meant
            if variable.get("valueFrom") is not None or value == reference or reference not in value:
                quoted = gotext.quote(name)
                text = f"hides previous definition of {quoted}, which may be dropped when using apply"
                yield f"{path.index(index)}: {text}"
        seen.add(name)


def _ports(place: _Place, spec: Object) -> Warnings:
    known: dict[str, list[tuple[Path, str, int]]] = {}
    for field, position, container in containers(spec):
        for index, port in enumerate(container.get("ports") or ()):
            path = place.spec.child(field).index(position).child("ports").index(index)
            address, on_host = port.get("hostIP") or "", port.get("hostPort") or 0
            if address and not on_host:
                yield f"{path}: hostIP set without hostPort: {_as_go(port)}"
            others = known.setdefault(f"{port.get('containerPort') or 0}/{port.get('protocol') or ''}", [])
            for other, other_address, other_port in others:
                if (address, on_host) == (other_address, other_port):
                    yield f"{path}: duplicate port definition with {other}"
                elif not on_host or not other_port:
                    yield f"{path}: overlapping port definition with {other}"
                elif on_host == other_port and (not address) != (not other_address):
                    yield f"{path}: dangerously ambiguous port definition with {other}"
            others.append((path, address, on_host))


def _as_go(port: Object) -> str:
    shown = (
        ("Name", port.get("name") or ""),
        ("HostPort", port.get("hostPort") or 0),
        ("ContainerPort", port.get("containerPort") or 0),
        ("Protocol", port.get("protocol") or ""),
        ("HostIP", port.get("hostIP") or ""),
    )
    return "{" + " ".join(f"{name}:{value}" for name, value in shown) + "}"


def _pod_affinities(path: Path, affinity: Object) -> Warnings:
    for name in ("podAffinity", "podAntiAffinity"):
        found = affinity.get(name) or {}
        for index, term in enumerate(found.get(_REQUIRED) or ()):
            if term.get("labelSelector") is None:
                yield f"{path.child(name, _REQUIRED).index(index).child('labelSelector')}: {_MATCHES_NOTHING}"
        for index, weighted in enumerate(found.get(_PREFERRED) or ()):
            if (weighted.get("podAffinityTerm") or {}).get("labelSelector") is None:
                at = path.child(name, _PREFERRED).index(index).child("podAffinityTerm", "labelSelector")
                yield f"{at}: {_MATCHES_NOTHING}"


def _addresses(place: _Place, spec: Object) -> Warnings:
    for index, server in enumerate((spec.get("dnsConfig") or {}).get("nameservers") or ()):
        yield from ip_warnings(place.spec.child("dnsConfig", "nameservers").index(index), server)
    for index, alias in enumerate(spec.get("hostAliases") or ()):
        yield from ip_warnings(place.spec.child("hostAliases").index(index).child("ip"), alias.get("ip") or "")
