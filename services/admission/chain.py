"""The chain: every admission plugin of kube-apiserver v1.36 in its order, which are on, and the walk through them.

`ORDER` mirrors pkg/kubeapiserver/options/plugins.go. The mutating phase walks the list from top to bottom with the
plugins that mutate, the validating phase again with those that validate. `services.admission.servicer` calls it,
`services.admission.registry` builds the plugins that it walks.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple, TypeVar

import orjson

from kubehop.machinery.status import StatusError
from kubehop.pb.admission.v1 import DECISION_ALLOWED, DECISION_DENIED, Operation, PluginResult
from services.admission import json_diff
from services.admission.attributes import Attributes
from services.admission.plugin import Mutating, Plugin, Validating

_K = TypeVar("_K")
_V = TypeVar("_V")


class Entry(NamedTuple):
    """One plugin's place."""

    name: str
    default_on: bool
    gate: str = ""
    """Feature gate, off in v1.36, without which the plugin does nothing; empty for a plugin that acts."""


def _on(name: str, *, gate: str = "") -> Entry:
    return Entry(name, default_on=True, gate=gate)


def _off(name: str) -> Entry:
    return Entry(name, default_on=False)


ORDER: Final[tuple[Entry, ...]] = (
    _off("AlwaysAdmit"),
    # a namespace that is made on demand must exist before anybody asks for it
    _off("NamespaceAutoProvision"),
    _on("NamespaceLifecycle"),
    _off("NamespaceExists"),
    _off("LimitPodHardAntiAffinityTopology"),
    _on("LimitRanger"),
    _on("ServiceAccount"),
    _off("NodeRestriction"),
    _on("TaintNodesByCondition"),
    _off("AlwaysPullImages"),
    _off("ImagePolicyWebhook"),
    _on("PodSecurity"),
    _off("PodNodeSelector"),
    _on("Priority"),
    _on("DefaultTolerationSeconds"),
    _off("PodTolerationRestriction"),
    _off("EventRateLimit"),
    _off("ExtendedResourceToleration"),
    _on("DefaultStorageClass"),
    _on("StorageObjectInUseProtection"),
    _on("PodGroupProtection", gate="GenericWorkload"),
    _off("OwnerReferencesPermissionEnforcement"),
    _on("PersistentVolumeClaimResize"),
    _on("RuntimeClass"),
    _on("CertificateApproval"),
    _on("CertificateSigning"),
    _on("ClusterTrustBundleAttest", gate="ClusterTrustBundle"),
    _on("CertificateSubjectRestriction"),
    _on("DefaultIngressClass"),
    _off("DenyServiceExternalIPs"),
    _on("PodTopologyLabels"),
    _on("PodGroupWorkloadExists", gate="GenericWorkload"),
    _on("NodeDeclaredFeatureValidator"),
    _on("JobValidation", gate="WorkloadWithJob"),
    _on("PodResizeValidator"),
    # policies and webhooks see what the plugins above made of the object
    _on("MutatingAdmissionPolicy"),
    _on("MutatingAdmissionWebhook"),
    _on("ValidatingAdmissionPolicy"),
    _on("ValidatingAdmissionWebhook"),
    # usage is charged last, when nothing else can refuse any more
    _on("ResourceQuota"),
    _off("AlwaysDeny"),
)

NAMES: Final = frozenset(entry.name for entry in ORDER)
GATED: Final = frozenset(entry.name for entry in ORDER if entry.gate)


def enabled_names(enable: Iterable[str], disable: Iterable[str]) -> list[str]:
    """The plugins that are on, in order: the defaults less `disable`, plus `enable`.

    apiserver: pkg/server/options/admission.go, enabledPluginNames.
    """
    wanted, unwanted = set(enable), set(disable)
    return [entry.name for entry in ORDER if entry.name in wanted or (entry.default_on and entry.name not in unwanted)]


def problems_of(enable: Sequence[str], disable: Sequence[str]) -> list[str]:
    """What is wrong with the two flags, in kube-apiserver's words; an empty list when nothing is."""
    problems = [f"enable-admission-plugins plugin {quoted(name)} is unknown" for name in enable if name not in NAMES]
    problems += [f"disable-admission-plugins plugin {quoted(name)} is unknown" for name in disable if name not in NAMES]
    both = sorted(set(enable) & set(disable))
    if both:
        problems.append(f"[{' '.join(both)}] in enable-admission-plugins and disable-admission-plugins overlapped")
    return problems


def quoted(name: str) -> str:
    """A name as Go prints it with %q."""
    return orjson.dumps(name).decode()


