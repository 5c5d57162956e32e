"""Where the data of a volume comes from: a rule for every kind of source that pods know.

`SOURCES` lists them in the order in which kube-apiserver looks at them. Persistent volumes share many.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from kubehop.kinds.core.pod_validation.claims import claim_template
from kubehop.kinds.core.pod_validation.paths import descending, no_backsteps
from kubehop.kinds.core.pod_validation.projections import configured, downward, projected
from kubehop.kinds.validation import Errors
from kubehop.kinds.validation_quantities import amount
from kubehop.kinds.validation_values import label, obeys, one_of
from kubehop.machinery import fields, names
from kubehop.machinery.fields import Path

Object = dict[str, Any]
Check = Callable[[Path, Object], Errors]

HOST_PATH_TYPES = (
    "", "BlockDevice", "CharDevice", "Directory", "DirectoryOrCreate", "File", "FileOrCreate", "Socket",
)  # fmt: skip
PULL_POLICIES = ("Always", "IfNotPresent", "Never")
_DRIVER_MAX = 63
_INITIATORS = {
    "iqn": re.compile(r"iqn\.\d{4}-\d{2}\.([A-Za-z0-9.-]+)(:[^,;*&$|\s]+)$", re.ASCII).search,
    "eui": re.compile(r"^eui.[A-Za-z0-9]{16}$", re.ASCII).search,
    "naa": re.compile(r"^naa.[A-Za-z0-9]{32}$", re.ASCII).search,
}
_HOST_PORTS = "must be a host:port pair or multiple pairs separated by commas"
_match_host_port = re.compile(r"(\[[^\[\]]*\]|[^:\[\]]*):[^:\[\]]*").fullmatch


@dataclass(frozen=True, slots=True)
class Source:
    """One kind of source."""

    field: str
    check: Check
    path: str = ""
    """What errors inside call it, where that is not its field."""
    second: str = ""
    """What the error about a second source calls it, where that is not its field."""


def required_fields(*wanted: str) -> Check:
    """Return a check that fields are there."""

    def check(path: Path, source: Object) -> Errors:
        for name in wanted:
            if not source.get(name):
                yield fields.required(path.child(name))

    return check


def named_secret(path: Path, source: Object, field: str = "secretRef") -> Errors:
    """Want a reference to a secret to name it."""
    reference = source.get(field)
    if reference is not None and not reference.get("name"):
        yield fields.required(path.child(field, "name"))


def empty_dir(path: Path, source: Object) -> Errors:
    """A directory of the pod's own."""
    limit = source.get("sizeLimit")
    if limit is not None and amount(limit).sign < 0:
        yield fields.forbidden(path.child("sizeLimit"), "SizeLimit field must be a valid resource quantity")


def host_path(path: Path, source: Object) -> Errors:
    """A file or directory of the node (validateHostPathVolumeSource)."""
    target, kind = source.get("path") or "", source.get("type")
    if not target:
        yield fields.required(path.child("path"))
        return
    yield from no_backsteps(path.child("path"), target)
    if kind is not None:
        yield from one_of(path.child("type"), kind, HOST_PATH_TYPES)


def git_repository(path: Path, source: Object) -> Errors:
    """A repository, copied."""
    if not source.get("repository"):
        yield fields.required(path.child("repository"))
    yield from descending(path.child("directory"), source.get("directory") or "")


def partitioned(field: str) -> Check:
    """Return the check of a cloud's disk."""

    def check(path: Path, source: Object) -> Errors:
        if not source.get(field):
            yield fields.required(path.child(field))
        number = source.get("partition") or 0
        if not 0 <= number <= 255:
            yield fields.invalid(path.child("partition"), number, names.inclusive_range_error(1, 255))

    return check


def nfs(path: Path, source: Object) -> Errors:
    """A directory of a file server."""
    target = source.get("path") or ""
    if not source.get("server"):
        yield fields.required(path.child("server"))
    if not target:
        yield fields.required(path.child("path"))
    if not target.startswith("/"):
        yield fields.invalid(path.child("path"), target, "must be an absolute path")


