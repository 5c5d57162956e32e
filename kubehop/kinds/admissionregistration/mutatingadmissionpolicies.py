"""Mutating admission policies: how they are printed, and their defaults."""

from __future__ import annotations

from kubehop.kinds.admissionregistration import defaults, printers
from kubehop.kinds.printing import Column

PRINTER = printers.policies(
    Column(
        "Mutations",
        type="integer",
        description="Mutation indicates the number of mutations rules defined in this configuration",
    ),
    "mutations",
)

STRATEGY = defaults.MutatingPolicyStrategy