@dataclass(slots=True)
class Outcome:
    """What a phase came to."""

    attributes: Attributes
    denial: StatusError | None = None
    denied_by: str = ""
    changed: bool = False
    results: list[PluginResult] = field(default_factory=list)


class Chain:
    """The plugins that are on, in order."""

    # more combinations of operation and resource than any server has; a fuzzer must not grow the memory for ever
    _REMEMBERED: Final = 4096

    def __init__(self, plugins: Sequence[Plugin]) -> None:
        self.plugins = tuple(plugins)
        self._mutating: dict[tuple[int, str, str, str], tuple[Mutating, ...]] = {}
        self._validating: dict[tuple[int, str, str, str], tuple[Validating, ...]] = {}

    def mutating(self, operation: Operation, group: str, resource: str, subresource: str) -> tuple[Mutating, ...]:
        """The plugins of the mutating phase that look at this operation on this resource."""
        key = (operation, group, resource, subresource)
        found = self._mutating.get(key)
        if found is None:
            found = tuple(p for p in self._concerned(*key) if isinstance(p, Mutating))
            _remember(self._mutating, key, found, self._REMEMBERED)
        return found

    def validating(self, operation: Operation, group: str, resource: str, subresource: str) -> tuple[Validating, ...]:
        """The plugins of the validating phase that look at this operation on this resource."""
        key = (operation, group, resource, subresource)
        found = self._validating.get(key)
        if found is None:
            found = tuple(p for p in self._concerned(*key) if isinstance(p, Validating))
            _remember(self._validating, key, found, self._REMEMBERED)
        return found

    def _concerned(self, operation: Operation, group: str, resource: str, subresource: str) -> list[Plugin]:
        return [p for p in self.plugins if p.handles(operation) and p.concerns(group, resource, subresource)]

    async def mutate(self, attributes: Attributes) -> Outcome:
        """Walk the mutating phase; the first refusal ends it.

        Where a webhook changed the object, everything walks once more, so that nobody's part is undone or missed
        (apiserver: pkg/admission/reinvocation.go). Of the second walk the evidence has what was said or done in it.
        """
        outcome = Outcome(attributes)
        await self._walk(outcome)
        if attributes.reinvocation.wanted and outcome.denial is None:
            attributes.reinvocation.running = True
            await self._walk(outcome)
        return outcome

    async def _walk(self, outcome: Outcome) -> None:
        attributes = outcome.attributes
        again = attributes.reinvocation.running
        plugins = self.mutating(attributes.operation, attributes.group, attributes.resource, attributes.subresource)
        for plugin in plugins:
            began = time.perf_counter_ns()
            said = len(attributes.warnings)
            result = PluginResult(name=plugin.name, decision=DECISION_ALLOWED)
            try:
                change = await plugin.admit(attributes)
            except StatusError as denial:
                _refuse(outcome, plugin, denial, result)
            else:
                if change is not None:
                    before, _ = attributes.commit()
                    result.message = change.summary
                    result.patch = orjson.dumps(json_diff.diff(before, attributes.object))
                    outcome.changed = True
            if len(attributes.warnings) > said:
                result.warnings.extend(attributes.warnings[said:])
            result.duration_us = (time.perf_counter_ns() - began) // 1000
            if not again or result.message or result.warnings:
                outcome.results.append(result)
            if outcome.denial is not None:
                break

    async def validate(self, attributes: Attributes) -> Outcome:
        """Walk the validating phase; the first refusal ends it."""
        outcome = Outcome(attributes)
        plugins = self.validating(attributes.operation, attributes.group, attributes.resource, attributes.subresource)
        for plugin in plugins:
            began = time.perf_counter_ns()
            said = len(attributes.warnings)
            result = PluginResult(name=plugin.name, decision=DECISION_ALLOWED)
            try:
                await plugin.validate(attributes)
            except StatusError as denial:
                _refuse(outcome, plugin, denial, result)
            if len(attributes.warnings) > said:
                result.warnings.extend(attributes.warnings[said:])
            result.duration_us = (time.perf_counter_ns() - began) // 1000
            outcome.results.append(result)
            if outcome.denial is not None:
                break
        return outcome


def _refuse(outcome: Outcome, plugin: Plugin, denial: StatusError, result: PluginResult) -> None:
    outcome.denial = denial
    outcome.denied_by = plugin.name
    result.decision = DECISION_DENIED
    result.message = str(denial)


def _remember(known: dict[_K, _V], key: _K, value: _V, limit: int) -> None:
    if len(known) >= limit:
        known.clear()
    known[key] = value
