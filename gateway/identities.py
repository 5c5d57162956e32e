"""Users by name: the well-known ones, and what a name says about a node or a service account.

Used by impersonation and reviews. As apiserver pkg/authentication/{user,serviceaccount}.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from kubehop.machinery import names
from kubehop.pb.authentication.v1 import ExtraValues, UserInfo

ANONYMOUS = "system:anonymous"
ALL_AUTHENTICATED = "system:authenticated"
ALL_UNAUTHENTICATED = "system:unauthenticated"
MASTERS = "system:masters"
NODES = "system:nodes"


@dataclass(frozen=True, slots=True)
class Identity:
    """A user as a value, before it becomes a message."""

    username: str
    uid: str
    groups: tuple[str, ...]
    extra: Mapping[str, list[str]]

    def to_user_info(self) -> UserInfo:
        """Return the message that stages read."""
        extra = {key: ExtraValues(values=values) for key, values in self.extra.items()}
        return UserInfo(username=self.username, uid=self.uid, groups=self.groups, extra=extra)


def node_name(username: str) -> str | None:
    """Return the node that a user name stands for, None where it is no node's."""
    if not username.startswith("system:node:"):
        return None
    name = username.removeprefix("system:node:")
    return None if names.dns1123_subdomain(name) else name


def service_account(username: str) -> tuple[str, str] | None:
    """Return the namespace and name of the service account that a user name stands for, None where it is none's."""
    if not username.startswith("system:serviceaccount:"):
        return None
    namespace, colon, name = username.removeprefix("system:serviceaccount:").partition(":")
    if not colon or ":" in name:
        return None
    if names.dns1123_label(namespace) or names.dns1123_subdomain(name):
        return None
    return namespace, name
