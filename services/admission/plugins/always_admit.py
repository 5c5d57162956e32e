"""AlwaysAdmit: admits everything, in both phases; good for trying out a chain.

Source of the behaviour: plugin/pkg/admission/admit/admission.go.
"""

from __future__ import annotations

from typing import Final

from kubehop.pb.admission.v1 import Operation
from services.admission.attributes import Attributes
from services.admission.plugin import Change


class AlwaysAdmit:
    """See the module."""

    name: Final = "AlwaysAdmit"

    def handles(self, operation: Operation) -> bool:  # noqa: ARG002 - the Protocol's form
        """Every operation."""
        return True

    def concerns(self, group: str, resource: str, subresource: str) -> bool:  # noqa: ARG002 - the Protocol's form
        """Every resource."""
        return True

    async def admit(self, attributes: Attributes) -> Change | None:
        """Nothing to say."""

    async def validate(self, attributes: Attributes) -> None:
        """Nothing to say."""
