"""Events in their newer form: stored, printed and kept as core events."""

from __future__ import annotations

from kubehop.kinds.core.events import PRINTER, STRATEGY

__all__ = ["PRINTER", "STRATEGY"]
