"""Flags of the authentication stage, named as kube-apiserver's where it has them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from kubehop.hop.settings import Flags, StageFlags, StageSettings, Values, boolean, names, readable_file, seconds

DEFAULT_AUDIENCE = "https://kubernetes.default.svc"
"""The API server's audience, which kube-apiserver takes from the issuer of its service account tokens."""


@dataclass(frozen=True, slots=True)
class AuthenticationSettings:
    """How requests are authenticated."""

    client_ca_file: Path | None
    """Bundle of the CAs whose client certificates name users; None accepts no certificate."""
    token_auth_file: Path | None
    """File of static tokens; None accepts none."""
    anonymous: bool
    """Whether requests without credentials are let in as system:anonymous."""
    api_audiences: tuple[str, ...]
    """Audiences of the API server: what credentials that name no audience are good for."""
    reload_interval: float
    """Seconds between looks at the files."""


@dataclass(frozen=True, slots=True)
class Settings:
    """All that the process was told."""

    stage: StageSettings
    authentication: AuthenticationSettings


def read(arguments: Sequence[str] | None = None) -> Settings:
    """Read command line and environment; all problems together, exit status 2."""
    flags = Flags("kubehop authentication", "The authentication stage: who sent this request?")
    stage = StageFlags(flags)
    client_ca = flags.optional(
        "--client-ca-file", readable_file, help="CAs whose client certificates are authenticated (PEM bundle)"
    )
    tokens = flags.optional(
        "--token-auth-file", readable_file, help='static tokens, lines of token,user,uid,"group1,group2"'
    )
    anonymous = flags.add(
        "--anonymous-auth", boolean, default="true", help="let requests without credentials in as system:anonymous"
    )
    audiences = flags.add(
        "--api-audiences", names, default=DEFAULT_AUDIENCE, help="audiences of the API server, separated by commas"
    )
    interval = flags.add("--reload-interval", seconds, default="1s", help="how often files are looked at for changes")

    def check(values: Values) -> Iterable[str]:
        if values.sound(interval) and values[interval] <= 0:
            yield "--reload-interval: must be more than nothing"

    flags.check(check)
    values = flags.parse(arguments)
    return Settings(
        stage.settings(values),
        AuthenticationSettings(
            client_ca_file=values[client_ca],
            token_auth_file=values[tokens],
            anonymous=values[anonymous],
            api_audiences=values[audiences],
            reload_interval=values[interval],
        ),
    )
