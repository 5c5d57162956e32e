"""The apiregistration.k8s.io group: API services, as the aggregation layer of kube-apiserver registers them."""

from __future__ import annotations

from kubehop.kinds.resource import Resource, served, status

RESOURCES: tuple[Resource, ...] = (
    served(
        "apiregistration.k8s.io",
        "v1",
        "apiservices",
        "APIService",
        namespaced=False,
        home="apiregistration",
        categories=("api-extensions",),
        subresources=(status("APIService"),),
        # the aggregator stores below its group's name, unlike the groups of kube-apiserver itself
        storage_prefix="apiregistration.k8s.io/apiservices",
    ),
)
