"""Validation takes whatever decoding lets through."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from kubehop.kinds import schemas
from kubehop.machinery import decoding
from tests.kubehop.kinds.validating import arbitrary, strategy

KINDS = (
    ("", "pods", "v1", "core.v1.Pod"),
    ("", "podtemplates", "v1", "core.v1.PodTemplate"),
    ("", "replicationcontrollers", "v1", "core.v1.ReplicationController"),
    ("apps", "deployments", "v1", "apps.v1.Deployment"),
    ("apps", "replicasets", "v1", "apps.v1.ReplicaSet"),
    ("apps", "daemonsets", "v1", "apps.v1.DaemonSet"),
    ("apps", "statefulsets", "v1", "apps.v1.StatefulSet"),
    ("apps", "controllerrevisions", "v1", "apps.v1.ControllerRevision"),
    ("batch", "jobs", "v1", "batch.v1.Job"),
    ("batch", "cronjobs", "v1", "batch.v1.CronJob"),
    ("autoscaling", "horizontalpodautoscalers", "v2", "autoscaling.v2.HorizontalPodAutoscaler"),
    ("policy", "poddisruptionbudgets", "v1", "policy.v1.PodDisruptionBudget"),
)
SUBRESOURCES = ("", "status", "ephemeralcontainers", "resize")


@pytest.mark.parametrize(("group", "resource", "version", "name"), KINDS, ids=[kind[1] for kind in KINDS])
@settings(max_examples=20, deadline=None)  # the machine may be busy; what is tested is that nothing is raised
@given(seed=some.integers(0, 1 << 32))
def test_nothing_that_can_be_decoded_breaks_validation(group, resource, version, name, seed):
    """Objects full of nonsense are refused or taken, on create and on every kind of update, and never raise."""
    made = strategy(group, resource, version)
    chance = random.Random(seed)
    objects = []
    for _ in range(2):
        raw = arbitrary(chance, f"io.k8s.api.{name}")
        obj = decoding.decode_value(schemas.schema_for(group, version, made.resource.kind), raw).value
        obj.setdefault("metadata", {})
        made.default(obj)
        objects.append(obj)
    new, old = objects
    for error in made.validate(new):
        assert str(error)
    for subresource in SUBRESOURCES:
        for error in made.validate_update(new, old, subresource):
            assert str(error)
    made.warnings(new)
    made.warnings(new, old)
