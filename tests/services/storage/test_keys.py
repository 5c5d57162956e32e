"""The key layout, held against the paths that Kubernetes' own test of it expects."""

from __future__ import annotations

import pytest

from services.storage.errors import InvalidError
from services.storage.keys import KeyLayout, end_of, split

# (group, resource, namespace, name, key); sources: kubernetes/kubernetes test/integration/etcd/data.go, v1.36
EXPECTED = """
- configmaps ns cm1 /registry/configmaps/ns/cm1
- services ns service1 /registry/services/specs/ns/service1
- podtemplates ns pt1name /registry/podtemplates/ns/pt1name
- pods ns pod1 /registry/pods/ns/pod1
- endpoints ns ep1name /registry/services/endpoints/ns/ep1name
- resourcequotas ns rq1name /registry/resourcequotas/ns/rq1name
- limitranges ns lr1name /registry/limitranges/ns/lr1name
- namespaces - namespace1 /registry/namespaces/namespace1
- nodes - node1 /registry/minions/node1
- persistentvolumes - pv1name /registry/persistentvolumes/pv1name
- events ns event1 /registry/events/ns/event1
- persistentvolumeclaims ns pvc1 /registry/persistentvolumeclaims/ns/pvc1
- serviceaccounts ns sa1name /registry/serviceaccounts/ns/sa1name
- secrets ns secret1 /registry/secrets/ns/secret1
- replicationcontrollers ns rc1 /registry/controllers/ns/rc1
apps daemonsets ns ds6 /registry/daemonsets/ns/ds6
apps deployments ns deployment4 /registry/deployments/ns/deployment4
apps statefulsets ns ss3 /registry/statefulsets/ns/ss3
apps replicasets ns rs3 /registry/replicasets/ns/rs3
apps controllerrevisions ns crs3 /registry/controllerrevisions/ns/crs3
autoscaling horizontalpodautoscalers ns hpa2 /registry/horizontalpodautoscalers/ns/hpa2
batch jobs ns job1 /registry/jobs/ns/job1
batch cronjobs ns cjv1 /registry/cronjobs/ns/cjv1
certificates.k8s.io certificatesigningrequests - csr2 /registry/certificatesigningrequests/csr2
coordination.k8s.io leases ns leasev1 /registry/leases/ns/leasev1
discovery.k8s.io endpointslices ns slicev1 /registry/endpointslices/ns/slicev1
events.k8s.io events ns event3 /registry/events/ns/event3
networking.k8s.io ingresses ns ingress3 /registry/ingress/ns/ingress3
networking.k8s.io ingressclasses - ingressclass3 /registry/ingressclasses/ingressclass3
networking.k8s.io networkpolicies ns np2 /registry/networkpolicies/ns/np2
networking.k8s.io ipaddresses - 192.168.2.3 /registry/ipaddresses/192.168.2.3
networking.k8s.io servicecidrs - range-b2 /registry/servicecidrs/range-b2
policy poddisruptionbudgets ns pdbv1 /registry/poddisruptionbudgets/ns/pdbv1
flowcontrol.apiserver.k8s.io flowschemas - fs-3 /registry/flowschemas/fs-3
flowcontrol.apiserver.k8s.io prioritylevelconfigurations - conf5 /registry/prioritylevelconfigurations/conf5
storage.k8s.io volumeattachments - va3 /registry/volumeattachments/va3
storage.k8s.io volumeattributesclasses - vac3 /registry/volumeattributesclasses/vac3
storage.k8s.io storageclasses - sc2 /registry/storageclasses/sc2
storage.k8s.io csistoragecapacities ns csc-12345-3 /registry/csistoragecapacities/ns/csc-12345-3
storage.k8s.io csinodes - csini2 /registry/csinodes/csini2
storage.k8s.io csidrivers - csid2 /registry/csidrivers/csid2
rbac.authorization.k8s.io roles ns role3 /registry/roles/ns/role3
rbac.authorization.k8s.io clusterroles - crole3 /registry/clusterroles/crole3
rbac.authorization.k8s.io rolebindings ns roleb3 /registry/rolebindings/ns/roleb3
rbac.authorization.k8s.io clusterrolebindings - croleb3 /registry/clusterrolebindings/croleb3
admissionregistration.k8s.io validatingwebhookconfigurations - h /registry/validatingwebhookconfigurations/h
admissionregistration.k8s.io mutatingwebhookconfigurations - h /registry/mutatingwebhookconfigurations/h
admissionregistration.k8s.io validatingadmissionpolicies - vap1 /registry/validatingadmissionpolicies/vap1
admissionregistration.k8s.io validatingadmissionpolicybindings - pb1 /registry/validatingadmissionpolicybindings/pb1
scheduling.k8s.io priorityclasses - pc3 /registry/priorityclasses/pc3
node.k8s.io runtimeclasses - rc3 /registry/runtimeclasses/rc3
resource.k8s.io deviceclasses - class4name /registry/deviceclasses/class4name
resource.k8s.io resourceclaims ns claim4name /registry/resourceclaims/ns/claim4name
resource.k8s.io resourceslices - node4slice /registry/resourceslices/node4slice
apiregistration.k8s.io apiservices - as2.foo.com /registry/apiregistration.k8s.io/apiservices/as2.foo.com
apiextensions.k8s.io customresourcedefinitions - a.b /registry/apiextensions.k8s.io/customresourcedefinitions/a.b
cr.bar.com foos ns cr1foo /registry/cr.bar.com/foos/ns/cr1foo
custom.fancy.com pants - cr2pant /registry/custom.fancy.com/pants/cr2pant
"""
ROWS = [line.split() for line in EXPECTED.strip().splitlines()]


