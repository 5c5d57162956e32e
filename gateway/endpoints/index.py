"""/: the paths that the gateway serves, for people who look around.

As apiserver pkg/server/routes/index.go.
"""

from __future__ import annotations

import json
from collections.abc import Iterable

from gateway.answers import Answer
from kubehop.kinds import catalogue

_PATHS = (
    "/.well-known/openid-configuration",
    "/api",
    "/api/",
    "/apis",
    "/apis/",
    "/healthz",
    "/livez",
    "/metrics",
    "/openapi/v2",
    "/openapi/v3",
    "/openapi/v3/",
    "/openid/v1/jwks",
    "/readyz",
    "/version",
)


def answer(checks: Iterable[str]) -> Answer:
    """Answer /; checks are the paths of single health checks."""
    paths = set(_PATHS) | set(checks)
    for group, version in catalogue.group_versions():
        if group:
            paths |= {f"/apis/{group}", f"/apis/{group}/{version}"}
        else:
            paths.add(f"/api/{version}")
    return Answer(200, json.dumps({"paths": sorted(paths)}, indent=2).encode())
