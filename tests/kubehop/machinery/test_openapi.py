"""The OpenAPI documents."""

from __future__ import annotations

import json
from typing import Any

import pytest

from kubehop.kinds import catalogue, openapi


@pytest.fixture(scope="module")
def documents():
    return openapi.documents()


@pytest.fixture(scope="module")
def apps(documents) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(documents.group_version("apis/apps/v1").body)
    return found


def test_the_index_names_every_group_and_version(documents):
    """The address of a document carries its hash, and the index builds no document."""
    paths = json.loads(documents.index())["paths"]
    assert set(paths) == {
        f"apis/{group}/{version}" if group else f"api/{version}" for group, version in catalogue.group_versions()
    }
    digest = documents.hash_of("apis/apps/v1")
    assert paths["apis/apps/v1"]["serverRelativeURL"] == f"/openapi/v3/apis/apps/v1?hash={digest}"
    assert documents.group_version("apis/apps/v1").etag == digest


def test_hashes_follow_the_resources(documents):
    """Other resources, other hash; the same ones, the same."""
    same = openapi.documents()
    fewer = openapi.documents([row for row in catalogue.RESOURCES if row.name != "deployments"])
    assert same.hash_of("apis/apps/v1") == documents.hash_of("apis/apps/v1") != fewer.hash_of("apis/apps/v1")
    assert same.hash_of("apis/batch/v1") == fewer.hash_of("apis/batch/v1")


def test_patch_operations_tell_what_kubectl_asks(apps):
    """Kind, action, patch types and fieldValidation stand at the operation."""
    patch = apps["paths"]["/apis/apps/v1/namespaces/{namespace}/deployments/{name}"]["patch"]
    assert patch["x-kubernetes-group-version-kind"] == {"group": "apps", "version": "v1", "kind": "Deployment"}
    assert patch["x-kubernetes-action"] == "patch"
    assert patch["operationId"] == "patchAppsV1NamespacedDeployment"
    assert "fieldValidation" in {parameter["name"] for parameter in patch["parameters"]}
    assert "application/strategic-merge-patch+json" in patch["requestBody"]["content"]


@pytest.mark.parametrize(
    ("path", "method", "identifier"),
    [
        ("/apis/apps/v1/deployments", "get", "listAppsV1DeploymentForAllNamespaces"),
        ("/apis/apps/v1/namespaces/{namespace}/deployments", "post", "createAppsV1NamespacedDeployment"),
        ("/apis/apps/v1/namespaces/{namespace}/deployments", "delete", "deleteAppsV1CollectionNamespacedDeployment"),
        (
            "/apis/apps/v1/namespaces/{namespace}/deployments/{name}/scale",
            "put",
            "replaceAppsV1NamespacedDeploymentScale",
        ),
    ],
)
def test_operations_are_named_as_in_kubernetes(apps, path, method, identifier):
    """Generated clients find the operations they know."""
    assert apps["paths"][path][method]["operationId"] == identifier


def test_core_operations_are_named_as_in_kubernetes(documents):
    """The core group and connections have their own words."""
    core = json.loads(documents.group_version("api/v1").body)["paths"]
    assert core["/api/v1/nodes"]["get"]["operationId"] == "listCoreV1Node"
    proxy = core["/api/v1/namespaces/{namespace}/pods/{name}/proxy/{path}"]["get"]
    assert proxy["operationId"] == "connectCoreV1GetNamespacedPodProxyWithPath"
    assert proxy["x-kubernetes-action"] == "connect"


def test_operations_are_unique(documents):
    """No two operations share an identifier."""
    swagger = json.loads(documents.swagger().body)
    found = [
        operation["operationId"]
        for item in swagger["paths"].values()
        for operation in item.values()
        if isinstance(operation, dict)
    ]
    assert len(found) == len(set(found))


def _references(node: Any) -> set[str]:
    if isinstance(node, dict):
        own = {node["$ref"]} if isinstance(node.get("$ref"), str) else set()
        return own.union(*(_references(value) for value in node.values()))
    if isinstance(node, list):
        return set().union(*(_references(value) for value in node))
    return set()


@pytest.mark.parametrize("path", ["api/v1", "apis/autoscaling/v2", "apis/apiextensions.k8s.io/v1"])
def test_references_of_version_3_resolve(documents, path):
    """A document holds all that it refers to."""
    document = json.loads(documents.group_version(path).body)
    schemas = document["components"]["schemas"]
    assert {f"#/components/schemas/{name}" for name in schemas} >= _references(document)


def test_references_of_version_2_resolve(documents):
    """The whole document holds all that it refers to."""
    document = json.loads(documents.swagger().body)
    assert {f"#/definitions/{name}" for name in document["definitions"]} >= _references(document)


def test_choices_and_described_references_of_version_3(apps):
    """What version 2 cannot say is said, and a described reference keeps its description."""
    schemas = apps["components"]["schemas"]
    assert schemas["io.k8s.apimachinery.pkg.util.intstr.IntOrString"]["oneOf"] == [
        {"type": "integer"},
        {"type": "string"},
    ]
    spec = schemas["io.k8s.api.apps.v1.Deployment"]["properties"]["spec"]
    assert spec["allOf"] == [{"$ref": "#/components/schemas/io.k8s.api.apps.v1.DeploymentSpec"}]
    assert spec["description"]


def test_unknown_documents(documents):
    """There is none for what is not served."""
    assert documents.group_version("apis/example.com/v1") is None
    assert documents.hash_of("apis/example.com/v1") is None
