"""The resource.k8s.io group: dynamic resource allocation (claims on devices that drivers publish)."""

from __future__ import annotations

from functools import partial

from kubehop.kinds.resource import Resource, selectable, served, status

_served = partial(served, "resource.k8s.io", "v1", home="devices")

RESOURCES: tuple[Resource, ...] = (
    _served("deviceclasses", "DeviceClass", namespaced=False),
    _served("resourceclaims", "ResourceClaim", namespaced=True, subresources=(status("ResourceClaim"),)),
    _served("resourceclaimtemplates", "ResourceClaimTemplate", namespaced=True),
    _served(
        "resourceslices",
        "ResourceSlice",
        namespaced=False,
        fields=(selectable("spec.nodeName"), selectable("spec.driver")),
        field_label_error="field label not supported for resource.k8s.io/v1, Kind=ResourceSlice: %s",
    ),
)
