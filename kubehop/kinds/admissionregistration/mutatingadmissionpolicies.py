"""Mutating admission policies: how they are printed."""

from __future__ import annotations

from kubehop.kinds.admissionregistration import printers
from kubehop.kinds.printing import Column

PRINTER = printers.policies(
    Column(
        "Mutations",
        type="integer",
        description="Mutation indicates the number of mutations rules defined in this configuration",
    ),
    "mutations",
)
