"""Lets a user act as another one, where authorization says so for every attribute taken over.

After audit (which keeps the real user), before max in flight and authorization (which see the impersonated one). Each
attribute costs a hop of its own. Constrained impersonation first (may this user do just this request as somebody
else?), then the old all-or-nothing verb; the refusal of the first
that is tried is what the client reads.
As kube-apiserver: pkg/endpoints/filters/impersonation, without its caches of
decisions: here every decision is a hop.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from gateway.answers import Answer
from gateway.authorizing import attributes_of, denied
from gateway.backends import Authorizer
from gateway.chain import Handler
from gateway.context import Headers, RequestContext
from gateway.identities import (
    ALL_AUTHENTICATED,
    ALL_UNAUTHENTICATED,
    ANONYMOUS,
    MASTERS,
    NODES,
    Identity,
    node_name,
    service_account,
)
from kubehop.machinery import fields, names, status
from kubehop.machinery.gotext import quote
from kubehop.machinery.status import StatusError
from kubehop.pb.authentication.v1 import UserInfo
from kubehop.pb.authorization.v1 import DECISION_ALLOW, Attributes

_PREFIX = "impersonate-"
_EXTRA_PREFIX = "impersonate-extra-"
_MANY = 4
"""From so many groups or extra values on, one question for all of them is tried before one for each."""
_NODE_OF_SERVICE_ACCOUNT = "authentication.kubernetes.io/node-name"
_ASSOCIATED = "associated-node"
_EXTRA_KEY = fields.Path("extra", "key")


class Mode(NamedTuple):
    """A way to impersonate: its name in verbs, "" for the old one."""

    name: str

    @property
    def verb(self) -> str:
        """The verb that the attributes are asked about."""
        return f"impersonate:{self.name}" if self.name else "impersonate"

    def takes(self, wanted: Identity, requester: UserInfo) -> bool:
        """Say whether this mode is for such a user at all."""
        bare = not wanted.uid and not wanted.groups and not wanted.extra
        node, account = node_name(wanted.username), service_account(wanted.username)
        match self.name:
            case "associated-node":
                own = requester.extra[_NODE_OF_SERVICE_ACCOUNT].values if requester.extra else []
                return bare and node is not None and service_account(requester.username) is not None and own == [node]
            case "arbitrary-node":
                return bare and node is not None
            case "serviceaccount":
                return bare and account is not None
            case "user-info":
                return node is None and account is None
            case _:
                return True


MODES = (Mode(_ASSOCIATED), Mode("arbitrary-node"), Mode("serviceaccount"), Mode("user-info"), Mode(""))


_REMEMBERED_MODES = 10_000
"""Users whose last mode is remembered; the one that was used least recently is forgotten first."""


class LastModes:
    """Which mode each user last succeeded with: it is tried first the next time, and decides nothing."""

    def __init__(self) -> None:
        self._modes: dict[str, Mode] = {}

    def order(self, username: str) -> Sequence[Mode]:
        """Return all modes in the order in which they are tried for this user."""
        last = self._modes.get(username)
        return MODES if last is None else (last, *(mode for mode in MODES if mode is not last))

    def succeeded(self, username: str, mode: Mode) -> None:
        """Remember a success."""
        self._modes.pop(username, None)
        if len(self._modes) >= _REMEMBERED_MODES:
            del self._modes[next(iter(self._modes))]
        self._modes[username] = mode


def wrap(handler: Handler, authorizer: Authorizer) -> Handler:
    """Return the handler that sees the impersonated user as the user."""
    modes = LastModes()

    async def with_impersonation(request: RequestContext) -> Answer:
        wanted = wanted_user(request.headers)
        if wanted is not None:
            request.user = await _impersonate(request, authorizer, modes, wanted)
        return await handler(request)

    return with_impersonation


def wanted_user(headers: Headers) -> Identity | None:
    """Return the user that the headers ask for, None where they ask for none. Raises 400 for parts without a name."""
    found: dict[str, list[str]] = {}
    for name, value in headers.items():
        if name[:1] in "Ii" and (lower := name.lower()).startswith(_PREFIX):
            found.setdefault(lower, []).append(value)
    if not found:
        return None
    extra: dict[str, list[str]] = {}
    for name, values in found.items():
        if name.startswith(_EXTRA_PREFIX):
            extra.setdefault(_unescape(name[len(_EXTRA_PREFIX) :]), []).extend(values)
    wanted = Identity(
        username=found.get("impersonate-user", [""])[0],
        uid=found.get("impersonate-uid", [""])[0],
        groups=tuple(found.get("impersonate-group", ())),
        extra=extra,
    )
    if wanted.username:
        return wanted
    if wanted.uid or wanted.groups or extra:
        raise status.bad_request(f"requested {_go_value(wanted)} without impersonating a user name")
    return None


async def _impersonate(request: RequestContext, authorizer: Authorizer, modes: LastModes, wanted: Identity) -> UserInfo:
    refusal: StatusError | None = None
    requester = request.user.username
    for mode in modes.order(requester):
        if not mode.takes(wanted, request.user):
            continue
        try:
            user = await _Check(request, authorizer, mode).run(wanted)
        except StatusError as error:
            if error.code != 403:
                raise
            refusal = refusal or error
        else:
            modes.succeeded(requester, mode)
            return user
    raise refusal or status.internal_error("all impersonation modes failed")


class _Check:
    """One attempt in one mode."""

    def __init__(self, request: RequestContext, authorizer: Authorizer, mode: Mode) -> None:
        self._request = request
        self._authorizer = authorizer
        self._mode = mode
        self._group = "authentication.k8s.io" if mode.name else ""

    async def run(self, wanted: Identity) -> UserInfo:
        """Ask about every attribute; return the user as the rest of the chain sees it."""
        if self._mode.name:
            attributes = attributes_of(self._request.info)
            attributes.verb = f"impersonate-on:{self._mode.name}:{attributes.verb}"
            await self._ask(attributes)
        groups = await self._username(wanted)
        if wanted.uid:
            await self._ask(self._attributes("uids", wanted.uid, "authentication.k8s.io"))
        await self._groups(wanted.groups)
        await self._extra(wanted.extra)
        if wanted.username == ANONYMOUS:
            groups = _with(groups, ALL_UNAUTHENTICATED)
        elif ALL_UNAUTHENTICATED not in groups:
            groups = _with(groups, ALL_AUTHENTICATED)
        return Identity(wanted.username, wanted.uid, groups, wanted.extra).to_user_info()

    async def _username(self, wanted: Identity) -> tuple[str, ...]:
        attributes = self._attributes("users", wanted.username, self._group)
        groups = wanted.groups
        if self._mode.name and (node := node_name(wanted.username)) is not None:
            attributes.resource, attributes.name = "nodes", node
            groups = (NODES,)
        if (account := service_account(wanted.username)) is not None:
            attributes.resource, attributes.namespace, attributes.name = "serviceaccounts", account[0], account[1]
            if not wanted.groups:
                groups = ("system:serviceaccounts", f"system:serviceaccounts:{account[0]}")
        if self._mode.name == _ASSOCIATED:
            attributes.name = "*"
        await self._ask(attributes)
        return groups

    async def _groups(self, groups: tuple[str, ...]) -> None:
        if not groups:
            return
        attributes = self._attributes("groups", "", self._group)
        if self._mode.name:
            if "" in groups:
                raise self._denied(attributes, "impersonating the empty string group is not allowed")
            if MASTERS in groups:
                attributes.name = MASTERS
                raise self._denied(attributes, "impersonating the system:masters group is not allowed")
            if len(groups) >= _MANY and await self._allowed(self._attributes("groups", "*", self._group)):
                return
        for group in groups:
            await self._ask(self._attributes("groups", group, self._group))

    async def _extra(self, extra: Mapping[str, list[str]]) -> None:
        if not extra:
            return
        if self._mode.name:
            if problem := _extra_problem(extra):
                raise self._denied(self._attributes("userextras", "", "authentication.k8s.io"), problem)
            if len(extra) >= _MANY or sum(map(len, extra.values())) >= _MANY:
                everything = self._attributes("userextras", "*", "authentication.k8s.io")
                everything.subresource = "*"
                if await self._allowed(everything):
                    return
        for key, values in extra.items():
            for value in values:
                attributes = self._attributes("userextras", value, "authentication.k8s.io")
                attributes.subresource = key
                await self._ask(attributes)

    def _attributes(self, resource: str, name: str, group: str) -> Attributes:
        return Attributes(
            verb=self._mode.verb, resource_request=True, api_group=group, api_version="v1", resource=resource, name=name
        )

    def _denied(self, attributes: Attributes, reason: str) -> StatusError:
        return denied(self._request.user.username, attributes, reason)

    def _asker(self) -> UserInfo:
        """Who asks: a service account that acts as its own node is asked about without what ties it to the node."""
        user = self._request.user
        if self._mode.name != _ASSOCIATED:
            return user
        kept = {"authentication.kubernetes.io/associated-node-keys": sorted(user.extra)}
        return Identity(user.username, user.uid, tuple(user.groups), kept).to_user_info()

    async def _allowed(self, attributes: Attributes) -> bool:
        verdict = await self._authorizer.authorize(self._request, self._asker(), attributes)
        return verdict.decision == DECISION_ALLOW

    async def _ask(self, attributes: Attributes) -> None:
        verdict = await self._authorizer.authorize(self._request, self._asker(), attributes)
        if verdict.decision != DECISION_ALLOW:
            self._request.head.append("X-Content-Type-Options: nosniff\r\n")
            raise self._denied(attributes, verdict.reason)


def _extra_problem(extra: Mapping[str, list[str]]) -> str:
    for key, values in extra.items():
        if not key:
            return "impersonating the empty string key in extra is not allowed"
        if problems := names.domain_prefixed_path(_EXTRA_KEY, key):
            return f"impersonating an invalid key in extra is not allowed: {fields.to_aggregate(problems)}"
        if key != key.lower():
            return f"impersonating a non-lowercase key in extra is not allowed: {quote(key)}"
        if not values:
            return "impersonating empty values in extra is not allowed"
        if "" in values:
            return "impersonating the empty string value in extra is not allowed"
    return ""


def _with(groups: tuple[str, ...], group: str) -> tuple[str, ...]:
    return groups if group in groups else (*groups, group)


def _unescape(key: str) -> str:
    """Decode a percent-encoded key; one that is malformed stays as it is."""
    import re
    from urllib.parse import unquote

    return key if re.search(r"%(?![0-9a-fA-F]{2})", key) else unquote(key)


def _go_value(user: Identity) -> str:
    """Print a user as Go's %#v prints a *user.DefaultInfo: the message of a request without a user name says so."""
    groups = f"[]string{{{', '.join(map(quote, user.groups))}}}" if user.groups else "[]string(nil)"
    extra = "map[string][]string(nil)"
    if user.extra:
        entries = (
            f"{quote(key)}:[]string{{{', '.join(map(quote, values))}}}" for key, values in sorted(user.extra.items())
        )
        extra = f"map[string][]string{{{', '.join(entries)}}}"
    return f"&user.DefaultInfo{{Name:{quote(user.username)}, UID:{quote(user.uid)}, Groups:{groups}, Extra:{extra}}}"
