"""DefaultIngressClass: an Ingress without a class gets the default one.

Source of the behaviour: plugin/pkg/admission/network/defaultingressclass/admission.go.
"""

from __future__ import annotations

from typing import Final

from kubehop.machinery import objects
from kubehop.machinery.objects import Object, metadata
from services.admission.attributes import CREATE, Attributes
from services.admission.cluster import Cluster
from services.admission.lookup import newest
from services.admission.plugin import Change, Scoped

GROUP: Final = "networking.k8s.io"
CLASS_ANNOTATION: Final = "kubernetes.io/ingress.class"
IS_DEFAULT: Final = "ingressclass.kubernetes.io/is-default-class"


class DefaultIngressClass(Scoped):
    """See the module."""

    name: Final = "DefaultIngressClass"
    operations = frozenset({CREATE})
    places = frozenset({(GROUP, "ingresses", "")})

    def __init__(self, cluster: Cluster) -> None:
        self._classes = cluster.replica(GROUP, "ingressclasses")

    async def admit(self, attributes: Attributes) -> Change | None:
        """Name the default class, where there is one and the Ingress names none, in the field or by annotation."""
        ingress = attributes.object
        spec = ingress.get("spec") or {}
        if spec.get("ingressClassName") is not None or CLASS_ANNOTATION in objects.annotations(ingress):
            return None
        default = newest(self._classes.items.values(), _is_default)
        if default is None:
            return None
        name = metadata(default)["name"]
        ingress["spec"] = {**spec, "ingressClassName": name}
        return Change(f"ingress class {name}")


def _is_default(ingress_class: Object) -> bool:
    return objects.annotations(ingress_class).get(IS_DEFAULT) == "true"
