"""Flags of the authentication stage, named as kube-apiserver's where it has them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from kubehop.hop.settings import (
    Flags,
    StageFlags,
    StageSettings,
    Values,
    boolean,
    names,
    readable_file,
    seconds,
    text,
)
from services.authentication.configuration import Configuration, configuration_file
from services.authentication.issuer import IssuerSettings, problems

DEFAULT_AUDIENCE = "https://kubernetes.default.svc"
"""The API server's audience, which kube-apiserver takes from the issuer of its service account tokens."""


@dataclass(frozen=True, slots=True)
class ServiceAccountSettings:
    """Tokens of service accounts."""

    issuer: IssuerSettings
    signing_key_file: Path | None = None
    """Private key that signs new tokens; None issues none."""
    key_files: tuple[Path, ...] = ()
    """Keys that tokens are verified with; without any, the signing key."""


@dataclass(frozen=True, slots=True)
class FrontProxySettings:
    """Proxies that authenticate users themselves."""

    client_ca_file: Path | None = None
    """CA of the proxies' certificates; None believes no headers."""
    allowed_names: tuple[str, ...] = ()
    """Common names of proxies; any if there is none."""
    username_headers: tuple[str, ...] = ()
    uid_headers: tuple[str, ...] = ()
    group_headers: tuple[str, ...] = ()
    extra_header_prefixes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class AuthenticationSettings:
    """How requests are authenticated."""

    client_ca_file: Path | None
    """Bundle of the CAs whose client certificates name users; None accepts no certificate."""
    token_auth_file: Path | None
    """File of static tokens; None accepts none."""
    anonymous: bool
    """Whether requests without credentials are let in as system:anonymous."""
    anonymous_paths: frozenset[str]
    """Paths on which they are; all if there are none."""
    api_audiences: tuple[str, ...]
    """Audiences of the API server: what credentials that name no audience are good for."""
    reload_interval: float
    """Seconds between looks at the files."""
    service_accounts: ServiceAccountSettings
    bootstrap_tokens: bool
    """Whether bootstrap tokens in kube-system are accepted."""
    front_proxy: FrontProxySettings


@dataclass(frozen=True, slots=True)
class Settings:
    """All that the process was told."""

    stage: StageSettings
    authentication: AuthenticationSettings


def read(arguments: Sequence[str] | None = None) -> Settings:
    """Read command line and environment; all problems together, exit status 2."""
    flags = Flags("kubehop authentication", "The authentication stage: who sent this request?")
    stage = StageFlags(flags, storage_optional=True)
    client_ca = flags.optional(
        "--client-ca-file", readable_file, help="CAs whose client certificates are authenticated (PEM bundle)"
    )
    tokens = flags.optional(
        "--token-auth-file", readable_file, help='static tokens, lines of token,user,uid,"group1,group2"'
    )
    anonymous = flags.optional(
        "--anonymous-auth", boolean, help="let requests without credentials in as system:anonymous (default: true)"
    )
    configuration = flags.optional(
        "--authentication-config",
        configuration_file,
        help="AuthenticationConfiguration file; its part about anonymous requests is obeyed",
    )
    audiences = flags.add(
        "--api-audiences",
        names,
        default="",
        help="audiences of the API server, separated by commas; by default the issuers of service account tokens",
    )
    accounts = _AccountFlags(flags)
    bootstrap = flags.add(
        "--enable-bootstrap-token-auth", boolean, default="false", help="accept bootstrap tokens of kube-system"
    )
    proxy = _ProxyFlags(flags)
    interval = flags.add("--reload-interval", seconds, default="1s", help="how often files are looked at for changes")

    def check(values: Values) -> Iterable[str]:
        if values.sound(interval) and values[interval] <= 0:
            yield "--reload-interval: must be more than nothing"
        file = values[configuration]
        if values[anonymous] is not None and file is not None and file.anonymous is not None:
            yield "--anonymous-auth: cannot be set when --authentication-config says who is let in anonymously"
        if accounts.used(values) and not stage.settings(values).storage:
            yield "--storage: tokens of service accounts are good only while the accounts exist, say where storage is"
        if values.sound(bootstrap) and values[bootstrap] and not stage.settings(values).storage:
            yield "--storage: bootstrap tokens are secrets, say where storage is"

    flags.check(check)
    values = flags.parse(arguments)
    issuers = accounts.issuers(values)
    configured = values[configuration] or Configuration()
    let_in = values[anonymous] if values[anonymous] is not None else configured.anonymous
    api_audiences = values[audiences] or issuers
    return Settings(
        stage.settings(values),
        AuthenticationSettings(
            client_ca_file=values[client_ca],
            token_auth_file=values[tokens],
            anonymous=True if let_in is None else let_in,
            anonymous_paths=configured.anonymous_paths,
            api_audiences=api_audiences,
            reload_interval=values[interval],
            service_accounts=accounts.settings(values, api_audiences),
            bootstrap_tokens=values[bootstrap],
            front_proxy=proxy.settings(values),
        ),
    )


