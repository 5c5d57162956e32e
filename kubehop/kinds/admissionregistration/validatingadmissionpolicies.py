"""Validating admission policies: how they are printed."""

from __future__ import annotations

from kubehop.kinds.admissionregistration import printers
from kubehop.kinds.printing import Column

PRINTER = printers.policies(
    Column(
        "Validations",
        type="integer",
        description="Validations indicates the number of validation rules defined in this configuration",
    ),
    "validations",
)
