"""One object in another served version: storage keeps one of them, clients may speak any.

`to_version` is called between decoding and the store, in both directions. Most kinds have one version, or several that
differ in name only; the modules named in `_CONVERTERS` turn the others. Nothing is lost on the way there and back: what
a version has no field for travels in annotations, as in kube-apiserver.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import Any, Protocol, cast

from kubehop.kinds.resource import Resource

Object = dict[str, Any]

_CONVERTERS: Mapping[tuple[str, str], str] = {
    ("autoscaling", "horizontalpodautoscalers"): "kubehop.kinds.autoscaling.conversion",
    ("", "events"): "kubehop.kinds.events.conversion",
    ("events.k8s.io", "events"): "kubehop.kinds.events.conversion",
}


class _Converter(Protocol):
    def convert(self, obj: Object, api_version: str) -> Object: ...


def to_version(obj: Object, resource: Resource, api_version: str) -> Object:
    """Return the object in another version of its resource; the object itself where it is in that version already.

    `api_version` is one that the resource is served or stored in ("autoscaling/v1"). The result may share parts with
    the object that was given.
    """
    if obj.get("apiVersion") == api_version:
        return obj
    home = _CONVERTERS.get((resource.group, resource.name))
    if home is None:
        return {**obj, "apiVersion": api_version}
    return cast("_Converter", importlib.import_module(home)).convert(obj, api_version)


def to_storage(obj: Object, resource: Resource) -> Object:
    """Return the object in the version that the store keeps."""
    return to_version(obj, resource, resource.storage_api_version)


def to_served(obj: Object, resource: Resource) -> Object:
    """Return a stored object in the version that the resource row serves."""
    return to_version(obj, resource, resource.api_version)


def needed(resource: Resource) -> bool:
    """Tell whether the served version is another than the stored one, so that stored bytes cannot be sent as is."""
    return resource.stored and resource.api_version != resource.storage_api_version