def iscsi(path: Path, source: Object) -> Errors:
    """A disk by iSCSI (validateISCSIVolumeSource)."""
    yield from required_fields("targetPortal")(path, source)
    name, initiator = source.get("iqn") or "", source.get("initiatorName")
    if not name:
        yield fields.required(path.child("iqn"))
    else:
        yield from _initiator(path.child("iqn"), name)
    yield from _unit(path, source.get("lun") or 0)
    if (source.get("chapAuthDiscovery") or source.get("chapAuthSession")) and source.get("secretRef") is None:
        yield fields.required(path.child("secretRef"))
    if initiator is not None:
        yield from _initiator(path.child("initiatorname"), initiator)


def _initiator(path: Path, name: str) -> Errors:
    rule = _INITIATORS.get(name[:3])
    if rule is None:
        yield fields.invalid(path, name, "must be valid format starting with iqn, eui, or naa")
    elif not rule(name):
        yield fields.invalid(path, name, "must be valid format")


def _unit(path: Path, number: int) -> Errors:
    if not 0 <= number <= 255:
        yield fields.invalid(path.child("lun"), number, names.inclusive_range_error(0, 255))


def flocker(path: Path, source: Object) -> Errors:
    """A dataset of Flocker."""
    name, uuid = source.get("datasetName") or "", source.get("datasetUUID") or ""
    if not name and not uuid:
        yield fields.required(path, "one of datasetName and datasetUUID is required")
    if name and uuid:
        text = "datasetName and datasetUUID can not be specified simultaneously"
        yield fields.invalid(path, "resource", text)
    if "/" in name:
        yield fields.invalid(path.child("datasetName"), name, "must not contain '/'")


def cinder(path: Path, source: Object) -> Errors:
    """A disk of OpenStack."""
    yield from required_fields("volumeID")(path, source)
    yield from named_secret(path, source)


def quobyte(path: Path, source: Object) -> Errors:
    """A volume of Quobyte."""
    registry = source.get("registry") or ""
    if not registry:
        yield fields.required(path.child("registry"), _HOST_PORTS)
    elif len(source.get("tenant") or "") >= 65:
        text = "must be a UUID and may not exceed a length of 64 characters"
        yield fields.required(path.child("tenant"), text)
    else:
        for pair in registry.split(","):
            if not _match_host_port(pair):
                yield fields.invalid(path.child("registry"), registry, _HOST_PORTS)
    yield from required_fields("volume")(path, source)


def fibre_channel(path: Path, source: Object) -> Errors:
    """A disk by Fibre Channel."""
    targets, ids, unit = source.get("targetWWNs"), source.get("wwids"), source.get("lun")
    if not targets and not ids:
        yield fields.required(path.child("targetWWNs"), "must specify either targetWWNs or wwids, but not both")
    if targets and ids:
        text = "targetWWNs and wwids can not be specified simultaneously"
        yield fields.invalid(path.child("targetWWNs"), targets, text)
    if targets and unit is None:
        yield fields.required(path.child("lun"), "lun is required if targetWWNs is specified")
    elif targets and unit is not None:
        yield from _unit(path, unit)


def flex(path: Path, source: Object) -> Errors:
    """A volume of a driver of the old kind."""
    yield from required_fields("driver")(path, source)
    for option in source.get("options") or ():
        domain = f".{option.partition('/')[0].lower()}"
        if domain.endswith((".kubernetes.io", ".k8s.io")):
            text = "kubernetes.io and k8s.io namespaces are reserved"
            yield fields.invalid(path.child("options").key(option), option, text)


