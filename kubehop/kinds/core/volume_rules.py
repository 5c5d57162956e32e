"""What is wrong with persistent volumes and claims. Facts: pkg/apis/core/validation/validation.go."""

from __future__ import annotations

import copy
import posixpath
from typing import Any

from kubehop.kinds import validation_quantities as quantities
from kubehop.kinds.validation import Errors
from kubehop.kinds.validation_values import (
    label,
    label_selector,
    obeys,
    one_of,
    qualified,
    required_name,
    subdomain,
    unchanged,
)
from kubehop.machinery import fields, metadata, names
from kubehop.machinery.fields import Path

Object = dict[str, Any]

_SPEC = Path("spec")
_MODES = ("ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod")
_VOLUME_MODES = ("Block", "Filesystem")
_RECLAIM = ("Delete", "Recycle", "Retain")
_BETA_CLASS = "volume.beta.kubernetes.io/storage-class"
_RESIZES = (
    "ControllerResizeInProgress", "ControllerResizeInfeasible", "NodeResizePending", "NodeResizeInProgress",
    "NodeResizeInfeasible",
)  # fmt: skip
# in the order in which kube-apiserver looks for them: the first one counts, the others are one too many
SOURCES = (
    "hostPath", "gcePersistentDisk", "awsElasticBlockStore", "glusterfs", "flocker", "nfs", "rbd", "quobyte", "cephfs",
    "iscsi", "cinder", "fc", "flexVolume", "azureFile", "vsphereVolume", "photonPersistentDisk", "portworxVolume",
    "azureDisk", "scaleIO", "local", "storageos", "csi",
)  # fmt: skip
# what a source cannot be without, in order; its paths are absolute
_REQUIRED = {
    "gcePersistentDisk": ("pdName",), "awsElasticBlockStore": ("volumeID",), "glusterfs": ("endpoints", "path"),
    "rbd": ("monitors", "image"), "cephfs": ("monitors",), "cinder": ("volumeID",), "flexVolume": ("driver",),
    "azureFile": ("secretName", "shareName"), "vsphereVolume": ("volumePath",), "photonPersistentDisk": ("pdID",),
    "portworxVolume": ("volumeID",), "azureDisk": ("diskName", "diskURI"),
    "scaleIO": ("gateway", "system", "volumeName"), "quobyte": ("registry", "volume"), "iscsi": ("targetPortal", "iqn"),
}  # fmt: skip


def persistent_volume(obj: Object, *, inline: bool = False, at: Path = _SPEC) -> Errors:
    """Check a volume (ValidatePersistentVolumeSpec); `inline` is the spec inside a VolumeAttachment."""
    spec = obj.get("spec") or {}
    if inline:
        yield from _inline(spec, at)
    modes = spec.get("accessModes") or ()
    if not modes:
        yield fields.required(at.child("accessModes"))
    yield from access_modes(at.child("accessModes"), modes)
    policy, capacity = spec.get("persistentVolumeReclaimPolicy") or "", spec.get("capacity")
    if not inline:
        yield from _capacity(at.child("capacity"), capacity)
        if policy:
            yield from one_of(at.child("persistentVolumeReclaimPolicy"), policy, _RECLAIM)
    yield from _node_affinity(at.child("nodeAffinity"), spec.get("nodeAffinity"))
    yield from _sources(spec, at)
    if posixpath.normpath((spec.get("hostPath") or {}).get("path") or ".") == "/" and policy == "Recycle":
        text = "may not be 'recycle' for a hostPath mount of '/'"
        yield fields.forbidden(at.child("persistentVolumeReclaimPolicy"), text)
    if not inline:
        if spec.get("storageClassName"):
            yield from subdomain(at.child("storageClassName"), spec["storageClassName"])
        if spec.get("volumeMode") is not None:
            yield from one_of(at.child("volumeMode"), spec["volumeMode"], _VOLUME_MODES)
    attributes = spec.get("volumeAttributesClassName")
    if attributes is not None:
        here = at.child("volumeAttributesClassName")
        yield from required_name(here, attributes, names.dns1123_subdomain, "an empty string is disallowed")
        if spec.get("csi") is None:
            yield fields.required(at.child("csi"), "has to be specified when using volumeAttributesClassName")


def _inline(spec: Object, at: Path) -> Errors:
    text = "may not be specified in the context of inline volumes"
    for field in ("claimRef", "capacity", "storageClassName"):
        if spec.get(field):
            yield fields.forbidden(at.child(field), text)
    if spec.get("csi") is None:
        yield fields.required(at.child("csi"), "has to be specified in the context of inline volumes")
    if spec.get("persistentVolumeReclaimPolicy") not in (None, "", "Retain"):
        text = "may only be Retain in the context of inline volumes"
        yield fields.forbidden(at.child("persistentVolumeReclaimPolicy"), text)
    if spec.get("volumeMode") not in (None, "Filesystem"):
        text = "may not specify volumeMode other than Filesystem in the context of inline volumes"
        yield fields.forbidden(at.child("volumeMode"), text)


