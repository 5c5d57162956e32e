"""The group that may do anything: system:masters.

As kube-apiserver, which puts this authorizer before every configured mode, so that no broken policy locks the
administrators out.
"""

from __future__ import annotations

from services.authorization.attributes import ALLOW, NO_OPINION, Attributes, Rules, Verdict

SYSTEM_MASTERS = "system:masters"


class PrivilegedGroup:
    """Allows everything to one group."""

    name = "PrivilegedGroup"

    def __init__(self, group: str = SYSTEM_MASTERS) -> None:
        """Privilege this group."""
        self._group = group

    def authorize(self, attributes: Attributes) -> Verdict:
        """Allow the group's members; the reason is empty, as kube-apiserver's."""
        return ALLOW if self._group in attributes.groups else NO_OPINION

    def rules(self, username: str, groups: tuple[str, ...], namespace: str) -> Rules:  # noqa: ARG002
        """List nothing: kube-apiserver does not ask this authorizer about rules either."""
        return Rules()
