"""The chain: kube-apiserver's order, its defaults, its flags, and what a walk leaves behind."""

from __future__ import annotations

import orjson
import pytest

from kubehop.machinery import status
from kubehop.pb.admission.v1 import DECISION_ALLOWED, DECISION_DENIED
from services.admission import chain, registry
from services.admission.plugin import Change, Mutating, Plugin, Validating
from tests.services.admission.requests import DictCluster, create, surroundings

# pkg/kubeapiserver/options/plugins.go of v1.36: AllOrderedPlugins, those off by default in brackets
ALL_ORDERED_PLUGINS = [
    "[AlwaysAdmit]",
    "[NamespaceAutoProvision]",
    "NamespaceLifecycle",
    "[NamespaceExists]",
    "[LimitPodHardAntiAffinityTopology]",
    "LimitRanger",
    "ServiceAccount",
    "[NodeRestriction]",
    "TaintNodesByCondition",
    "[AlwaysPullImages]",
    "[ImagePolicyWebhook]",
    "PodSecurity",
    "[PodNodeSelector]",
    "Priority",
    "DefaultTolerationSeconds",
    "[PodTolerationRestriction]",
    "[EventRateLimit]",
    "[ExtendedResourceToleration]",
    "DefaultStorageClass",
    "StorageObjectInUseProtection",
    "PodGroupProtection",
    "[OwnerReferencesPermissionEnforcement]",
    "PersistentVolumeClaimResize",
    "RuntimeClass",
    "CertificateApproval",
    "CertificateSigning",
    "ClusterTrustBundleAttest",
    "CertificateSubjectRestriction",
    "DefaultIngressClass",
    "[DenyServiceExternalIPs]",
    "PodTopologyLabels",
    "PodGroupWorkloadExists",
    "NodeDeclaredFeatureValidator",
    "JobValidation",
    "PodResizeValidator",
    "MutatingAdmissionPolicy",
    "MutatingAdmissionWebhook",
    "ValidatingAdmissionPolicy",
    "ValidatingAdmissionWebhook",
    "ResourceQuota",
    "[AlwaysDeny]",
]


def test_order_is_that_of_kube_apiserver():
    """Every plugin has the place and the default that kube-apiserver v1.36 gives it."""
    declared = [entry.name if entry.default_on else f"[{entry.name}]" for entry in chain.ORDER]
    assert declared == ALL_ORDERED_PLUGINS


def test_flags_add_to_and_take_from_the_defaults():
    """Enabling adds in the place of the order, disabling removes, whatever the order in the flags."""
    names = chain.enabled_names(["AlwaysDeny", "AlwaysAdmit"], ["LimitRanger", "AlwaysPullImages"])
    assert names[0] == "AlwaysAdmit"
    assert names[-1] == "AlwaysDeny"
    assert "LimitRanger" not in names
    assert names.index("NamespaceLifecycle") < names.index("ResourceQuota")


@pytest.mark.parametrize(
    ("enable", "disable", "problem"),
    [
        (["Nope"], [], 'enable-admission-plugins plugin "Nope" is unknown'),
        ([], ["Nope"], 'disable-admission-plugins plugin "Nope" is unknown'),
        (
            ["LimitRanger", "AlwaysDeny"],
            ["AlwaysDeny", "LimitRanger"],
            "[AlwaysDeny LimitRanger] in enable-admission-plugins and disable-admission-plugins overlapped",
        ),
    ],
)
def test_flags_that_make_no_sense_are_named(enable, disable, problem):
    """Unknown and overlapping names are reported in kube-apiserver's words."""
    assert problem in chain.problems_of(enable, disable)


def test_a_plugin_that_is_not_built_does_not_pretend():
    """Asking for it by name is an error, and those that are on by default are told."""
    unbuilt = next(entry for entry in chain.ORDER if entry.name not in registry.FACTORIES and not entry.gate)
    with pytest.raises(registry.SelectionError, match="is not built into kubehop yet"):
        registry.select([unbuilt.name], [])
    selection = registry.select([], [])
    assert set(selection.names) <= set(registry.FACTORIES)
    assert not set(selection.missing) & set(registry.FACTORIES)
    assert not set(selection.missing) & chain.GATED


def test_every_factory_has_a_place_and_makes_what_it_says():
    """A factory's plugin has the name of its place and takes part in at least one phase."""
    for name, factory in registry.FACTORIES.items():
        plugin = factory(surroundings(DictCluster()))
        assert name in chain.NAMES
        assert plugin.name == name
        assert isinstance(plugin, Plugin)
        assert isinstance(plugin, (Mutating, Validating))


class _Labeller:
    """Puts a label on ConfigMaps."""

    def __init__(self, key: str) -> None:
        self.name = f"Labeller-{key}"
        self.key = key
        self.asked = 0

    def handles(self, operation):
        return True

    def concerns(self, group, resource, subresource):
        self.asked += 1
        return resource == "configmaps"

    async def admit(self, attributes):
        attributes.object["metadata"].setdefault("labels", {})[self.key] = "yes"
        attributes.warn(f"labelled {self.key}")
        return Change(f"labelled with {self.key}")


class _Refuser(_Labeller):
    async def admit(self, attributes):
        raise status.forbidden("", "configmaps", "a", "because")


async def test_changes_are_recorded_one_by_one():
    """Each plugin sees what the one before made, and its evidence holds its own change alone."""
    first, second = _Labeller("a"), _Labeller("b")
    outcome = await chain.Chain([first, second]).mutate(create("configmaps", {"metadata": {"name": "c"}}))
    assert outcome.changed
    assert orjson.loads(outcome.attributes.raw)["metadata"]["labels"] == {"a": "yes", "b": "yes"}
    assert [orjson.loads(result.patch) for result in outcome.results] == [
        [{"op": "add", "path": "/metadata/labels", "value": {"a": "yes"}}],
        [{"op": "add", "path": "/metadata/labels/b", "value": "yes"}],
    ]
    assert [result.message for result in outcome.results] == ["labelled with a", "labelled with b"]
    assert outcome.attributes.warnings == ["labelled a", "labelled b"]
    assert [list(result.warnings) for result in outcome.results] == [["labelled a"], ["labelled b"]]


async def test_the_first_refusal_ends_the_walk():
    """Nobody after the plugin that refused is asked, and the evidence says who it was."""
    refuser, never = _Refuser("x"), _Labeller("b")
    walk = chain.Chain([_Labeller("a"), refuser, never])
    outcome = await walk.mutate(create("configmaps", {"metadata": {"name": "c"}}))
    assert outcome.denied_by == refuser.name
    assert outcome.denial.code == 403
    assert [result.decision for result in outcome.results] == [DECISION_ALLOWED, DECISION_DENIED]


async def test_plugins_are_chosen_once_per_kind_of_request():
    """Which plugins look at a resource is asked once; a resource that nobody looks at is never parsed."""
    plugin = _Labeller("a")
    walk = chain.Chain([plugin])
    for _ in range(3):
        outcome = await walk.mutate(create("pods", {"metadata": {"name": "p"}}))
        assert not outcome.results
        assert outcome.attributes._object is None
    assert plugin.asked == 1
