"""The objects that a pod or a persistent volume refers to.

As kube-apiserver's pkg/api/v1/pod (VisitPodSecretNames, VisitPodConfigmapNames) and pkg/api/v1/persistentvolume
(VisitPVSecretNames), which decide what the node authorizer lets a kubelet read. Called by `node_graph`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

Object = Mapping[str, Any]

MIRROR_ANNOTATION = "kubernetes.io/config.mirror"

_POD_SECRET_REFERENCES = {
    "cephfs": "secretRef",
    "cinder": "secretRef",
    "csi": "nodePublishSecretRef",
    "flexVolume": "secretRef",
    "iscsi": "secretRef",
    "rbd": "secretRef",
    "scaleIO": "secretRef",
    "storageos": "secretRef",
}
"""Pod volume sources whose secret is a local reference, and the field that has it."""

_VOLUME_SECRET_REFERENCES = {
    "cephfs": ("secretRef",),
    "cinder": ("secretRef",),
    "csi": ("nodePublishSecretRef", "nodeStageSecretRef"),
    "flexVolume": ("secretRef",),
    "iscsi": ("secretRef",),
    "rbd": ("secretRef",),
    "scaleIO": ("secretRef",),
    "storageos": ("secretRef",),
}
"""Persistent volume sources and the fields with secrets that a kubelet may read; a CSI controller's are not its own."""

_CLAIM_NAMESPACE_BY_DEFAULT = frozenset({"cephfs", "flexVolume", "iscsi", "rbd", "scaleIO"})
"""Sources whose secret reference may lack a namespace, which is then the claim's."""


class Reference(NamedTuple):
    """An object that is referred to; the kind is a value of `node_graph.Vertex`."""

    kind: str
    namespace: str
    name: str


def mirror_pod(pod: Object) -> bool:
    """Tell whether a pod only mirrors a static one of its node."""
    return MIRROR_ANNOTATION in (pod["metadata"].get("annotations") or {})


def pod_references(pod: Object) -> Iterator[Reference]:
    """Yield what a pod may read, but for its resource claims."""
    namespace, spec = pod["metadata"].get("namespace") or "", pod.get("spec") or {}
    names: Iterator[tuple[str, str]] = _names(pod["metadata"]["name"], spec)
    for kind, name in names:
        if name:
            yield Reference(kind, namespace, name)


def _names(pod_name: str, spec: Object) -> Iterator[tuple[str, str]]:
    yield "serviceAccount", spec.get("serviceAccountName") or ""
    for reference in spec.get("imagePullSecrets") or ():
        yield "secret", reference.get("name") or ""
    for containers in ("initContainers", "containers", "ephemeralContainers"):
        for container in spec.get(containers) or ():
            yield from _container_names(container)
    for volume in spec.get("volumes") or ():
        yield from _volume_names(pod_name, volume)


def _container_names(container: Object) -> Iterator[tuple[str, str]]:
    for source in container.get("envFrom") or ():
        yield "secret", _name(source.get("secretRef"))
        yield "configmap", _name(source.get("configMapRef"))
    for variable in container.get("env") or ():
        source = variable.get("valueFrom") or {}
        yield "secret", _name(source.get("secretKeyRef"))
        yield "configmap", _name(source.get("configMapKeyRef"))


def _volume_names(pod_name: str, volume: Object) -> Iterator[tuple[str, str]]:
    yield "secret", (volume.get("azureFile") or {}).get("secretName") or ""
    yield "secret", (volume.get("secret") or {}).get("secretName") or ""
    yield "configmap", _name(volume.get("configMap"))
    for source, field in _POD_SECRET_REFERENCES.items():
        yield "secret", _name((volume.get(source) or {}).get(field))
    for projection in (volume.get("projected") or {}).get("sources") or ():
        yield "secret", _name(projection.get("secret"))
        yield "configmap", _name(projection.get("configMap"))
    if volume.get("persistentVolumeClaim"):
        yield "pvc", volume["persistentVolumeClaim"].get("claimName") or ""
    elif volume.get("ephemeral"):
        yield "pvc", f"{pod_name}-{volume['name']}"


def _name(reference: Object | None) -> str:
    return (reference or {}).get("name") or ""


def claim_references(pod: Object) -> Iterator[Reference]:
    """Yield the resource claims that a pod has got so far."""
    namespace, status = pod["metadata"].get("namespace") or "", pod.get("status") or {}
    generated = {
        made.get("name"): made.get("resourceClaimName") or "" for made in status.get("resourceClaimStatuses") or ()
    }
    for claim in (pod.get("spec") or {}).get("resourceClaims") or ():
        name = claim.get("resourceClaimName") or generated.get(claim.get("name")) or ""
        if name:
            yield Reference("resourceclaim", namespace, name)
    extended = (status.get("extendedResourceClaimStatus") or {}).get("resourceClaimName") or ""
    if extended:
        yield Reference("resourceclaim", namespace, extended)


def volume_secrets(volume: Object) -> Iterator[Reference]:
    """Yield the secrets of a claimed persistent volume that a kubelet may read."""
    spec = volume.get("spec") or {}
    claim_namespace = (spec.get("claimRef") or {}).get("namespace") or ""
    azure = spec.get("azureFile")
    if azure and azure.get("secretName"):
        yield Reference("secret", azure.get("secretNamespace") or claim_namespace, azure["secretName"])
    for source, fields in _VOLUME_SECRET_REFERENCES.items():
        for field in fields:
            reference = (spec.get(source) or {}).get(field) or {}
            if reference.get("name"):
                default = claim_namespace if source in _CLAIM_NAMESPACE_BY_DEFAULT else ""
                yield Reference("secret", reference.get("namespace") or default, reference["name"])
