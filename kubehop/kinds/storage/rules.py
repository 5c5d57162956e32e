"""What is wrong with the objects of the storage group. Facts: pkg/apis/storage/validation/validation.go."""

from __future__ import annotations

from typing import Any

from kubehop.kinds import validation_quantities as quantities
from kubehop.kinds.core.volume_rules import driver_name, persistent_volume
from kubehop.kinds.validation import Errors
from kubehop.kinds.validation_values import (
    label_selector,
    one_of,
    qualified,
    required_name,
    subdomain,
    unchanged,
)
from kubehop.machinery import fields, names
from kubehop.machinery.fields import Path

Object = dict[str, Any]

_SPEC = Path("spec")
_MAX_PARAMETERS, _MAX_PARAMETER_BYTES = 512, 256 * 1024
_MAX_TOKEN_SECONDS = 1 << 32


def parameters(found: Object | None, *, needed: bool = False) -> Errors:
    """Check what a class tells its driver."""
    found, at = found or {}, Path("parameters")
    if len(found) > _MAX_PARAMETERS:
        yield fields.too_long(at, _MAX_PARAMETERS)
        return
    for key in found:
        if not key:
            yield fields.invalid(at, key, "field can not be empty.")
    if sum(names.byte_length(key) + names.byte_length(value) for key, value in found.items()) > _MAX_PARAMETER_BYTES:
        yield fields.too_long(at, _MAX_PARAMETER_BYTES)
    if needed and not found:
        yield fields.required(at, "must contain at least one key/value pair")


def storage_class(obj: Object) -> Errors:
    """Check a StorageClass."""
    provisioner = obj.get("provisioner") or ""
    if provisioner:
        for message in names.qualified_name(provisioner.lower()):
            yield fields.invalid(Path("provisioner"), provisioner, message)
    else:
        yield fields.required(Path("provisioner"))
    yield from parameters(obj.get("parameters"))
    if obj.get("reclaimPolicy"):
        yield from one_of(Path("reclaimPolicy"), obj["reclaimPolicy"], ("Delete", "Retain"))
    mode = obj.get("volumeBindingMode")
    if mode is None:
        yield fields.required(Path("volumeBindingMode"))
    else:
        yield from one_of(Path("volumeBindingMode"), mode, ("Immediate", "WaitForFirstConsumer"))
    yield from _topologies(Path("allowedTopologies"), obj.get("allowedTopologies") or ())


def _topologies(at: Path, terms: Any) -> Errors:
    seen: list[dict[str, frozenset[str]]] = []
    for index, term in enumerate(terms):
        here, keys = at.index(index), {}
        for place, requirement in enumerate(term.get("matchLabelExpressions") or ()):
            one, key = here.child("matchLabelExpressions").index(place), requirement.get("key") or ""
            values = requirement.get("values") or ()
            if not values:
                yield fields.required(one.child("values"))
            for number, value in enumerate(values):
                if value in values[:number]:
                    yield fields.duplicate(one.child("values").index(number), value)
            yield from qualified(one.child("key"), key)
            if key in keys:
                yield fields.duplicate(one.child("key"), key)
            keys[key] = frozenset(values)
        if keys in seen:
            yield fields.FieldError(fields.ErrorType.DUPLICATE, here.child("matchLabelExpressions"), "", "")
        seen.append(keys)


def csi_driver(obj: Object) -> Errors:
    """Check a CSIDriver."""
    spec = obj.get("spec") or {}
    yield from driver_name(Path("metadata", "name"), (obj.get("metadata") or {}).get("name") or "")
    for field in ("attachRequired", "podInfoOnMount", "storageCapacity"):
        if spec.get(field) is None:
            yield fields.required(_SPEC.child(field))
    if spec.get("fsGroupPolicy") is not None:
        policies = ("File", "None", "ReadWriteOnceWithFSType")
        yield from one_of(_SPEC.child("fsGroupPolicy"), spec["fsGroupPolicy"], policies)
    yield from _token_requests(spec.get("tokenRequests") or ())
    for mode in spec.get("volumeLifecycleModes") or ():
        yield from one_of(_SPEC.child("volumeLifecycleModes"), mode, ("Persistent", "Ephemeral"))
    if spec.get("seLinuxMount") is None:
        yield fields.required(_SPEC.child("seLinuxMount"))


def _token_requests(requests: Any) -> Errors:
    seen: set[str] = set()
    for index, request in enumerate(requests):
        at, audience = _SPEC.child("tokenRequests").index(index), request.get("audience") or ""
        if audience in seen:
            yield fields.duplicate(at.child("audience"), audience)
            continue
        seen.add(audience)
        seconds = request.get("expirationSeconds")
        if seconds is not None:
            if seconds < 600:
                text = "may not specify a duration less than 10 minutes"
                yield fields.invalid(at.child("expirationSeconds"), seconds, text)
            if seconds > _MAX_TOKEN_SECONDS:
                text = "may not specify a duration larger than 2^32 seconds"
                yield fields.invalid(at.child("expirationSeconds"), seconds, text)


def same_driver(new: Object, old: Object) -> Errors:
    """Keep whether a driver attaches, and how its volumes live."""
    after, before = new.get("spec") or {}, old.get("spec") or {}
    for field in ("attachRequired", "volumeLifecycleModes"):
        yield from unchanged(_SPEC.child(field), after.get(field), before.get(field))


