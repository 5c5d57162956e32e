"""AlwaysPullImages: every start of a container pulls its image, so that nobody runs one that they may not pull.

Source of the behaviour: plugin/pkg/admission/alwayspullimages/admission.go.
"""

from __future__ import annotations

from typing import Final

from kubehop.machinery import status
from kubehop.machinery.objects import Object
from services.admission.attributes import CREATE, UPDATE, Attributes
from services.admission.plugin import Change, Scoped, aggregate, object_name
from services.admission.pods import PODS, containers, spec_of


class AlwaysPullImages(Scoped):
    """See the module."""

    name: Final = "AlwaysPullImages"
    operations = frozenset({CREATE, UPDATE})
    places = frozenset({PODS})

    async def admit(self, attributes: Attributes) -> Change | None:
        """Set the pull policy of every container and image volume."""
        if _no_new_images(attributes):
            return None
        spec = spec_of(attributes.object)
        places = [(container, "imagePullPolicy") for _, container in containers(spec)]
        places += [(volume["image"], "pullPolicy") for volume in spec.get("volumes") or () if volume.get("image")]
        others = [(place, key) for place, key in places if place.get(key) != "Always"]
        for place, key in others:
            place[key] = "Always"
        return Change("images are always pulled") if others else None

    async def validate(self, attributes: Attributes) -> None:
        """Refuse another policy, which only a plugin further down can have set."""
        if _no_new_images(attributes):
            return
        name = object_name(attributes)
        problems = [
            f'pods "{name}" is forbidden: {path}.imagePullPolicy: Unsupported value:'
            f' "{container.get("imagePullPolicy") or ""}": supported values: "Always"'
            for path, container in containers(spec_of(attributes.object))
            if container.get("imagePullPolicy") != "Always"
        ]
        if problems:
            raise status.unknown(aggregate(problems))


def _no_new_images(attributes: Attributes) -> bool:
    if attributes.operation != UPDATE:
        return False
    return _images(attributes.object) <= _images(attributes.old_object)


def _images(pod: Object) -> set[str]:
    return {container.get("image") or "" for _, container in containers(spec_of(pod))}
