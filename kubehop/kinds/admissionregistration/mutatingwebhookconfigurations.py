"""Mutating webhook configurations: how they are printed."""

from __future__ import annotations

from kubehop.kinds.admissionregistration import printers

PRINTER = printers.WEBHOOKS
