"""What the gateway serves beside resources: discovery, OpenAPI, health, version, metrics, the index of paths.

`install_endpoints` is the table from first path segments to endpoints that `gateway.routing` dispatches by.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from gateway.answers import Answer, page_not_found

if TYPE_CHECKING:
    from gateway.backends import Authenticator
    from gateway.context import RequestContext
    from gateway.endpoints.health import Health
    from gateway.metrics import Metrics
    from gateway.routing import Endpoint


def install_endpoints(health: Health, metrics: Metrics, authenticator: Authenticator) -> Mapping[str, Endpoint]:
    """Return the endpoints by first path segment; "" is the index."""
    from gateway.endpoints import index, version
    from gateway.endpoints.discovery import DiscoveryEndpoint
    from gateway.endpoints.issuer import IssuerEndpoint
    from gateway.endpoints.metrics import MetricsEndpoint
    from gateway.endpoints.openapi import OpenAPIEndpoint

    async def show_index(_request: RequestContext) -> Answer:
        return index.answer(health.paths())

    async def show_version(request: RequestContext) -> Answer:
        return version.answer() if request.path.strip("/") == "version" else page_not_found()

    discovery = DiscoveryEndpoint()
    issuer = IssuerEndpoint(authenticator)
    return {
        "": show_index,
        ".well-known": issuer.answer,
        "api": discovery.answer,
        "apis": discovery.answer,
        "healthz": health.answer,
        "livez": health.answer,
        "readyz": health.answer,
        "metrics": MetricsEndpoint(metrics).answer,
        "openapi": OpenAPIEndpoint().answer,
        "openid": issuer.answer,
        "version": show_version,
    }
