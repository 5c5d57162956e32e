"""Discovery documents, against kube-apiserver's recorded ones."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from kubehop.kinds import catalogue
from kubehop.machinery.discovery import Discovery

GOLDEN: dict[str, Any] = json.loads(
    (Path(__file__).parents[2] / "conformance" / "golden" / "api-discovery.json").read_text()
)


@pytest.fixture(scope="module")
def documents() -> Discovery:
    return Discovery(catalogue.RESOURCES)


@pytest.mark.parametrize(
    ("step", "group", "version"),
    [
        ("core-v1", "", "v1"),
        ("apps-v1", "apps", "v1"),
        ("batch-v1", "batch", "v1"),
        ("rbac-v1", "rbac.authorization.k8s.io", "v1"),
        ("policy-v1", "policy", "v1"),
    ],
)
def test_resource_lists_equal_the_recorded_ones(documents, step, group, version):
    """Every resource and subresource of a group is listed with the fields, hashes and order of kube-apiserver."""
    body = documents.resource_list(group, version)
    assert body is not None
    assert json.loads(body) == GOLDEN[step]["body"]


@pytest.mark.parametrize(
    ("step", "group"), [("apps", "apps"), ("storage-group", "storage.k8s.io"), ("autoscaling-group", "autoscaling")]
)
def test_groups_equal_the_recorded_ones(documents, step, group):
    """A group lists its versions, the preferred one first."""
    body = documents.group(group)
    assert body is not None
    assert json.loads(body) == GOLDEN[step]["body"]


def test_group_list_starts_with_the_aggregator_and_has_no_core_group(documents):
    """The groups come in kube-apiserver's order of priority."""
    groups = [group["name"] for group in json.loads(documents.group_list())["groups"]]
    assert groups[:3] == ["apiregistration.k8s.io", "apps", "events.k8s.io"]
    assert "" not in groups
    assert len(groups) == len(set(groups)) == 20


def test_api_versions_carry_no_api_version(documents):
    """The document of /api has a kind alone, and the addresses it was given."""
    assert json.loads(documents.api_versions([("0.0.0.0/0", "10.0.0.1:6443")])) == {
        "kind": "APIVersions",
        "versions": ["v1"],
        "serverAddressByClientCIDRs": [{"clientCIDR": "0.0.0.0/0", "serverAddress": "10.0.0.1:6443"}],
    }


def test_aggregated_core_equals_the_recorded_one(documents):
    """The aggregated core group has no name and its first resources are as recorded."""
    golden = GOLDEN["aggregated-core"]["body"]
    body = json.loads(documents.aggregated(core=True).body)
    (group,) = body["items"]
    assert body["apiVersion"] == golden["apiVersion"]
    assert group["metadata"] == golden["items.0.metadata"]
    assert group["versions"][0]["freshness"] == golden["items.0.versions.0.freshness"]
    assert group["versions"][0]["resources"][:2] == [
        golden["items.0.versions.0.resources.0"],
        golden["items.0.versions.0.resources.1"],
    ]


def test_aggregated_groups_hold_every_resource(documents):
    """What the aggregated document of /apis lists is what the separate documents list."""
    items = json.loads(documents.aggregated(core=False).body)["items"]
    for item in items:
        for version in item["versions"]:
            names = {resource["resource"] for resource in version["resources"]}
            assert names == {row.name for row in catalogue.resources(item["metadata"]["name"], version["version"])}


def test_etag_is_the_hash_of_the_content(documents):
    """The entity tag does not depend on the version asked for."""
    document = documents.aggregated(core=False)
    content = json.loads(document.body)
    del content["kind"], content["apiVersion"]
    digest = hashlib.sha512(json.dumps(content, separators=(",", ":")).encode()).hexdigest().upper()
    assert document.etag == digest == documents.aggregated(core=False, version="v2beta1").etag


def test_unknown_groups_and_versions_have_no_document(documents):
    """Asking for what is not served gives nothing."""
    assert documents.group("example.invalid") is None
    assert documents.resource_list("apps", "v1beta1") is None
    assert documents.group("") is None
