"""Cluster role bindings: how they are printed, and what all bindings share."""

from __future__ import annotations

from kubehop.kinds.printing import AGE, NAME, Column, documented
from kubehop.kinds.rbac import bindings
from kubehop.machinery.table import Printer

PRINTER = Printer(
    columns=(
        NAME,
        documented("Role", "rbac.v1.ClusterRoleBinding.roleRef"),
        AGE,
        Column("Users", description="Users in the clusterRoleBinding", priority=1),
        Column("Groups", description="Groups in the clusterRoleBinding", priority=1),
        Column("ServiceAccounts", description="ServiceAccounts in the clusterRoleBinding", priority=1),
    ),
    cells=bindings.cells,
)

STRATEGY = bindings.BindingStrategy
