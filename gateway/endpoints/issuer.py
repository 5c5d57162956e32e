"""The public documents by which others verify service account tokens: OpenID Connect discovery and the key set.

Made by the authentication stage, which has the keys; answered by `gateway.routing` behind authorization. Paths and
headers as pkg/routes/openidmetadata.go of Kubernetes.
"""

from __future__ import annotations

from gateway.answers import Answer, page_not_found
from gateway.backends import Authenticator
from gateway.context import RequestContext
from kubehop.machinery import status

CONFIGURATION_PATH = "/.well-known/openid-configuration"
KEY_SET_PATH = "/openid/v1/jwks"


class IssuerEndpoint:
    """Serves both documents."""

    def __init__(self, authenticator: Authenticator) -> None:
        self._authenticator = authenticator

    async def answer(self, request: RequestContext) -> Answer:
        """Answer one of the two paths; 404 where there is no issuer to speak of."""
        if request.path not in (CONFIGURATION_PATH, KEY_SET_PATH):
            return page_not_found()
        if request.method not in ("GET", "HEAD"):
            raise status.generic_server_response(405)
        found = await self._authenticator.describe_issuer(request)
        configured = request.path == CONFIGURATION_PATH
        document = found.configuration if configured else found.key_set
        if not document:
            return page_not_found()
        request.head.append(f"Cache-Control: public, max-age={found.max_age_seconds}\r\n")
        return Answer(200, document, "application/json" if configured else "application/jwk-set+json")
