"""The flags of the admission stage.

`read` is called by `__main__`; it reports every problem together and ends the process with status 2 where there is one.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from kubehop.hop import settings
from services.admission import registry


@dataclass(frozen=True, slots=True)
class AdmissionSettings:
    """What the stage is told."""

    stage: settings.StageSettings
    """Where it listens and reads storage, certificates, logs."""
    authorization: tuple[str, ...]
    """Where the authorization stage listens, for plugins that ask it."""
    plugins: registry.Selection
    """The plugins that the two flags ask for."""


def read(arguments: Sequence[str] | None = None) -> AdmissionSettings:
    """The settings from command line and environment; exits with status 2 where they cannot be used."""
    flags = settings.Flags("python -m services.admission", "The admission stage of kubehop.")
    stage = settings.StageFlags(flags, storage=True)
    authorization = flags.require(
        "--authorization", settings.targets, help="addresses of the authorization stage's replicas, separated by commas"
    )
    enable = flags.add(
        "--enable-admission-plugins",
        settings.names,
        default="",
        help="plugins to run besides those that are on by default, separated by commas; their order does not matter",
    )
    disable = flags.add(
        "--disable-admission-plugins",
        settings.names,
        default="",
        help="plugins not to run although they are on by default, separated by commas",
    )

    def problems(values: settings.Values) -> Iterable[str]:
        wanted, unwanted = values[enable], values[disable]
        try:
            registry.select(wanted, unwanted)
        except registry.SelectionError as error:
            return error.problems
        return ()

    flags.check(problems)
    values = flags.parse(arguments)
    wanted, unwanted = values[enable], values[disable]
    return AdmissionSettings(
        stage=stage.settings(values),
        authorization=values[authorization],
        plugins=registry.select(wanted, unwanted),
    )