@pytest.mark.parametrize(("group", "resource", "namespace", "name", "key"), ROWS, ids=[row[-1] for row in ROWS])
def test_keys_of_every_kind(group: str, resource: str, namespace: str, name: str, key: str) -> None:
    """Each kind lives where kube-apiserver keeps it."""
    group, namespace = group.strip("-"), namespace.strip("-")
    place = KeyLayout().place(group, resource, namespace, name)
    assert place.key == key
    assert key.startswith(place.prefix)
    assert place.prefix.startswith(place.resource_prefix)
    assert split(key, place.resource_prefix) == (namespace, name)
    assert place.built_in is (group not in ("cr.bar.com", "custom.fancy.com"))
    collection = KeyLayout().place(group, resource, "", "")
    assert collection.key is None
    assert collection.prefix == place.resource_prefix


def test_custom_resources_in_groups_of_kubernetes() -> None:
    """A custom resource keeps its group in the key even where the group is one of Kubernetes' own."""
    assert KeyLayout().place("gateway.networking.k8s.io", "gateways", "ns", "a").key == (
        "/registry/gateway.networking.k8s.io/gateways/ns/a"
    )
    place = KeyLayout().place("policy", "widgets", "", "a")
    assert (place.key, place.built_in) == ("/registry/policy/widgets/a", False)


def test_another_root() -> None:
    """The prefix can be set, with or without slashes."""
    for root in ("/other/root", "other/root/"):
        assert KeyLayout(root).place("", "pods", "ns", "a").key == "/other/root/pods/ns/a"


def test_keys_do_not_lead_elsewhere() -> None:
    """Names that would leave the collection are refused."""
    for parts in (("", "pods", "..", "a"), ("", "pods", "ns", "a/b"), ("a/b", "pods", "", ""), ("", "", "", "")):
        with pytest.raises(InvalidError):
            KeyLayout().place(*parts)
    with pytest.raises(InvalidError):
        KeyLayout().place("", "widgets", "", "a")


def test_end_of_prefix() -> None:
    """The end of a prefix is behind all its keys and before what follows."""
    prefix = "/registry/pods/ns/"
    assert prefix < prefix + "\U0010ffff" < end_of(prefix) < "/registry/pods/ns1/"
