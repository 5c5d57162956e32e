"""The catalogue of resources."""

from __future__ import annotations

import subprocess
import sys

import pytest

from kubehop.kinds import catalogue


def test_rows_are_found_by_resource_and_by_kind():
    """A row is found by the plural name and by the kind of its objects."""
    row = catalogue.lookup("apps", "v1", "deployments")
    assert row is not None
    assert row is catalogue.lookup_kind("apps", "v1", "Deployment")
    assert (row.api_version, row.list_kind, row.has_status) == ("apps/v1", "DeploymentList", True)
    assert catalogue.lookup("apps", "v1beta1", "deployments") is None


def test_storage_is_shared_between_groups_and_versions():
    """Both groups of events and both versions of autoscalers have one stored form."""
    assert catalogue.storage_resource("events.k8s.io", "events") is catalogue.lookup("", "v1", "events")
    autoscalers = catalogue.storage_resource("autoscaling", "horizontalpodautoscalers")
    assert autoscalers is catalogue.lookup("autoscaling", "v2", "horizontalpodautoscalers")
    assert catalogue.storage_resource("authentication.k8s.io", "tokenreviews") is None


@pytest.mark.parametrize(
    ("group", "resource", "prefix"),
    [
        ("", "nodes", "minions"),
        ("", "services", "services/specs"),
        ("", "endpoints", "services/endpoints"),
        ("", "replicationcontrollers", "controllers"),
        ("networking.k8s.io", "ingresses", "ingress"),
        ("events.k8s.io", "events", "events"),
        ("apps", "deployments", "deployments"),
        ("apiextensions.k8s.io", "customresourcedefinitions", "apiextensions.k8s.io/customresourcedefinitions"),
    ],
)
def test_storage_prefixes_are_those_of_kube_apiserver(group, resource, prefix):
    """A stock kube-apiserver on the same etcd finds the objects."""
    row = catalogue.storage_resource(group, resource)
    assert row is not None
    assert row.storage_prefix == prefix


def test_prefixes_are_unique():
    """No two stored resources share a place."""
    prefixes = [row.storage_prefix for row in catalogue.storage_resources()]
    assert len(prefixes) == len(set(prefixes))


def test_field_values_of_a_pod():
    """Selectable fields read the stored object, with kube-apiserver's defaults."""
    row = catalogue.lookup("", "v1", "pods")
    assert row is not None
    values = row.field_values(
        {
            "metadata": {"name": "a", "namespace": "b"},
            "spec": {"nodeName": "n"},
            "status": {"podIPs": [{"ip": "10.0.0.1"}]},
        }
    )
    assert values["metadata.namespace"] == "b"
    assert values["spec.nodeName"] == "n"
    assert values["spec.hostNetwork"] == "false"
    assert values["status.podIP"] == "10.0.0.1"
    assert "spec.host" not in values


@pytest.mark.parametrize(
    ("group", "version", "resource", "label", "stored"),
    [
        ("", "v1", "pods", "spec.host", "spec.nodeName"),
        ("", "v1", "configmaps", "metadata.namespace", "metadata.namespace"),
        ("events.k8s.io", "v1", "events", "regarding.name", "involvedObject.name"),
    ],
)
def test_field_labels_are_converted(group, version, resource, label, stored):
    """A label of the served version becomes the one of the stored version."""
    row = catalogue.lookup(group, version, resource)
    assert row is not None
    assert row.convert_field_label(label) == stored


@pytest.mark.parametrize(
    ("group", "resource", "label", "message"),
    [
        ("", "pods", "spec.hostname", "field label not supported: spec.hostname"),
        ("", "events", "message", "field label not supported: message"),
        ("", "nodes", "metadata.namespace", "field label not supported: metadata.namespace"),
        ("batch", "jobs", "spec.x", 'field label "spec.x" not supported for Job'),
        (
            "apps",
            "deployments",
            "spec.replicas",
            '"spec.replicas" is not a known field selector: only "metadata.name", "metadata.namespace"',
        ),
    ],
)
def test_unsupported_field_labels_are_refused_in_kube_apiservers_words(group, resource, label, message):
    """The message names the label, in the form that the kind uses."""
    row = catalogue.lookup(group, "v1", resource)
    assert row is not None
    with pytest.raises(ValueError, match="field") as caught:
        row.convert_field_label(label)
    assert str(caught.value) == message


def test_importing_the_catalogue_reads_no_schema():
    """Stages import the catalogue without paying for schemas or tables."""
    loaded = subprocess.run(
        [sys.executable, "-c", "import sys, kubehop.kinds.catalogue; print(*sys.modules)"],
        check=True,
        capture_output=True,
        text=True,
    ).stdout.split()
    assert "kubehop.kinds.schemas" not in loaded
    assert "orjson" not in loaded
