"""Mode AlwaysAllow: everybody may do everything, as kube-apiserver's authorizerfactory.NewAlwaysAllowAuthorizer."""

from __future__ import annotations

from services.authorization.attributes import ALLOW, Attributes, NonResourceRule, ResourceRule, Rules, Verdict

EVERYTHING = Rules((ResourceRule(("*",), ("*",), ("*",), ()),), (NonResourceRule(("*",), ("*",)),))


class AlwaysAllow:
    """Allows whatever it is asked."""

    name = "AlwaysAllow"

    def authorize(self, attributes: Attributes) -> Verdict:  # noqa: ARG002
        """Allow."""
        return ALLOW

    def rules(self, username: str, groups: tuple[str, ...], namespace: str) -> Rules:  # noqa: ARG002
        """List one rule for all resources and one for all paths."""
        return EVERYTHING
