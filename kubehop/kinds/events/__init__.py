"""The events.k8s.io group: the newer form of core events, which share their storage."""

from __future__ import annotations

from kubehop.kinds.resource import Resource, selectable, served

# Which label stands for which of the core event: pkg/apis/events/v1 (AddFieldLabelConversionsForEvent).
_FIELDS = (
    selectable("regarding.kind", stored_as="involvedObject.kind"),
    selectable("regarding.namespace", stored_as="involvedObject.namespace"),
    selectable("regarding.name", stored_as="involvedObject.name"),
    selectable("regarding.uid", stored_as="involvedObject.uid"),
    selectable("regarding.apiVersion", stored_as="involvedObject.apiVersion"),
    selectable("regarding.resourceVersion", stored_as="involvedObject.resourceVersion"),
    selectable("regarding.fieldPath", stored_as="involvedObject.fieldPath"),
    selectable("reportingController", stored_as="reportingComponent"),
    selectable("reason", stored_as="reason"),
    selectable("type", stored_as="type"),
)

RESOURCES: tuple[Resource, ...] = (
    served(
        "events.k8s.io",
        "v1",
        "events",
        "Event",
        namespaced=True,
        home="events",
        short_names=("ev",),
        storage=("", "v1"),
        fields=_FIELDS,
    ),
)
