"""The authentication.k8s.io group: reviews that are answered and never stored."""

from __future__ import annotations

from functools import partial

from kubehop.kinds.resource import CREATE_ONLY, Resource, served

_served = partial(
    served, "authentication.k8s.io", "v1", home="authentication", namespaced=False, verbs=CREATE_ONLY, stored=False
)

RESOURCES: tuple[Resource, ...] = (
    _served("selfsubjectreviews", "SelfSubjectReview"),
    _served("tokenreviews", "TokenReview"),
)
