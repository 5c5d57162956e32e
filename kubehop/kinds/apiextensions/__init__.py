"""The apiextensions.k8s.io group: custom resource definitions."""

from __future__ import annotations

from kubehop.kinds.resource import Resource, served, status

RESOURCES: tuple[Resource, ...] = (
    served(
        "apiextensions.k8s.io",
        "v1",
        "customresourcedefinitions",
        "CustomResourceDefinition",
        namespaced=False,
        home="apiextensions",
        short_names=("crd", "crds"),
        categories=("api-extensions",),
        subresources=(status("CustomResourceDefinition"),),
        # the extensions server stores below its group's name, unlike the groups of kube-apiserver itself
        storage_prefix="apiextensions.k8s.io/customresourcedefinitions",
    ),
)