def azure_disk(path: Path, source: Object) -> Errors:
    """A disk of Azure."""
    yield from required_fields("diskName", "diskURI")(path, source)
    caching, kind, uri = source.get("cachingMode"), source.get("kind"), source.get("diskURI") or ""
    if caching is not None:
        yield from one_of(path.child("cachingMode"), caching, ("None", "ReadOnly", "ReadWrite"))
    if kind is not None:
        yield from one_of(path.child("kind"), kind, ("Dedicated", "Managed", "Shared"))
    if kind == "Managed" and not uri.startswith("/subscriptions/"):
        form = "/subscriptions/{sub-id}/resourcegroups/{group-name}/providers/microsoft.compute/disks/{disk-id}"
        yield fields.not_supported(path.child("diskURI"), uri, (form,))
    if kind is not None and kind != "Managed" and not uri.startswith("https://"):
        form = "https://{account-name}.blob.core.windows.net/{container-name}/{disk-name}.vhd"
        yield fields.not_supported(path.child("diskURI"), uri, (form,))


def storage_os(path: Path, source: Object) -> Errors:
    """A volume of StorageOS."""
    if not source.get("volumeName"):
        yield fields.required(path.child("volumeName"))
    else:
        yield from label(path.child("volumeName"), source["volumeName"])
    if source.get("volumeNamespace"):
        yield from label(path.child("volumeNamespace"), source["volumeNamespace"])
    yield from named_secret(path, source)


def driver_name(path: Path, name: str) -> Errors:
    """Want the name of a driver (ValidateCSIDriverName)."""
    if not name:
        yield fields.required(path)
    if names.byte_length(name) > _DRIVER_MAX:
        yield fields.too_long(path, _DRIVER_MAX)
    for message in names.dns1123_subdomain(name.lower()):
        yield fields.invalid(path, name, message)


def driven(path: Path, source: Object) -> Errors:
    """A volume of a driver (validateCSIVolumeSource)."""
    yield from driver_name(path.child("driver"), source.get("driver") or "")
    reference = source.get("nodePublishSecretRef")
    if reference is not None:
        yield from named_secret(path, source, "nodePublishSecretRef")
        if reference.get("name"):
            yield from obeys(path.child("name"), reference["name"], names.dns1123_subdomain)


def ephemeral(path: Path, source: Object) -> Errors:
    """A volume that a claim is made for with the pod (validateEphemeralVolumeSource)."""
    template = source.get("volumeClaimTemplate")
    if template is None:
        yield fields.required(path.child("volumeClaimTemplate"))
    else:
        yield from claim_template(path.child("volumeClaimTemplate"), template)


def image(path: Path, source: Object) -> Errors:
    """An image as a directory (validateImageVolumeSource); whether it has to be named is the volume's rule."""
    policy = source.get("pullPolicy") or ""
    if not policy:
        yield fields.required(path.child("pullPolicy"))
    else:
        yield from one_of(path.child("pullPolicy"), policy, PULL_POLICIES)


SOURCES = (
    Source("emptyDir", empty_dir),
    Source("hostPath", host_path),
    Source("gitRepo", git_repository),
    Source("gcePersistentDisk", partitioned("pdName"), path="persistentDisk"),
    Source("awsElasticBlockStore", partitioned("volumeID")),
    Source("secret", configured("secretName")),
    Source("nfs", nfs),
    Source("iscsi", iscsi),
    Source("glusterfs", required_fields("endpoints", "path")),
    Source("flocker", flocker),
    Source("persistentVolumeClaim", required_fields("claimName")),
    Source("rbd", required_fields("monitors", "image")),
    Source("cinder", cinder),
    Source("cephfs", required_fields("monitors"), second="cephFS"),
    Source("quobyte", quobyte),
    # kube-apiserver spells it so
    Source("downwardAPI", downward, second="downwarAPI"),
    Source("fc", fibre_channel),
    Source("flexVolume", flex),
    Source("configMap", configured("name")),
    Source("azureFile", required_fields("secretName", "shareName")),
    Source("vsphereVolume", required_fields("volumePath")),
    Source("photonPersistentDisk", required_fields("pdID")),
    Source("portworxVolume", required_fields("volumeID")),
    Source("azureDisk", azure_disk),
    Source("storageos", storage_os),
    Source("projected", projected),
    Source("scaleIO", required_fields("gateway", "system", "volumeName")),
    Source("csi", driven),
    Source("ephemeral", ephemeral),
    Source("image", image),
)