def volume_attachment(obj: Object) -> Errors:
    """Check a VolumeAttachment."""
    spec, status = obj.get("spec") or {}, obj.get("status") or {}
    yield from driver_name(_SPEC.child("attacher"), spec.get("attacher") or "")
    source, at = spec.get("source") or {}, _SPEC.child("source")
    inline, name = source.get("inlineVolumeSpec"), source.get("persistentVolumeName")
    both = "must specify exactly one of inlineVolumeSpec and persistentVolumeName"
    if inline is None and name is None:
        yield fields.required(at, both)
    elif inline is not None and name is not None:
        yield fields.forbidden(at, both)
    elif name is not None:
        yield from required_name(at.child("persistentVolumeName"), name, names.dns1123_subdomain)
    else:
        yield from persistent_volume({"spec": inline}, inline=True, at=at.child("inlineVolumeSpec"))
    yield from subdomain(_SPEC.child("nodeName"), spec.get("nodeName") or "")
    yield from _attachment_status(status)


def _attachment_status(status: Object) -> Errors:
    at = Path("status")
    yield from _small_map(at.child("attachmentMetadata"), status.get("attachmentMetadata") or {})
    for field in ("attachError", "detachError"):
        message = (status.get(field) or {}).get("message") or ""
        if names.byte_length(message) > _MAX_PARAMETER_BYTES:
            yield fields.too_long(at.child(field, "message"), _MAX_PARAMETER_BYTES)


def _small_map(at: Path, found: Object) -> Errors:
    if sum(names.byte_length(key) + names.byte_length(value) for key, value in found.items()) > _MAX_PARAMETER_BYTES:
        yield fields.too_long(at, _MAX_PARAMETER_BYTES)


def same_attachment(new: Object, old: Object) -> Errors:
    """Keep what is attached where."""
    if new.get("spec") != old.get("spec"):
        yield fields.invalid(_SPEC, new.get("spec"), "field is immutable")


def csi_node(obj: Object, old: Object | None = None) -> Errors:
    """Check the drivers of a node; ids that were too long before may stay so."""
    at = _SPEC.child("drivers")
    seen: set[str] = set()
    long = {driver.get("nodeID") for driver in ((old or {}).get("spec") or {}).get("drivers") or ()}
    for index, driver in enumerate((obj.get("spec") or {}).get("drivers") or ()):
        here, name, node = at.index(index), driver.get("name") or "", driver.get("nodeID") or ""
        yield from driver_name(here.child("name"), name)
        if not node:
            yield fields.required(here.child("nodeID"))
        elif names.byte_length(node) > 256 and node not in long:
            yield fields.invalid(here.child("nodeID"), node, "must be 256 characters or less")
        count = (driver.get("allocatable") or {}).get("count")
        if count is not None and count < 0:
            yield fields.invalid(here.child("allocatable", "count"), count, "must be greater than or equal to 0")
        keys: set[str] = set()
        for place, key in enumerate(driver.get("topologyKeys") or ()):
            one = here.child("topologyKeys")
            if not key:
                yield fields.required(one)
            if key in keys:
                yield fields.duplicate(one.index(place), key)
            keys.add(key)
            yield from qualified(one, key)
        if name in seen:
            yield fields.duplicate(here.child("name"), name)
        seen.add(name)


def same_drivers(new: Object, old: Object) -> Errors:
    """Keep every driver of a node as it is, but for how much it can allocate; drivers may come and go."""
    known = {driver.get("name"): driver for driver in (old.get("spec") or {}).get("drivers") or ()}
    for index, driver in enumerate((new.get("spec") or {}).get("drivers") or ()):
        before = known.get(driver.get("name"))
        if before is None:
            continue
        kept = [{key: value for key, value in one.items() if key != "allocatable"} for one in (driver, before)]
        if kept[0] != kept[1]:
            yield fields.invalid(_SPEC.child("drivers").index(index), driver, "field is immutable")


def capacity(obj: Object) -> Errors:
    """Check a CSIStorageCapacity."""
    yield from required_name(Path("storageClassName"), obj.get("storageClassName"), names.dns1123_subdomain)
    yield from label_selector(Path("nodeTopology"), obj.get("nodeTopology"))
    for field in ("capacity", "maximumVolumeSize"):
        if obj.get(field) is not None:
            yield from quantities.not_negative_quantity(Path(field), obj[field])


def same_capacity(new: Object, old: Object) -> Errors:
    """Keep what the capacity is about."""
    for field in ("nodeTopology", "storageClassName"):
        yield from unchanged(Path(field), new.get(field), old.get(field))


def attributes_class(obj: Object) -> Errors:
    """Check a VolumeAttributesClass."""
    yield from driver_name(Path("driverName"), obj.get("driverName") or "")
    yield from parameters(obj.get("parameters"), needed=True)


def same_attributes(new: Object, old: Object) -> Errors:
    """Keep the driver and the parameters."""
    yield from unchanged(Path("driverName"), new.get("driverName"), old.get("driverName"))
    yield from unchanged(Path("parameters"), new.get("parameters"), old.get("parameters"))
