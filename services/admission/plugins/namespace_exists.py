"""NamespaceExists: nothing is written in a namespace that is missing.

Source of the behaviour: plugin/pkg/admission/namespace/exists/admission.go.
"""

from __future__ import annotations

from typing import Final

from kubehop.machinery import status
from kubehop.pb.admission.v1 import Operation
from services.admission.attributes import CREATE, DELETE, UPDATE, Attributes
from services.admission.namespaced import Namespaced


class NamespaceExists(Namespaced):
    """See the module."""

    name: Final = "NamespaceExists"

    def handles(self, operation: Operation) -> bool:
        """Creation, update and deletion."""
        return operation in {CREATE, UPDATE, DELETE}

    async def validate(self, attributes: Attributes) -> None:
        """404 about the namespace."""
        if self.exempt(attributes):
            return
        if await self.namespaces.get(attributes.namespace) is None:
            raise status.not_found("", "namespaces", attributes.namespace)
