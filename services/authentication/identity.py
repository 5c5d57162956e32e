"""What authenticators read and what they answer: credentials, users, findings and the trail of evidence.

The servicer makes `Credentials` from a request, every authenticator turns them into a `Finding`, and the servicer
turns the last finding and the trail back into the answer. Nothing here repeats a credential in a reason.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from time import perf_counter_ns
from typing import Generic, NamedTuple, Protocol, TypeVar

from kubehop.pb.authentication.v1 import (
    DECISION_AUTHENTICATED,
    DECISION_NO_OPINION,
    DECISION_REJECTED,
    Decision,
)

ANONYMOUS = "system:anonymous"
ALL_AUTHENTICATED = "system:authenticated"
ALL_UNAUTHENTICATED = "system:unauthenticated"
CREDENTIAL_ID = "authentication.kubernetes.io/credential-id"
"""Key of the extra attribute that identifies the credential, never the credential itself."""

Made = TypeVar("Made")


@dataclass(frozen=True, slots=True)
class User:
    """An identity, as kube-apiserver's user.Info has it."""

    username: str
    uid: str = ""
    groups: tuple[str, ...] = ()
    extra: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


class Credentials(NamedTuple):
    """What a client presented."""

    peer_certificates: Sequence[bytes]
    """Certificates of the TLS client, DER, leaf first."""
    headers: Mapping[str, Sequence[str]]
    """Values of each header by lower-case name, in the order received."""
    method: str
    path: str
    audiences: tuple[str, ...]
    """Audiences that the caller accepts; empty where the server has none."""

    def header(self, name: str) -> str:
        """Return the first value of a header, or an empty string (Go's http.Header.Get)."""
        values = self.headers.get(name)
        return values[0] if values else ""


class Finding(NamedTuple):
    """The answer of one authenticator."""

    decision: Decision
    user: User | None = None
    """Set if and only if the decision is authenticated."""
    audiences: tuple[str, ...] = ()
    reason: str = ""
    warnings: tuple[str, ...] = ()


class Attempt(NamedTuple):
    """One authenticator's part in a decision: the evidence."""

    authenticator: str
    decision: Decision
    reason: str
    duration_us: int


Trail = list[Attempt]


Answer = Finding | Awaitable[Finding]
"""What an authenticator returns: a finding if it can tell at once, else something to wait for.

Most can, and an answer at once costs no task on the way through the hop.
"""


class Authenticator(Protocol):
    """Looks at a request's credentials. Never raises for a bad credential: that is a rejection."""

    @property
    def name(self) -> str:
        """Name in the evidence, for example "x509"."""
        ...

    def authenticate(self, credentials: Credentials, trail: Trail) -> Answer:
        """Decide, and leave an attempt in the trail for every authenticator that was asked."""
        ...


class TokenAuthenticator(Protocol):
    """Looks at a bearer token, wherever it came from."""

    @property
    def name(self) -> str:
        """Name in the evidence, for example "tokenfile"."""
        ...

    def authenticate_token(self, token: str, credentials: Credentials) -> Answer:
        """Decide whose token this is; no opinion where it is not one of ours."""
        ...


class PerUser(Generic[Made]):
    """Something made of a user, remembered for as long as the same `User` keeps coming.

    Authenticators hold on to their users (a token's, a verified certificate's), so that identity is enough of a key;
    users that live for one request only, fill the memory until it is emptied.
    """

    __slots__ = ("_bound", "_made", "_make")

    def __init__(self, make: Callable[[User], Made], bound: int = 4096) -> None:
        """Make with this; remember no more than bound users."""
        self._make = make
        self._bound = bound
        self._made: dict[int, tuple[User, Made]] = {}

    def __call__(self, user: User) -> Made:
        """Return what was made of this user, making it if need be."""
        # the user is kept beside it, so that its id cannot become another's
        known = self._made.get(id(user))
        if known is not None:
            return known[1]
        if len(self._made) >= self._bound:
            self._made.clear()
        made = self._make(user)
        self._made[id(user)] = (user, made)
        return made


def authenticated(user: User, audiences: tuple[str, ...] = (), reason: str = "") -> Finding:
    """Name the user."""
    return Finding(DECISION_AUTHENTICATED, user, audiences, reason)


def rejected(reason: str) -> Finding:
    """Refuse a credential that was presented and is not valid."""
    return Finding(DECISION_REJECTED, None, (), reason)


def no_opinion(reason: str, warnings: tuple[str, ...] = ()) -> Finding:
    """Leave it to the next authenticator."""
    return Finding(DECISION_NO_OPINION, None, (), reason, warnings)


def then(answer: Answer, proceed: Callable[[Finding], Answer]) -> Answer:
    """Go on with a finding: now if it is there, else when it comes."""
    return proceed(answer) if isinstance(answer, Finding) else _then(answer, proceed)


async def _then(answer: Awaitable[Finding], proceed: Callable[[Finding], Answer]) -> Finding:
    following = proceed(await answer)
    return following if isinstance(following, Finding) else await following


def attempt(name: str, ask: Callable[[], Answer], trail: Trail) -> Answer:
    """Ask a leaf of the union and note how it went."""
    started = perf_counter_ns()

    def note(finding: Finding) -> Finding:
        trail.append(Attempt(name, finding.decision, finding.reason, (perf_counter_ns() - started) // 1000))
        return finding

    return then(ask(), note)


def aggregate(reasons: Sequence[str]) -> str:
    """Join reasons as apimachinery's errors.Aggregate prints them: one as it is, several in brackets, none twice."""
    unique = tuple(dict.fromkeys(reasons))
    return unique[0] if len(unique) == 1 else "[" + ", ".join(unique) + "]"
