"""AlwaysDeny: refuses everything, in the mutating phase already; good for trying out a chain.

Source of the behaviour: plugin/pkg/admission/deny/admission.go.
"""

from __future__ import annotations

from typing import Final

from kubehop.pb.admission.v1 import Operation
from services.admission.attributes import Attributes
from services.admission.plugin import Change, forbidden


class AlwaysDeny:
    """See the module."""

    name: Final = "AlwaysDeny"

    def handles(self, operation: Operation) -> bool:  # noqa: ARG002 - the Protocol's form
        """Every operation."""
        return True

    def concerns(self, group: str, resource: str, subresource: str) -> bool:  # noqa: ARG002 - the Protocol's form
        """Every resource."""
        return True

    async def admit(self, attributes: Attributes) -> Change | None:
        """403, always."""
        raise forbidden(attributes, "admission control is denying all modifications")

    async def validate(self, attributes: Attributes) -> None:
        """403, always."""
        raise forbidden(attributes, "admission control is denying all modifications")
