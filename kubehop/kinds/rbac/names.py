"""Names of roles and bindings: anything that fits a URL, `system:node` among them."""

from __future__ import annotations

from kubehop.kinds.strategy import NEW_TWICE, Strategy
from kubehop.machinery import names


class RBACStrategy(Strategy):
    """The strategy of roles and their bindings."""

    creates_on_update = True
    update_steps = NEW_TWICE

    def name_rule(self, name: str, prefix: bool) -> list[str]:
        """Take what fits a URL."""
        return names.name_is_path_segment(name, prefix)
