"""The storage.k8s.io group: storage classes, CSI drivers and attachments."""

from __future__ import annotations

from functools import partial

from kubehop.kinds.resource import Resource, served, status

_served = partial(served, "storage.k8s.io", "v1", home="storage")

RESOURCES: tuple[Resource, ...] = (
    _served("csidrivers", "CSIDriver", namespaced=False),
    _served("csinodes", "CSINode", namespaced=False),
    _served("csistoragecapacities", "CSIStorageCapacity", namespaced=True),
    _served("storageclasses", "StorageClass", namespaced=False, short_names=("sc",)),
    _served("volumeattachments", "VolumeAttachment", namespaced=False, subresources=(status("VolumeAttachment"),)),
    _served("volumeattributesclasses", "VolumeAttributesClass", namespaced=False, short_names=("vac",)),
)
