"""Cluster roles: what may be written."""

from __future__ import annotations

from kubehop.kinds.rbac.names import RBACStrategy

STRATEGY = RBACStrategy
