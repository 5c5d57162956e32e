"""Schemas built from definitions."""

from __future__ import annotations

import pytest

from kubehop.machinery.schema import Builder
from tests.kubehop.machinery.deployments import BUILDER, DEPLOYMENT, SECRET


def test_types():
    """A node knows its type, its fields, and its name in Go."""
    assert (DEPLOYMENT.type, DEPLOYMENT.name, DEPLOYMENT.go_type) == ("object", "Deployment", "v1.Deployment")
    assert DEPLOYMENT.at("spec", "replicas").go_type == "int32"
    assert DEPLOYMENT.at("spec", "selector").go_type == "map[string]string"
    containers = DEPLOYMENT.at("spec", "template", "containers")
    assert (containers.go_type, containers.items.name) == ("[]v1.Container", "Container")
    assert DEPLOYMENT.at("spec", "template", "containers", "limits", "cpu").role == "quantity"
    assert DEPLOYMENT.at("spec", "strategy", "maxSurge").int_or_string
    assert DEPLOYMENT.at("spec", "nothing") is None


def test_nullable_types_are_the_types():
    """JSON Schema's list of types with null means the other one."""
    assert SECRET.at("data").additional.role == "bytes"
    assert SECRET.at("nested", "nested", "data") is SECRET.at("data")


def test_merging_facts_belong_to_the_field():
    """What a field's declaration says of merging does not leak into the type that it shares."""
    field = DEPLOYMENT.at("spec", "strategy")
    assert field.patch_strategies == {"retainKeys"}
    assert BUILDER.build("io.k8s.api.apps.v1.DeploymentStrategy").patch_strategies == frozenset()
    volumes = DEPLOYMENT.at("spec", "template", "volumes")
    assert (volumes.patch_strategies, volumes.patch_merge_key) == ({"merge", "retainKeys"}, "name")
    containers = DEPLOYMENT.at("spec", "template", "containers")
    assert (containers.list_type, containers.list_map_keys) == ("map", ("name",))


def test_go_facts():
    """Named types, pointers and structs kept by value come from whoever knows them."""
    container = BUILDER.build("io.k8s.api.core.v1.Container")
    assert container.properties["pullPolicy"].go_type == "v1.PullPolicy"
    assert container.properties["limits"].go_type == "v1.ResourceList"
    assert container.properties["image"].go_type == "string"
    assert DEPLOYMENT.value_structs == ("metadata", "spec", "status")


def test_each_type_is_built_once():
    """Types are shared, and an unknown one is a KeyError."""
    assert BUILDER.build("io.k8s.api.apps.v1.Deployment") is DEPLOYMENT
    with pytest.raises(KeyError):
        Builder({}.__getitem__).build("nothing")


def test_a_definition_that_is_given():
    """A schema can be made of a definition that stands in no catalogue."""
    node = BUILDER.from_definition(
        {"properties": {"a": {"type": "integer"}, "b": {"x-kubernetes-int-or-string": True}}}
    )
    assert node.properties["a"].go_type == "int64"
    assert node.properties["b"].int_or_string
