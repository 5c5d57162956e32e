"""The group that every authenticated user has.

As kube-apiserver's AuthenticatedGroupAdder, which wraps the union of all authenticators but anonymous.
"""

from __future__ import annotations

from services.authentication.identity import (
    ALL_AUTHENTICATED,
    ALL_UNAUTHENTICATED,
    ANONYMOUS,
    Answer,
    Authenticator,
    Credentials,
    Finding,
    PerUser,
    Trail,
    User,
    then,
)


def with_authenticated_group(user: User) -> User:
    """Add system:authenticated, unless the user is anonymous or carries one of the two system groups already."""
    if user.username == ANONYMOUS or ALL_AUTHENTICATED in user.groups or ALL_UNAUTHENTICATED in user.groups:
        return user
    return User(user.username, user.uid, (*user.groups, ALL_AUTHENTICATED), user.extra)


class AuthenticatedGroupAdder:
    """Adds system:authenticated to whatever the wrapped authenticator finds."""

    name = "group-adder"

    def __init__(self, wrapped: Authenticator) -> None:
        """Wrap the union of authenticators."""
        self._wrapped = wrapped
        self._completed = PerUser(with_authenticated_group)

    def authenticate(self, credentials: Credentials, trail: Trail) -> Answer:
        """Ask the wrapped authenticator and complete its user's groups."""
        return then(self._wrapped.authenticate(credentials, trail), self._complete)

    def _complete(self, finding: Finding) -> Finding:
        if finding.user is None:
            return finding
        return finding._replace(user=self._completed(finding.user))
