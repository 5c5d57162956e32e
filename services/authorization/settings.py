"""Flags of the authorization stage, named as kube-apiserver's where it has them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from kubehop.hop.settings import Flags, StageFlags, StageSettings, Values, names, seconds

MODES = ("Node", "RBAC", "AlwaysAllow", "AlwaysDeny")
"""The modes of --authorization-mode."""


@dataclass(frozen=True, slots=True)
class AuthorizationSettings:
    """How requests are authorized."""

    modes: tuple[str, ...]
    """Authorizers in the order in which they are asked."""
    max_staleness: float
    """Seconds without a word from storage after which the stage decides nothing any more."""


@dataclass(frozen=True, slots=True)
class Settings:
    """All that the process was told."""

    stage: StageSettings
    authorization: AuthorizationSettings


def read(arguments: Sequence[str] | None = None) -> Settings:
    """Read command line and environment; all problems together, exit status 2."""
    flags = Flags("kubehop authorization", "The authorization stage: may this user do that?")
    stage = StageFlags(flags, storage=True)
    modes = flags.add(
        "--authorization-mode",
        names,
        default="Node,RBAC",
        help=f"authorizers in the order in which they are asked, of {', '.join(MODES)}",
    )
    staleness = flags.add(
        "--max-staleness",
        seconds,
        default="10s",
        help="time without a word from storage after which nothing is decided any more",
    )

    def check(values: Values) -> Iterable[str]:
        if values.sound(modes):
            asked = values[modes]
            yield from _mode_problems(asked)
        if values.sound(staleness) and values[staleness] < 1:
            yield "--max-staleness: must be at least 1s"

    flags.check(check)
    values = flags.parse(arguments)
    return Settings(
        stage.settings(values),
        AuthorizationSettings(modes=values[modes], max_staleness=values[staleness]),
    )


def _mode_problems(modes: Sequence[str]) -> Iterable[str]:
    """Yield what is wrong with the modes, as kube-apiserver's options word it."""
    if not modes:
        yield "--authorization-mode: at least one authorization-mode must be passed"
    for mode in modes:
        if mode not in MODES:
            yield f'--authorization-mode: "{mode}" is not a valid mode, write some of {", ".join(MODES)}'
    if len(set(modes)) != len(modes):
        yield f"--authorization-mode: {','.join(modes)} has a mode more than once"
