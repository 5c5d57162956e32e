"""Validating admission policies: how they are printed, and their defaults."""

from __future__ import annotations

from kubehop.kinds.admissionregistration import defaults, printers
from kubehop.kinds.printing import Column

PRINTER = printers.policies(
    Column(
        "Validations",
        type="integer",
        description="Validations indicates the number of validation rules defined in this configuration",
    ),
    "validations",
)

STRATEGY = defaults.PolicyStrategy