def access_modes(at: Path, modes: tuple[str, ...] | list[str]) -> Errors:
    """Check access modes: known ones, and the one for a single pod alone."""
    for mode in modes:
        yield from one_of(at, mode, _MODES)
    if "ReadWriteOncePod" in modes and any(mode in _MODES[:3] for mode in modes):
        yield fields.forbidden(at, "may not use ReadWriteOncePod with other access modes")


def _capacity(at: Path, capacity: Object | None) -> Errors:
    if not capacity:
        yield fields.required(at)
    if not capacity or set(capacity) != {"storage"}:
        shown = dict(sorted(capacity.items())) if capacity is not None else None
        yield fields.not_supported(at, shown, ("storage",))
    for resource, value in sorted((capacity or {}).items()):
        yield from quantities.basic(at.key(resource), value)
        yield from quantities.positive(at.key(resource), value)


def _node_affinity(at: Path, affinity: Object | None) -> Errors:
    if affinity is None:
        return
    required = affinity.get("required")
    if required is None:
        yield fields.required(at.child("required"), "must specify required node constraints")
    else:
        yield from node_selector(at.child("required"), required)


def node_selector(at: Path, selector: Object) -> Errors:
    """Check which nodes are chosen (ValidateNodeSelector)."""
    terms = selector.get("nodeSelectorTerms") or ()
    if not terms:
        yield fields.required(at.child("nodeSelectorTerms"), "must have at least one node selector term")
    for index, term in enumerate(terms):
        here = at.child("nodeSelectorTerms").index(index)
        for place, requirement in enumerate(term.get("matchExpressions") or ()):
            yield from _node_requirement(here.child("matchExpressions").index(place), requirement)
        for place, requirement in enumerate(term.get("matchFields") or ()):
            yield from _node_field(here.child("matchFields").index(place), requirement)


def _node_requirement(at: Path, requirement: Object) -> Errors:
    operator, values = requirement.get("operator") or "", requirement.get("values") or ()
    match operator:
        case "In" | "NotIn":
            if not values:
                yield fields.required(at.child("values"), "must be specified when `operator` is 'In' or 'NotIn'")
        case "Exists" | "DoesNotExist":
            if values:
                text = "may not be specified when `operator` is 'Exists' or 'DoesNotExist'"
                yield fields.forbidden(at.child("values"), text)
        case "Gt" | "Lt":
            if len(values) != 1:
                text = "must be specified single value when `operator` is 'Lt' or 'Gt'"
                yield fields.required(at.child("values"), text)
        case _:
            yield fields.invalid(at.child("operator"), operator, "not a valid selector operator")
    yield from qualified(at.child("key"), requirement.get("key") or "")


def _node_field(at: Path, requirement: Object) -> Errors:
    operator, values, key = requirement.get("operator"), requirement.get("values") or (), requirement.get("key") or ""
    if operator not in ("In", "NotIn"):
        yield fields.invalid(at.child("operator"), operator or "", "not a valid selector operator")
    elif len(values) != 1:
        text = "must be only one value when `operator` is 'In' or 'NotIn' for node field selector"
        yield fields.required(at.child("values"), text)
    if key != "metadata.name":
        yield fields.invalid(at.child("key"), key, "not a valid field selector key")
    else:
        for index, value in enumerate(values):
            yield from obeys(at.child("values").index(index), value, names.dns1123_subdomain)


def _sources(spec: Object, at: Path) -> Errors:
    found = [source for source in SOURCES if spec.get(source) is not None]
    for index, source in enumerate(found):
        if index and source != "flexVolume":
            named = {"cephfs": "cephFS"}.get(source, source)
            yield fields.forbidden(at.child(named), "may not specify more than 1 volume type")
        else:
            yield from _source(at.child(source), source, spec)
    if not found:
        yield fields.required(at, "must specify a volume type")


def _source(at: Path, kind: str, spec: Object) -> Errors:
    source = spec[kind]
    match kind:
        case "hostPath":
            yield from _host_path(at, source)
        case "nfs":
            if not source.get("server"):
                yield fields.required(at.child("server"))
            if not source.get("path"):
                yield fields.required(at.child("path"))
            elif not source["path"].startswith("/"):
                yield fields.invalid(at.child("path"), source["path"], "must be an absolute path")
        case "local":
            if not source.get("path"):
                yield fields.required(at.child("path"))
            else:
                yield from _no_backstep(at.child("path"), source["path"])
            if spec.get("nodeAffinity") is None:
                yield fields.required(_parent(at, "nodeAffinity"), "Local volume requires node affinity")
        case "csi":
            yield from _csi(at, source)
        case _:
            for field in _REQUIRED.get(kind, ()):
                if not source.get(field):
                    yield fields.required(at.child(field))