class _AccountFlags:
    """The flags of service account tokens."""

    def __init__(self, flags: Flags) -> None:
        self._keys = flags.repeated(
            "--service-account-key-file",
            readable_file,
            help="keys that verify service account tokens (PEM, public or private); may be repeated",
        )
        self._signing_key = flags.optional(
            "--service-account-signing-key-file", readable_file, help="private key that signs service account tokens"
        )
        self._issuers = flags.repeated(
            "--service-account-issuer",
            text,
            help=f"issuer of service account tokens, the first signs; may be repeated (default: {DEFAULT_AUDIENCE})",
        )
        self._jwks_uri = flags.add(
            "--service-account-jwks-uri",
            text,
            default="",
            help="URL of the key set (default: below the issuer)",
        )
        self._max_expiration = flags.add(
            "--service-account-max-token-expiration", seconds, default="0", help="bound of a token's life; 0 for none"
        )
        self._extend = flags.add(
            "--service-account-extend-token-expiration",
            boolean,
            default="true",
            help="let tokens of pods live for a year, and tell when one is used that should have been renewed",
        )
        flags.check(self._check)

    def issuers(self, values: Values) -> tuple[str, ...]:
        """The issuers, with the default."""
        return values[self._issuers] or (DEFAULT_AUDIENCE,)

    def used(self, values: Values) -> bool:
        """Whether any key is given."""
        return bool(values[self._keys] or values[self._signing_key])

    def settings(self, values: Values, api_audiences: tuple[str, ...]) -> ServiceAccountSettings:
        """The values of these flags."""
        return ServiceAccountSettings(
            self._issuer(values, api_audiences), values[self._signing_key], values[self._keys]
        )

    def _issuer(self, values: Values, api_audiences: tuple[str, ...]) -> IssuerSettings:
        return IssuerSettings(
            self.issuers(values),
            api_audiences,
            int(values[self._max_expiration]),
            values[self._extend],
            values[self._jwks_uri],
        )

    def _check(self, values: Values) -> Iterable[str]:
        if values.sound(self._max_expiration, self._extend, self._jwks_uri, self._issuers):
            yield from problems(self._issuer(values, ()))


class _ProxyFlags:
    """The flags of proxies in front."""

    def __init__(self, flags: Flags) -> None:
        self._ca = flags.optional(
            "--requestheader-client-ca-file", readable_file, help="CAs of proxies whose X-Remote-* headers are believed"
        )
        lists = {
            "allowed-names": "common names of these proxies; any if none is given",
            "username-headers": "headers with the user's name, for example X-Remote-User",
            "uid-headers": "headers with the user's uid, for example X-Remote-Uid",
            "group-headers": "headers with the user's groups, for example X-Remote-Group",
            "extra-headers-prefix": "prefixes of headers with extra attributes, for example X-Remote-Extra-",
        }
        self._lists = {
            name: flags.add(f"--requestheader-{name}", names, default="", help=f"{about}; separated by commas")
            for name, about in lists.items()
        }
        flags.check(self._check)

    def settings(self, values: Values) -> FrontProxySettings:
        """The values of these flags; headers in lower case."""
        found = {name: values[flag] for name, flag in self._lists.items()}
        lower = {name: tuple(map(str.lower, listed)) for name, listed in found.items()}
        return FrontProxySettings(
            client_ca_file=values[self._ca],
            allowed_names=found["allowed-names"],
            username_headers=lower["username-headers"],
            uid_headers=lower["uid-headers"],
            group_headers=lower["group-headers"],
            extra_header_prefixes=lower["extra-headers-prefix"],
        )

    def _check(self, values: Values) -> Iterable[str]:
        if values[self._ca] is not None and not values[self._lists["username-headers"]]:
            yield "--requestheader-username-headers: name at least one header, or no user can be told"
        for name, flag in self._lists.items():
            for header in values[flag] if name != "allowed-names" else ():
                # the gateway hands on these headers and no others
                if not header.lower().startswith("x-remote-"):
                    yield f"--requestheader-{name} {header!r}: only headers that begin with X-Remote- reach this stage"
