"""The OpenAPI documents of the built-in kinds: the catalogue's rows and definitions, brought together."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import kubehop
from kubehop.kinds import catalogue, definitions
from kubehop.machinery.discovery import ServedResource
from kubehop.machinery.openapi import OpenAPI

Object = dict[str, Any]

_META = "io.k8s.apimachinery.pkg.apis.meta.v1."


class Catalogue:
    """The definitions of the schema catalogue, as the documents want them."""

    def definition(self, name: str) -> Object:
        """Return a definition that the caller may change."""
        return definitions.definition(name)

    def closure(self, roots: Iterable[str]) -> list[str]:
        """Return the names of the definitions that the roots need, themselves included."""
        return definitions.closure(roots)

    def name_of(self, kind: tuple[str, str, str]) -> str | None:
        """Return the name of a kind's definition, None where it has none (the options of connections)."""
        if kind[0] == "meta.k8s.io":
            return _META + kind[2]
        return definitions.kinds().get(kind)


def documents(resources: Sequence[ServedResource] = catalogue.RESOURCES) -> OpenAPI:
    """Return the documents of resources whose kinds are in the catalogue, nothing built yet."""
    version = f"v{definitions.KUBERNETES_VERSION}+kubehop.{kubehop.__version__}"
    return OpenAPI(resources, Catalogue(), title="Kubernetes", version=version)
