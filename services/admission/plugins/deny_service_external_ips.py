"""DenyServiceExternalIPs: no Service takes an address that nobody gave it.

Source of the behaviour: plugin/pkg/admission/network/denyserviceexternalips/admission.go.
"""

from __future__ import annotations

from typing import Final

from kubehop.machinery.objects import Object, nested
from services.admission.attributes import CREATE, UPDATE, Attributes
from services.admission.plugin import Scoped, forbidden


class DenyServiceExternalIPs(Scoped):
    """See the module."""

    name: Final = "DenyServiceExternalIPs"
    operations = frozenset({CREATE, UPDATE})
    places = frozenset({("", "services", "")})

    async def validate(self, attributes: Attributes) -> None:
        """Refuse external IPs that the Service did not have already."""
        if not _external_ips(attributes.object) <= _external_ips(attributes.old_object):
            raise forbidden(attributes, "Use of external IPs is denied by admission control")


def _external_ips(service: Object) -> set[str]:
    return set(nested(service, "spec", "externalIPs") or ())
