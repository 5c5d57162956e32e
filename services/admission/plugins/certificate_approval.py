"""CertificateApproval: who approves a certificate request may approve for its signer.

Source of the behaviour: plugin/pkg/admission/certificates/approval/admission.go.
"""

from __future__ import annotations

from typing import Final

from kubehop.machinery.objects import nested
from services.admission.attributes import UPDATE, Attributes
from services.admission.authorizer import Authorizer, may_use_signer
from services.admission.plugin import Scoped, forbidden


class CertificateApproval(Scoped):
    """See the module."""

    name: Final = "CertificateApproval"
    operations = frozenset({UPDATE})
    places = frozenset({("certificates.k8s.io", "certificatesigningrequests", "approval")})

    def __init__(self, authorizer: Authorizer) -> None:
        self._authorizer = authorizer

    async def validate(self, attributes: Attributes) -> None:
        """Refuse those who may not approve for the signer that the stored request names."""
        signer = nested(attributes.old_object, "spec", "signerName") or ""
        if not await may_use_signer(self._authorizer, attributes.user, "approve", signer):
            raise forbidden(attributes, f'user not permitted to approve requests with signerName "{signer}"')
