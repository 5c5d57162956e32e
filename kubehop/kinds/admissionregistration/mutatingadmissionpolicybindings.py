"""Mutating admission policy bindings: how they are printed, and their defaults."""

from __future__ import annotations

from kubehop.kinds.admissionregistration import defaults, printers

PRINTER = printers.BINDINGS

STRATEGY = defaults.BindingStrategy
