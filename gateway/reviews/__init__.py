"""Resources that are answered, not kept: reviews of identity and access.

`install_reviews` is the table of verbs for single resources that `gateway.routing` prefers to the general ones.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gateway.routing import Special, Verb
    from gateway.verbs.tools import Tools


def install_reviews(tools: Tools) -> Mapping[Special, Mapping[str, Verb]]:
    """Return the verbs by group, resource and subresource, then by action."""
    return {}
