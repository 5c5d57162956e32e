"""Mode AlwaysDeny: nobody may do anything, as kube-apiserver's authorizerfactory.NewAlwaysDenyAuthorizer."""

from __future__ import annotations

from services.authorization.attributes import Attributes, Rules, Verdict, no_opinion

VERDICT = no_opinion("Everything is forbidden.")


class AlwaysDeny:
    """Has no opinion of whatever it is asked, so that a mode behind it may still allow, as in kube-apiserver."""

    name = "AlwaysDeny"

    def authorize(self, attributes: Attributes) -> Verdict:  # noqa: ARG002
        """Give the reason for the denial."""
        return VERDICT

    def rules(self, username: str, groups: tuple[str, ...], namespace: str) -> Rules:  # noqa: ARG002
        """List nothing."""
        return Rules()
