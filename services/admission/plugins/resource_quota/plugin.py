"""The plugin ResourceQuota. The ledger and the evaluators do its work.

It comes last of the validating phase, when nothing else can refuse the request any more. What is deleted is given back
by the quota controller, as in a cluster. Source of the behaviour:
apiserver pkg/admission/plugin/resourcequota/admission.go.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from kubehop.pb.admission.v1 import Operation
from services.admission.attributes import CREATE, UPDATE, Attributes
from services.admission.cluster import Cluster
from services.admission.plugins.resource_quota import evaluators
from services.admission.plugins.resource_quota.claims import Claims
from services.admission.plugins.resource_quota.evaluators import Evaluator
from services.admission.plugins.resource_quota.judging import Limited, Question
from services.admission.plugins.resource_quota.ledger import Ledger
from services.admission.plugins.resource_quota.pods import Pods

_REMEMBERED: Final = 1024


class ResourceQuota:
    """See the module."""

    name: Final = "ResourceQuota"

    def __init__(self, cluster: Cluster, limited: Sequence[Limited] = ()) -> None:
        self._ledger = Ledger(cluster)
        self._limited = tuple(limited)
        self._evaluators: dict[tuple[str, str], Evaluator] = {
            ("", "pods"): Pods(),
            ("", "services"): evaluators.Services(),
            ("", "persistentvolumeclaims"): Claims(),
        }

    def handles(self, operation: Operation) -> bool:
        """Creations and updates."""
        return operation in {CREATE, UPDATE}

    def concerns(self, group: str, resource: str, subresource: str) -> bool:
        """Whatever can be counted; subresources where they change what is used."""
        if (group, resource) in evaluators.IGNORED:
            return False
        return not subresource or (group, resource) in self._evaluators

    async def validate(self, attributes: Attributes) -> None:
        """Charge the quotas of the namespace, or refuse."""
        namespace = attributes.namespace
        if not namespace or (attributes.kind == "Namespace" and not attributes.kind_group):
            return
        evaluator = self._evaluator_of(attributes.group, attributes.resource)
        if not evaluator.handles(attributes):
            return
        if not self._limited and not self._ledger.quotas(namespace):
            return
        await self._ledger.charge(namespace, Question(attributes, evaluator, self._limited))

    def _evaluator_of(self, group: str, resource: str) -> Evaluator:
        found = self._evaluators.get((group, resource))
        if found is None:
            found = evaluators.counting(group, resource)
            if len(self._evaluators) < _REMEMBERED:
                self._evaluators[group, resource] = found
        return found