def _parent(at: Path, name: str) -> str:
    return f"{str(at).rpartition('.')[0]}.{name}"


_HOST_PATH_TYPES = (
    "", "BlockDevice", "CharDevice", "Directory", "DirectoryOrCreate", "File", "FileOrCreate", "Socket",
)  # fmt: skip


def _host_path(at: Path, source: Object) -> Errors:
    path = source.get("path") or ""
    if not path:
        yield fields.required(at.child("path"))
        return
    yield from _no_backstep(at.child("path"), path)
    if source.get("type") is not None:
        yield from one_of(at.child("type"), source["type"], _HOST_PATH_TYPES)


def _no_backstep(at: Path, path: str) -> Errors:
    if ".." in path.split("/"):
        yield fields.invalid(at, path, "must not contain '..'")


def _csi(at: Path, source: Object) -> Errors:
    yield from driver_name(at.child("driver"), source.get("driver") or "")
    if not source.get("volumeHandle"):
        yield fields.required(at.child("volumeHandle"))
    secrets = ("controllerPublishSecretRef", "controllerExpandSecretRef", "nodePublishSecretRef", "nodeExpandSecretRef")
    for field in secrets:
        reference = source.get(field)
        if reference is not None:
            for key in ("name", "namespace"):
                if not reference.get(key):
                    yield fields.required(at.child(field, key))


def driver_name(at: Path, name: str) -> Errors:
    """Check the name of a CSI driver (ValidateCSIDriverName)."""
    if not name:
        yield fields.required(at)
        return
    if names.byte_length(name) > 63:
        yield fields.too_long(at, 63)
    yield from obeys(at, name.lower(), names.dns1123_subdomain)


def volume_changes(new: Object, old: Object) -> Errors:
    """Check a volume once more, and keep its source, mode and place (ValidatePersistentVolumeUpdate)."""
    after, before = new.get("spec") or {}, old.get("spec") or {}
    csi = after.get("csi")
    if csi and before.get("csi") and before["csi"].get("controllerExpandSecretRef") is None:
        csi = {key: value for key, value in csi.items() if key != "controllerExpandSecretRef"}
    if any((csi if source == "csi" else after.get(source)) != before.get(source) for source in SOURCES):
        text = "spec.persistentvolumesource is immutable after creation"
        yield fields.forbidden(_SPEC.child("persistentvolumesource"), text)
    yield from unchanged(Path("volumeMode"), after.get("volumeMode"), before.get("volumeMode"))
    if before.get("volumeAttributesClassName") is not None and after.get("volumeAttributesClassName") is None:
        text = "update from non-nil value to nil is forbidden"
        yield fields.forbidden(_SPEC.child("volumeAttributesClassName"), text)


def claim(obj: Object, old: Object | None = None, at: Path = _SPEC) -> Errors:
    """Check a claim, or the template of one (ValidatePersistentVolumeClaimSpec)."""
    spec, before = obj.get("spec") or {}, (old or {}).get("spec") or {}
    modes = spec.get("accessModes") or ()
    if not modes:
        yield fields.required(at.child("accessModes"), "at least 1 access mode is required")
    lenient = any(label_selector(at, before.get("selector")))
    yield from label_selector(at.child("selector"), spec.get("selector"), any_value=lenient)
    yield from access_modes(at.child("accessModes"), modes)
    size = ((spec.get("resources") or {}).get("requests") or {}).get("storage")
    if size is None:
        yield fields.required(at.child("resources").key("storage"))
    else:
        yield from quantities.positive(at.child("resources").key("storage"), size)
    if spec.get("storageClassName"):
        yield from subdomain(at.child("storageClassName"), spec["storageClassName"])
    if spec.get("volumeMode") is not None:
        yield from one_of(at.child("volumeMode"), spec["volumeMode"], _VOLUME_MODES)
    yield from _data_sources(spec, at)
    if spec.get("volumeAttributesClassName"):
        yield from subdomain(at.child("volumeAttributesClassName"), spec["volumeAttributesClassName"])


def _data_sources(spec: Object, at: Path) -> Errors:
    source, reference = spec.get("dataSource"), spec.get("dataSourceRef")
    for field, found in (("dataSource", source), ("dataSourceRef", reference)):
        if found is not None:
            yield from _data_source(at.child(field), found)
    if source is None or reference is None:
        return
    # kube-apiserver prints the path where a value should be: a struct without visible fields
    if reference.get("namespace"):
        yield fields.invalid(at, {}, "may not be specified when dataSourceRef.namespace is specified")
    elif any(source.get(key) != reference.get(key) for key in ("apiGroup", "kind", "name")):
        yield fields.invalid(at, {}, "must match dataSourceRef")


