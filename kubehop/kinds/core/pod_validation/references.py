"""Rules for references into a pod or to keys: fields and resources of the downward API, keys of maps and secrets.

Used by environment variables and by volumes.
"""

from __future__ import annotations

import re
from typing import Any

from kubehop.kinds.core.pod_validation.paths import not_reserved
from kubehop.kinds.validation import Errors
from kubehop.kinds.validation_values import obeys, one_of, qualified, required_name
from kubehop.machinery import fields, names, quantity
from kubehop.machinery.fields import Path

Object = dict[str, Any]

ENVIRONMENT_FIELDS = (
    "metadata.name", "metadata.namespace", "metadata.uid", "spec.nodeName", "spec.serviceAccountName",
    "status.hostIP", "status.hostIPs", "status.podIP", "status.podIPs",
)  # fmt: skip
VOLUME_FIELDS = ("metadata.annotations", "metadata.labels", "metadata.name", "metadata.namespace", "metadata.uid")
_CONVERTIBLE = frozenset({
    "metadata.annotations", "metadata.labels", "metadata.name", "metadata.namespace", "metadata.uid",
    "spec.nodeName", "spec.restartPolicy", "spec.serviceAccountName", "spec.schedulerName",
    "status.phase", "status.hostIP", "status.hostIPs", "status.podIP", "status.podIPs",
})  # fmt: skip
_OLD_NODE = "spec.host"
_RESOURCES = (
    "limits.cpu", "limits.ephemeral-storage", "limits.memory",
    "requests.cpu", "requests.ephemeral-storage", "requests.memory",
)  # fmt: skip
_HUGE_PAGES = ("limits.hugepages-", "requests.hugepages-")
_SUBSCRIPT = re.compile(r"(.+?)\['(.*)'\]", re.DOTALL).fullmatch
_UNITS = ("1", "1k", "1M", "1G", "1T", "1P", "1E", "1Ki", "1Mi", "1Gi", "1Ti", "1Pi", "1Ei")
_DIVISORS = {
    "cpu": (("1m", "1"), "only divisor's values 1m and 1 are supported with the cpu resource"),
    "memory": (_UNITS, f"only divisor's values {', '.join(_UNITS)} are supported with the memory resource"),
    "ephemeral-storage": (
        _UNITS,
        f"only divisor's values {', '.join(_UNITS)} are supported with the local ephemeral storage resource",
    ),
    "hugepages": (_UNITS, f"only divisor's values {', '.join(_UNITS)} are supported with the hugepages resource"),
}


def field(path: Path, reference: Object, supported: tuple[str, ...]) -> Errors:
    """Want a field that the downward API shows (validateObjectFieldSelector)."""
    if not reference.get("apiVersion"):
        yield fields.required(path.child("apiVersion"))
        return
    wanted = reference.get("fieldPath") or ""
    if not wanted:
        yield fields.required(path.child("fieldPath"))
        return
    match = _SUBSCRIPT(wanted)
    complaint = _conversion(reference["apiVersion"], wanted, match[1] if match else "")
    if complaint:
        yield fields.invalid(path.child("fieldPath"), wanted, f"error converting fieldPath: {complaint}")
    elif match is None:
        yield from one_of(path.child("fieldPath"), "spec.nodeName" if wanted == _OLD_NODE else wanted, supported)
    else:
        yield from qualified(path, match[2].lower() if match[1] == "metadata.annotations" else match[2])


def _conversion(version: str, label: str, subscripted: str) -> str:
    """Return why a field cannot be read, "" where it can (ConvertDownwardAPIFieldLabel)."""
    if version != "v1":
        return f"unsupported pod version: {version}"
    if subscripted:
        maps = ("metadata.annotations", "metadata.labels")
        return "" if subscripted in maps else f"field label does not support subscript: {label}"
    return "" if label in _CONVERTIBLE or label == _OLD_NODE else f"field label not supported: {label}"


def resource(path: Path, reference: Object, *, in_volume: bool) -> Errors:
    """Want a resource of a container (validateContainerResourceFieldSelector)."""
    wanted = reference.get("resource") or ""
    if in_volume and not reference.get("containerName"):
        yield fields.required(path.child("containerName"))
    elif not wanted:
        yield fields.required(path.child("resource"))
    elif wanted not in _RESOURCES and not wanted.startswith(_HUGE_PAGES):
        yield fields.not_supported(path.child("resource"), wanted, _RESOURCES)
    divisor = str(reference.get("divisor") or "0")
    if not quantity.parse(divisor):
        return
    kind = "hugepages" if wanted.startswith(_HUGE_PAGES) else wanted.partition(".")[2]
    supported, text = _DIVISORS.get(kind, ((), ""))
    if text and divisor not in supported:
        yield fields.invalid(path.child("divisor"), wanted, text)


def key(path: Path, reference: Object) -> Errors:
    """Want a key of a config map or a secret (validateConfigMapKeySelector, validateSecretKeySelector)."""
    yield from obeys(path.child("name"), reference.get("name") or "", names.dns1123_subdomain)
    yield from required_name(path.child("key"), reference.get("key"), names.config_map_key)


def file_key(path: Path, reference: Object) -> Errors:
    """Want a variable in a file of a volume (validateFileKeySelector)."""
    yield from required_name(path.child("key"), reference.get("key"), names.relaxed_env_var_name)
    yield from required_name(path.child("volumeName"), reference.get("volumeName"), names.dns1123_label)
    if reference.get("path"):
        yield from not_reserved(path.child("path"), reference["path"])
    else:
        yield fields.required(path.child("path"))
