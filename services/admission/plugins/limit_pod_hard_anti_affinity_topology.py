"""LimitPodHardAntiAffinityTopology: pods may keep others off their host, not off a whole zone.

Source of the behaviour: plugin/pkg/admission/antiaffinity/admission.go.
"""

from __future__ import annotations

from typing import Final

from kubehop.machinery.objects import nested
from services.admission.attributes import CREATE, UPDATE, Attributes
from services.admission.plugin import Scoped, forbidden
from services.admission.pods import PODS

HOSTNAME: Final = "kubernetes.io/hostname"


class LimitPodHardAntiAffinityTopology(Scoped):
    """See the module."""

    name: Final = "LimitPodHardAntiAffinityTopology"
    operations = frozenset({CREATE, UPDATE})
    places = frozenset({PODS})

    async def validate(self, attributes: Attributes) -> None:
        """Refuse a required anti-affinity over anything but hosts."""
        required = nested(
            attributes.object, "spec", "affinity", "podAntiAffinity", "requiredDuringSchedulingIgnoredDuringExecution"
        )
        for term in required or ():
            key = term.get("topologyKey") or ""
            if key != HOSTNAME:
                raise forbidden(
                    attributes,
                    f"affinity.PodAntiAffinity.RequiredDuringScheduling has TopologyKey {key}"
                    f" but only key {HOSTNAME} is allowed",
                )
