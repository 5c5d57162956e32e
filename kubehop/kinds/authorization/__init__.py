"""The authorization.k8s.io group: reviews that are answered and never stored."""

from __future__ import annotations

from functools import partial

from kubehop.kinds.resource import CREATE_ONLY, Resource, served

_served = partial(served, "authorization.k8s.io", "v1", home="authorization", verbs=CREATE_ONLY, stored=False)

RESOURCES: tuple[Resource, ...] = (
    _served("localsubjectaccessreviews", "LocalSubjectAccessReview", namespaced=True),
    _served("selfsubjectaccessreviews", "SelfSubjectAccessReview", namespaced=False),
    _served("selfsubjectrulesreviews", "SelfSubjectRulesReview", namespaced=False),
    _served("subjectaccessreviews", "SubjectAccessReview", namespaced=False),
)
