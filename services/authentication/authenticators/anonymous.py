"""Anonymous requests: the last resort of the union, for requests without any credential.

As kube-apiserver's request/anonymous; the union asks it only when nothing before it rejected a credential.
"""

from __future__ import annotations

from services.authentication.identity import (
    ALL_UNAUTHENTICATED,
    ANONYMOUS,
    Attempt,
    Credentials,
    Finding,
    Trail,
    User,
    authenticated,
    no_opinion,
)

USER = User(ANONYMOUS, groups=(ALL_UNAUTHENTICATED,))


class AnonymousAuthenticator:
    """Lets everybody in as system:anonymous, or only on some paths."""

    name = "anonymous"

    def __init__(self, paths: frozenset[str] = frozenset()) -> None:
        """Allow anonymous requests on these paths; on all paths if there are none."""
        self._paths = paths

    def authenticate(self, credentials: Credentials, trail: Trail) -> Finding:
        """Answer with system:anonymous unless the path is not an anonymous one."""
        if self._paths and credentials.path not in self._paths:
            finding = no_opinion("anonymous requests are not allowed on this path")
        else:
            finding = authenticated(USER, credentials.audiences, "no credential was presented")
        trail.append(Attempt(self.name, finding.decision, finding.reason, 0))
        return finding