def _data_source(at: Path, source: Object) -> Errors:
    kind, group = source.get("kind") or "", source.get("apiGroup") or ""
    if not source.get("name"):
        yield fields.required(at.child("name"))
    if not kind:
        yield fields.required(at.child("kind"))
    if not group and kind != "PersistentVolumeClaim":
        yield fields.invalid(at, kind, "must be 'PersistentVolumeClaim' when referencing the default apiGroup")
    if group:
        yield from subdomain(at.child("apiGroup"), group)
    if source.get("namespace"):
        yield from label(at.child("namespace"), source["namespace"])


def claim_changes(new: Object, old: Object) -> Errors:
    """Keep a claim, but for its size and class of attributes once it is bound (ValidatePersistentVolumeClaimUpdate)."""
    yield from metadata.validate(new, namespaced=True)
    yield from claim(new, old)
    after, before = copy.deepcopy(new.get("spec") or {}), copy.deepcopy(old.get("spec") or {})
    sizes = [((spec.get("resources") or {}).get("requests") or {}).get("storage") or "0" for spec in (after, before)]
    if not before.get("volumeName") and after.get("volumeName"):
        before["volumeName"] = after["volumeName"]
    yield from _class_changes(new, old, after, before)
    if ((new.get("status") or {}).get("phase")) == "Bound":
        requests = (after.get("resources") or {}).get("requests")
        if requests and "storage" in requests:
            requests["storage"] = sizes[1]
        if after.get("volumeAttributesClassName") is not None:
            after.pop("volumeAttributesClassName")
            before.pop("volumeAttributesClassName", None)
    if after != before:
        text = (
            "spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims"
        )
        yield fields.forbidden(_SPEC, text)
    wanted, had = (quantities.amount(size) for size in sizes)
    given = quantities.amount(((old.get("status") or {}).get("capacity") or {}).get("storage") or "0")
    if wanted < had and wanted <= given:
        text = "field can not be less than status.capacity"
        yield fields.forbidden(_SPEC.child("resources", "requests", "storage"), text)
    modes = [(obj.get("spec") or {}).get("volumeMode") for obj in (new, old)]
    yield from unchanged(Path("volumeMode"), *modes)
    attributes = [(obj.get("spec") or {}).get("volumeAttributesClassName") for obj in (new, old)]
    if attributes[1] is not None and not attributes[0]:
        what = "nil" if attributes[0] is None else "an empty string"
        yield fields.forbidden(
            _SPEC.child("volumeAttributesClassName"), f"update from non-nil value to {what} is forbidden"
        )


def _class_changes(new: Object, old: Object, after: Object, before: Object) -> Errors:
    """Let the class move from the old annotation into the spec, or be named late. Changes the copies."""
    now, then = ((obj.get("metadata") or {}).get("annotations") or {} for obj in (new, old))
    found, had = after.get("storageClassName"), before.get("storageClassName")
    if _BETA_CLASS in then and had is None and found == then[_BETA_CLASS] == now.get(_BETA_CLASS, then[_BETA_CLASS]):
        after.pop("storageClassName")
        return
    if now.get(_BETA_CLASS) != then.get(_BETA_CLASS):
        at = Path("metadata", "annotations").key(_BETA_CLASS)
        yield fields.invalid(at, now.get(_BETA_CLASS) or "", "field is immutable")
    if found is not None and had is None and then.get(_BETA_CLASS, found) == found:
        after.pop("storageClassName")


def claim_status(new: Object) -> Errors:
    """Check what a claim got (ValidatePersistentVolumeClaimStatusUpdate)."""
    status, at = new.get("status") or {}, Path("status")
    if not (new.get("spec") or {}).get("accessModes"):
        yield fields.required(Path("Spec", "accessModes"))
    for resource, value in sorted((status.get("capacity") or {}).items()):
        yield from quantities.basic(at.child("capacity").key(resource), value)
    for resource, state in sorted((status.get("allocatedResourceStatuses") or {}).items()):
        here = at.child("allocatedResourceStatus")
        yield from _claimed(here, resource)
        if state not in _RESIZES:
            yield fields.not_supported(here, resource, tuple(sorted(_RESIZES)))
    for resource, value in sorted((status.get("allocatedResources") or {}).items()):
        here = at.child("allocatedResources")
        wrong = list(_claimed(here, resource))
        yield from wrong or quantities.basic(here.key(resource), value)


def _claimed(at: Path, resource: str) -> Errors:
    wrong = list(qualified(at, resource))
    yield from wrong
    if not wrong and quantities.is_native(resource) and resource != "storage":
        yield fields.not_supported(at, resource, ("storage",))
