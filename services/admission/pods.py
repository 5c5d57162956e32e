"""Pods as plugins look at them: their containers, the secrets that they name, tolerations and how they are merged.

Pure functions over the JSON of a Pod; source of the behaviour: pkg/api/pod/util.go, pkg/apis/core/helper and
pkg/util/tolerations.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

from kubehop.machinery.objects import Object

PODS: Final = ("", "pods", "")
"""Pods proper, without their subresources."""

MIRROR_ANNOTATION: Final = "kubernetes.io/config.mirror"
"""Marks the mirror that a kubelet makes of a static pod."""

_CONTAINER_LISTS: Final = ("initContainers", "containers", "ephemeralContainers")
# where volumes name a secret: the member of the volume, and the way to the name in it
_VOLUME_SECRETS: Final = (
    ("azureFile", ("secretName",)),
    ("cephfs", ("secretRef", "name")),
    ("cinder", ("secretRef", "name")),
    ("csi", ("nodePublishSecretRef", "name")),
    ("flexVolume", ("secretRef", "name")),
    ("iscsi", ("secretRef", "name")),
    ("rbd", ("secretRef", "name")),
    ("scaleIO", ("secretRef", "name")),
    ("secret", ("secretName",)),
    ("storageos", ("secretRef", "name")),
)


def spec_of(pod: Object) -> Object:
    """The spec of a pod for reading and writing; attached where there was none."""
    spec = pod.get("spec")
    if not isinstance(spec, dict):
        spec = pod["spec"] = {}
    return spec


def containers(spec: Object) -> Iterator[tuple[str, Object]]:
    """Every container of a pod spec with its path: init containers, containers, ephemeral containers."""
    for kind in _CONTAINER_LISTS:
        for index, container in enumerate(spec.get(kind) or ()):
            yield f"spec.{kind}[{index}]", container


def secret_names(spec: Object) -> Iterator[str]:
    """The names of the secrets that a pod uses, in whatever way."""
    for reference in spec.get("imagePullSecrets") or ():
        yield reference.get("name", "")
    for _, container in containers(spec):
        for source in container.get("envFrom") or ():
            if source.get("secretRef"):
                yield source["secretRef"].get("name", "")
        for variable in container.get("env") or ():
            reference = (variable.get("valueFrom") or {}).get("secretKeyRef")
            if reference:
                yield reference.get("name", "")
    for volume in spec.get("volumes") or ():
        yield from _volume_secrets(volume)


def _volume_secrets(volume: Object) -> Iterator[str]:
    for member, path in _VOLUME_SECRETS:
        value: Any = volume.get(member)
        for step in path:
            value = value.get(step) if isinstance(value, dict) else None
        if value:
            yield value
    for source in (volume.get("projected") or {}).get("sources") or ():
        if source.get("secret"):
            yield source["secret"].get("name", "")


def add_toleration(spec: Object, toleration: Object) -> bool:
    """Add a toleration, or put it in the place of the one with the same key, effect, operator and value.

    pkg/apis/core/helper, AddOrUpdateTolerationInPod. False where nothing changes.
    """
    tolerations = spec.get("tolerations") or []
    for index, present in enumerate(tolerations):
        if _taint_part(present) == _taint_part(toleration):
            if present == toleration:
                return False
            tolerations[index] = toleration
            return True
    spec["tolerations"] = [*tolerations, toleration]
    return True


def _taint_part(toleration: Object) -> tuple[str, ...]:
    return tuple(toleration.get(part) or "" for part in ("key", "effect", "operator", "value"))


def merge_tolerations(first: Sequence[Object], second: Sequence[Object]) -> list[Object]:
    """Both lists without those that another one covers; of equal ones the first stays.

    pkg/util/tolerations, MergeTolerations.
    """
    every = [*first, *second]
    merged: list[Object] = []
    for index, toleration in enumerate(every):
        covered = any(covers(other, toleration) for other in merged) or any(
            covers(other, toleration) and other != toleration for other in every[index + 1 :]
        )
        if not covered:
            merged.append(toleration)
    return merged


def covers(wide: Object, narrow: Object) -> bool:
    """Whether one toleration tolerates whatever the other does."""
    if wide == narrow:
        return True
    wide_key, wide_operator, wide_effect = wide.get("key") or "", wide.get("operator") or "", wide.get("effect") or ""
    # an empty key with Exists tolerates every taint, an empty effect every effect
    if (narrow.get("key") or "") != wide_key and (wide_key or wide_operator != "Exists"):
        return False
    if (narrow.get("effect") or "") != wide_effect and wide_effect:
        return False
    limit = wide.get("tolerationSeconds")
    if wide_effect == "NoExecute" and limit is not None:
        seconds = narrow.get("tolerationSeconds")
        if seconds is None or seconds > limit:
            return False
    if wide_operator == "Exists":
        return True
    return (
        wide_operator in {"", "Equal"}
        and narrow.get("operator") == "Equal"
        and (narrow.get("value") or "") == (wide.get("value") or "")
    )
