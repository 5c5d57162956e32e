"""Plugins of claims, ingresses, services, certificates and namespaces."""

from __future__ import annotations

import base64

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from services.admission.plugins.certificate_subject_restriction import CertificateSubjectRestriction
from services.admission.plugins.default_ingress_class import DefaultIngressClass
from services.admission.plugins.default_storage_class import DefaultStorageClass
from services.admission.plugins.deny_service_external_ips import DenyServiceExternalIPs
from services.admission.plugins.namespace_auto_provision import NamespaceAutoProvision
from services.admission.plugins.namespace_exists import NamespaceExists
from services.admission.plugins.persistent_volume_claim_resize import PersistentVolumeClaimResize
from services.admission.plugins.storage_object_in_use_protection import StorageObjectInUseProtection
from tests.services.admission.pods import refusal
from tests.services.admission.requests import DictCluster, create, delete, namespace, update

STORAGE = "storage.k8s.io"
NETWORKING = "networking.k8s.io"


def marked(name, key, value="true", created="2026-01-01T00:00:00Z", **rest):
    return {"metadata": {"name": name, "annotations": {key: value}, "creationTimestamp": created}, **rest}


def claim(size="1Gi", phase="Bound", annotations=None, **spec):
    return {
        "metadata": {"name": "c", "annotations": annotations or {}},
        "spec": {"resources": {"requests": {"storage": size}}, **spec},
        "status": {"phase": phase},
    }


DEFAULT_STORAGE = "storageclass.kubernetes.io/is-default-class"


@pytest.mark.parametrize(
    ("classes", "given", "expected"),
    [
        ([], {}, None),
        ([marked("a", DEFAULT_STORAGE, "false")], {}, None),
        ([marked("a", DEFAULT_STORAGE)], {}, "a"),
        ([marked("a", "storageclass.beta.kubernetes.io/is-default-class")], {}, "a"),
        ([marked("a", DEFAULT_STORAGE)], {"storageClassName": ""}, ""),
        ([marked("a", DEFAULT_STORAGE), marked("b", DEFAULT_STORAGE, created="2026-02-01T00:00:00Z")], {}, "b"),
        ([marked("b", DEFAULT_STORAGE), marked("a", DEFAULT_STORAGE)], {}, "a"),
    ],
)
async def test_default_storage_class(classes, given, expected):
    """The newest default, unless the claim says something, even that it wants none."""
    cluster = DictCluster().hold(STORAGE, "storageclasses", *classes)
    attributes = create("persistentvolumeclaims", claim(**given), namespace="n")
    await DefaultStorageClass(cluster).admit(attributes)
    assert attributes.object["spec"].get("storageClassName") == expected


async def test_the_old_annotation_names_a_class_too():
    """volume.beta.kubernetes.io/storage-class counts as a class of one's own."""
    cluster = DictCluster().hold(STORAGE, "storageclasses", marked("a", DEFAULT_STORAGE))
    mine = claim(annotations={"volume.beta.kubernetes.io/storage-class": "mine"})
    assert await DefaultStorageClass(cluster).admit(create("persistentvolumeclaims", mine, namespace="n")) is None


ONLY_DYNAMIC = (
    'persistentvolumeclaims "c" is forbidden: only dynamically provisioned pvc can be resized and the storageclass that'
    " provisions the pvc must support resize"
)


@pytest.mark.parametrize(
    ("new", "old", "said"),
    [
        (claim("2Gi", storageClassName="growing"), claim("1Gi", storageClassName="growing"), ""),
        (claim("2Gi", storageClassName="fixed"), claim("1Gi", storageClassName="fixed"), ONLY_DYNAMIC),
        (claim("2Gi", storageClassName="gone"), claim("1Gi", storageClassName="gone"), ONLY_DYNAMIC),
        (claim("2Gi"), claim("1Gi"), ONLY_DYNAMIC),
        (claim("1Gi"), claim("2Gi"), ""),
        (claim("1024Mi"), claim("1Gi"), ""),
        (
            claim("2Gi", storageClassName="growing"),
            claim("1Gi", "Pending", storageClassName="growing"),
            'persistentvolumeclaims "c" is forbidden: Only bound persistent volume claims can be expanded',
        ),
    ],
)
async def test_claims_that_grow(new, old, said):
    """Bound ones, of a class that allows it."""
    classes = (
        {"metadata": {"name": "growing"}, "allowVolumeExpansion": True},
        {"metadata": {"name": "fixed"}},
    )
    plugin = PersistentVolumeClaimResize(DictCluster().hold(STORAGE, "storageclasses", *classes))
    assert await refusal(plugin.validate, update("persistentvolumeclaims", new, old, namespace="n")) == said


