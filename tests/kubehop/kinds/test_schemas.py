"""Schemas and definitions of the catalogue."""

from __future__ import annotations

import pytest

from kubehop.kinds import catalogue, definitions, schemas


@pytest.mark.parametrize("row", catalogue.RESOURCES, ids=lambda row: f"{row.api_version}/{row.kind}")
def test_every_kind_has_a_schema(row):
    """Kinds and their lists are in the catalogue."""
    schema = schemas.schema_for(row.group, row.version, row.kind)
    assert schema.type == "object"
    assert "metadata" in schema.properties
    if "list" in row.verbs:
        assert schemas.schema_for(row.group, row.version, row.list_kind).properties["items"].type == "array"


def test_shared_types_are_built_once():
    """The pod template of two workloads is the same node."""
    deployment = schemas.schema_for("apps", "v1", "Deployment").at("spec", "template", "spec")
    assert deployment is schemas.schema_for("batch", "v1", "Job").at("spec", "template", "spec")


def test_merge_keys_and_defaults_of_container_ports():
    """A list map knows its keys, and a key its default."""
    ports = schemas.schema_for("", "v1", "Pod").at("spec", "containers", "ports")
    assert ports is not None
    assert ports.list_map_keys == ("containerPort", "protocol")
    assert ports.patch_merge_key == "containerPort"
    assert ports.items is not None
    assert ports.items.properties["protocol"].default == "TCP"


def test_go_facts_of_a_deployment():
    """Replicas are behind a pointer, template and selector are always written, structs are kept by value."""
    spec = schemas.schema_for("apps", "v1", "Deployment").at("spec")
    assert spec is not None
    assert spec.go is not None
    assert "replicas" in spec.go.pointers
    assert spec.go.always == {"selector", "template"}
    assert set(spec.value_structs) == {"strategy", "template"}


def test_quantities_and_integers_or_strings():
    """The types that read themselves keep their roles."""
    spec = schemas.schema_for("policy", "v1", "PodDisruptionBudget").at("spec")
    assert spec is not None
    assert spec.properties["minAvailable"].int_or_string
    requests = schemas.schema_for("", "v1", "Pod").at("spec", "containers", "resources", "requests")
    assert requests is not None
    assert requests.additional is not None
    assert requests.additional.role == "quantity"


def test_options_are_found_in_the_meta_group():
    """Types that belong to every group have schemas too."""
    assert "propagationPolicy" in schemas.schema_for("meta.k8s.io", "v1", "DeleteOptions").properties


def test_unknown_kinds_have_none():
    """Asking for a kind that does not exist is a KeyError."""
    with pytest.raises(KeyError):
        schemas.schema_for("apps", "v1", "Nothing")


def test_definitions_are_as_kubernetes_publishes_them():
    """Nullable types, enumerated kinds and the publisher's references are undone, defaults are back."""
    pod = definitions.definition("io.k8s.api.core.v1.Pod")
    assert pod["type"] == "object"
    assert pod["properties"]["kind"]["type"] == "string"
    assert "enum" not in pod["properties"]["kind"]
    assert pod["properties"]["spec"]["$ref"] == "#/definitions/io.k8s.api.core.v1.PodSpec"
    port = definitions.definition("io.k8s.api.core.v1.ContainerPort")
    assert port["properties"]["protocol"]["default"] == "TCP"
    assert port["properties"]["protocol"]["enum"] == ["SCTP", "TCP", "UDP"]
    assert definitions.definition(definitions.INT_OR_STRING)["format"] == "int-or-string"


def test_every_definition_can_be_read_and_refers_to_others_that_exist():
    """The whole catalogue hangs together."""
    known = set(definitions.names())
    for name in known:
        assert definitions.references(definitions.definition(name)) <= known
