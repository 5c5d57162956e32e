"""The core group ("")."""

from __future__ import annotations

from functools import partial

from kubehop.kinds.resource import (
    CONNECT_VERBS,
    CREATE_ONLY,
    PROXY_VERBS,
    SCALE,
    UNSUPPORTED_LABEL,
    Resource,
    Subresource,
    selectable,
    served,
    status,
)

_served = partial(served, "", "v1", home="core")

# Selectable fields: pkg/apis/core/v1/conversion.go (which labels), pkg/registry/core/*/strategy.go (their values).
_EVENT_FIELDS = (
    selectable("involvedObject.kind"),
    selectable("involvedObject.namespace"),
    selectable("involvedObject.name"),
    selectable("involvedObject.uid"),
    selectable("involvedObject.apiVersion"),
    selectable("involvedObject.resourceVersion"),
    selectable("involvedObject.fieldPath"),
    selectable("reason"),
    selectable("reportingComponent"),
    selectable("source", "source.component", "reportingComponent"),
    selectable("type"),
)
_POD_FIELDS = (
    selectable("spec.nodeName"),
    selectable("spec.restartPolicy"),
    selectable("spec.schedulerName"),
    selectable("spec.serviceAccountName"),
    selectable("spec.hostNetwork", default="false"),
    selectable("status.phase"),
    selectable("status.podIP", "status.podIPs.0.ip", "status.podIP"),
    selectable("status.nominatedNodeName"),
    selectable("spec.host", stored_as="spec.nodeName"),
    # kube-apiserver lets this label pass and then finds no value for it
    selectable("status.podIPs", stored_as="status.podIPs"),
)

RESOURCES: tuple[Resource, ...] = (
    _served("bindings", "Binding", namespaced=True, verbs=CREATE_ONLY, stored=False),
    _served(
        "componentstatuses",
        "ComponentStatus",
        singular="componentstatus",
        namespaced=False,
        verbs=("get", "list"),
        short_names=("cs",),
        stored=False,
    ),
    _served("configmaps", "ConfigMap", namespaced=True, short_names=("cm",)),
    _served("endpoints", "Endpoints", namespaced=True, short_names=("ep",), storage_prefix="services/endpoints"),
    _served("events", "Event", namespaced=True, short_names=("ev",), fields=_EVENT_FIELDS),
    _served("limitranges", "LimitRange", namespaced=True, short_names=("limits",)),
    _served(
        "namespaces",
        "Namespace",
        namespaced=False,
        verbs=("create", "delete", "get", "list", "patch", "update", "watch"),
        short_names=("ns",),
        subresources=(Subresource("finalize", "Namespace", ("update",)), status("Namespace")),
        fields=(selectable("status.phase"),),
    ),
    _served(
        "nodes",
        "Node",
        namespaced=False,
        short_names=("no",),
        subresources=(Subresource("proxy", "NodeProxyOptions", PROXY_VERBS), status("Node")),
        storage_prefix="minions",
        fields=(selectable("spec.unschedulable", default="false"),),
    ),
    _served(
        "persistentvolumeclaims",
        "PersistentVolumeClaim",
        namespaced=True,
        short_names=("pvc",),
        subresources=(status("PersistentVolumeClaim"),),
    ),
    _served(
        "persistentvolumes",
        "PersistentVolume",
        namespaced=False,
        short_names=("pv",),
        subresources=(status("PersistentVolume"),),
    ),
    _served(
        "pods",
        "Pod",
        namespaced=True,
        short_names=("po",),
        categories=("all",),
        subresources=(
            Subresource("attach", "PodAttachOptions", CONNECT_VERBS),
            Subresource("binding", "Binding", CREATE_ONLY),
            Subresource("ephemeralcontainers", "Pod"),
            Subresource("eviction", "Eviction", CREATE_ONLY, group="policy", version="v1"),
            Subresource("exec", "PodExecOptions", CONNECT_VERBS),
            Subresource("log", "Pod", ("get",)),
            Subresource("portforward", "PodPortForwardOptions", CONNECT_VERBS),
            Subresource("proxy", "PodProxyOptions", PROXY_VERBS),
            Subresource("resize", "Pod"),
            status("Pod"),
        ),
        fields=_POD_FIELDS,
    ),
    _served("podtemplates", "PodTemplate", namespaced=True),
    _served(
        "replicationcontrollers",
        "ReplicationController",
        namespaced=True,
        short_names=("rc",),
        categories=("all",),
        subresources=(SCALE, status("ReplicationController")),
        storage_prefix="controllers",
        fields=(selectable("status.replicas", default="0"),),
    ),
    _served(
        "resourcequotas",
        "ResourceQuota",
        namespaced=True,
        short_names=("quota",),
        subresources=(status("ResourceQuota"),),
    ),
    _served("secrets", "Secret", namespaced=True, fields=(selectable("type"),)),
    _served(
        "serviceaccounts",
        "ServiceAccount",
        namespaced=True,
        short_names=("sa",),
        subresources=(Subresource("token", "TokenRequest", CREATE_ONLY, group="authentication.k8s.io", version="v1"),),
    ),
    _served(
        "services",
        "Service",
        namespaced=True,
        short_names=("svc",),
        categories=("all",),
        subresources=(Subresource("proxy", "ServiceProxyOptions", PROXY_VERBS), status("Service")),
        storage_prefix="services/specs",
        fields=(selectable("spec.clusterIP"), selectable("spec.type")),
        field_label_error=UNSUPPORTED_LABEL,
    ),
)
