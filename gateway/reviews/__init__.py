"""Resources that are answered, not kept: reviews of identity and access.

`install_reviews` is the table of verbs for single resources that `gateway.routing` prefers to the general ones.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gateway.routing import Special, Verb
    from gateway.verbs.tools import Tools

_ACCESS = "authorization.k8s.io"
_IDENTITY = "authentication.k8s.io"


def install_reviews(tools: Tools) -> Mapping[Special, Mapping[str, Verb]]:
    """Return the verbs by group, resource and subresource, then by action."""
    from gateway.reviews import access, identity, rules, tokens

    return {
        (_ACCESS, "selfsubjectaccessreviews", ""): {"create": access.self_subject(tools)},
        (_ACCESS, "subjectaccessreviews", ""): {"create": access.subject(tools)},
        (_ACCESS, "localsubjectaccessreviews", ""): {"create": access.subject(tools)},
        (_ACCESS, "selfsubjectrulesreviews", ""): {"create": rules.self_subject(tools)},
        (_IDENTITY, "selfsubjectreviews", ""): {"create": identity.self_subject(tools)},
        (_IDENTITY, "tokenreviews", ""): {"create": tokens.review(tools)},
    }
