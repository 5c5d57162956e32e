"""CertificateSigning: who puts a certificate or conditions into a request may sign for its signer.

Source of the behaviour: plugin/pkg/admission/certificates/signing/admission.go.
"""

from __future__ import annotations

from typing import Final

from kubehop.machinery.objects import nested
from services.admission.attributes import UPDATE, Attributes
from services.admission.authorizer import Authorizer, may_use_signer
from services.admission.plugin import Scoped, forbidden


class CertificateSigning(Scoped):
    """See the module."""

    name: Final = "CertificateSigning"
    operations = frozenset({UPDATE})
    places = frozenset({("certificates.k8s.io", "certificatesigningrequests", "status")})

    def __init__(self, authorizer: Authorizer) -> None:
        self._authorizer = authorizer

    async def validate(self, attributes: Attributes) -> None:
        """Refuse changes of certificate or conditions by those who may not sign for the signer."""
        new, old = attributes.object.get("status") or {}, attributes.old_object.get("status") or {}
        same_certificate = (new.get("certificate") or "") == (old.get("certificate") or "")
        if same_certificate and (new.get("conditions") or []) == (old.get("conditions") or []):
            return
        signer = nested(attributes.old_object, "spec", "signerName") or ""
        if not await may_use_signer(self._authorizer, attributes.user, "sign", signer):
            raise forbidden(attributes, f'user not permitted to sign requests with signerName "{signer}"')