@pytest.mark.parametrize(
    ("present", "expected"),
    [
        (None, ["kubernetes.io/pvc-protection"]),
        (["x"], ["x", "kubernetes.io/pvc-protection"]),
        (["kubernetes.io/pvc-protection", "x"], ["kubernetes.io/pvc-protection", "x"]),
    ],
)
async def test_claims_are_protected(present, expected):
    """The finalizer is added once."""
    made = claim()
    if present:
        made["metadata"]["finalizers"] = present
    attributes = create("persistentvolumeclaims", made, namespace="n")
    await StorageObjectInUseProtection().admit(attributes)
    assert attributes.object["metadata"]["finalizers"] == expected


@pytest.mark.parametrize(
    ("ingress", "expected"),
    [
        ({"metadata": {"name": "i"}, "spec": {}}, "nginx"),
        ({"metadata": {"name": "i"}, "spec": {"ingressClassName": "own"}}, "own"),
        ({"metadata": {"name": "i", "annotations": {"kubernetes.io/ingress.class": "x"}}, "spec": {}}, None),
    ],
)
async def test_default_ingress_class(ingress, expected):
    """Unless the Ingress names one, in the field or by annotation."""
    default = marked("nginx", "ingressclass.kubernetes.io/is-default-class")
    cluster = DictCluster().hold(NETWORKING, "ingressclasses", default)
    attributes = create("ingresses", ingress, group=NETWORKING, namespace="n")
    await DefaultIngressClass(cluster).admit(attributes)
    assert attributes.object["spec"].get("ingressClassName") == expected


@pytest.mark.parametrize(
    ("new", "old", "refused"),
    [
        (["1.1.1.1"], None, True),
        ([], None, False),
        (["1.1.1.1"], ["1.1.1.1", "2.2.2.2"], False),
        (["3.3.3.3"], ["1.1.1.1"], True),
    ],
)
async def test_external_ips(new, old, refused):
    """None may be added, those that are there may stay."""

    def service(addresses):
        return {"metadata": {"name": "s"}, "spec": {"externalIPs": addresses}}

    asked = create("services", service(new), namespace="n")
    if old is not None:
        asked = update("services", service(new), service(old), namespace="n")
    said = await refusal(DenyServiceExternalIPs().validate, asked)
    assert said == ('services "s" is forbidden: Use of external IPs is denied by admission control' if refused else "")


def signing_request(organization, signer):
    name = x509.Name([x509.NameAttribute(x509.NameOID.ORGANIZATION_NAME, organization)])
    made = (
        x509.CertificateSigningRequestBuilder()
        .subject_name(name)
        .sign(ec.generate_private_key(ec.SECP256R1()), hashes.SHA256())
    )
    pem = base64.b64encode(made.public_bytes(serialization.Encoding.PEM)).decode()
    return {"metadata": {"name": "root"}, "spec": {"request": pem, "signerName": signer}}


@pytest.mark.parametrize(
    ("organization", "signer", "refused"),
    [
        ("system:masters", "kubernetes.io/kube-apiserver-client", True),
        ("developers", "kubernetes.io/kube-apiserver-client", False),
        ("system:masters", "example.com/any", False),
    ],
)
async def test_certificates_of_administrators(organization, signer, refused):
    """Not by kube-apiserver's own client signer."""
    asked = create("certificatesigningrequests", signing_request(organization, signer), group="certificates.k8s.io")
    said = await refusal(CertificateSubjectRestriction().validate, asked)
    assert said == (
        'certificatesigningrequests.certificates.k8s.io "root" is forbidden: use of kubernetes.io/kube-apiserver-client'
        " signer with system:masters group is not allowed"
        if refused
        else ""
    )


async def test_namespace_exists_looks_at_every_write():
    """Updates and deletions too; namespaces themselves and cluster-scoped objects are exempt."""
    plugin = NamespaceExists(DictCluster().hold("", "namespaces", namespace("n")))
    assert await refusal(plugin.validate, delete("configmaps", "a", namespace="gone")) == 'namespaces "gone" not found'
    assert await refusal(plugin.validate, delete("configmaps", "a", namespace="n")) == ""
    assert await refusal(plugin.validate, create("namespaces", namespace("new"), namespace="new")) == ""
    assert await refusal(plugin.validate, create("nodes", {"metadata": {"name": "x"}})) == ""


async def test_namespaces_are_made_on_demand():
    """As the API would have made them, not for a dry run, and once."""
    cluster = DictCluster()
    plugin = NamespaceAutoProvision(cluster)
    asked = {"metadata": {"name": "a"}}
    await plugin.admit(create("configmaps", asked, namespace="dry", dry_run=True))
    assert not cluster.stored
    for _ in range(2):
        await plugin.admit(create("configmaps", asked, namespace="new"))
    (made,) = cluster.stored.values()
    assert made["metadata"]["labels"] == {"kubernetes.io/metadata.name": "new"}
    assert made["status"] == {"phase": "Active"}
