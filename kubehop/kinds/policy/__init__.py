"""The policy group: disruption budgets. Evictions are a subresource of pods."""

from __future__ import annotations

from kubehop.kinds.resource import Resource, served, status

RESOURCES: tuple[Resource, ...] = (
    served(
        "policy",
        "v1",
        "poddisruptionbudgets",
        "PodDisruptionBudget",
        namespaced=True,
        home="policy",
        short_names=("pdb",),
        subresources=(status("PodDisruptionBudget"),),
    ),
)
