"""PodTopologyLabels: pods carry the region and zone of their node.

Source of the behaviour: plugin/pkg/admission/podtopologylabels/admission.go.
"""

from __future__ import annotations

from typing import Final

from kubehop.machinery import objects
from kubehop.machinery.objects import Object, ensure_metadata, nested
from services.admission.attributes import CREATE, Attributes
from services.admission.cluster import Cluster
from services.admission.plugin import Change, Scoped
from services.admission.pods import PODS

TOPOLOGY_LABELS: Final = ("topology.kubernetes.io/region", "topology.kubernetes.io/zone")


class PodTopologyLabels(Scoped):
    """See the module."""

    name: Final = "PodTopologyLabels"
    operations = frozenset({CREATE})
    places = frozenset({PODS, ("", "pods", "binding")})

    def __init__(self, cluster: Cluster) -> None:
        self._nodes = cluster.replica("", "nodes")

    async def admit(self, attributes: Attributes) -> Change | None:
        """Copy the labels from the node onto the binding, or onto a pod that names its node itself."""
        obj = attributes.object
        node = self._node_of(obj, binding=attributes.subresource == "binding")
        if node is None:
            return None
        labels = objects.labels(node)
        present = objects.labels(obj)
        added = {key: labels[key] for key in TOPOLOGY_LABELS if key in labels and key not in present}
        if not added:
            return None
        ensure_metadata(obj)["labels"] = {**present, **added}
        return Change("topology of the node")

    def _node_of(self, obj: Object, *, binding: bool) -> Object | None:
        if not binding:
            name = nested(obj, "spec", "nodeName")
        elif nested(obj, "target", "kind") == "Node":
            name = nested(obj, "target", "name")
        else:
            return None
        return self._nodes.items.get(("", name)) if name else None
