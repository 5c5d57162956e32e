"""The flags of the admission stage.

`read` is called by `__main__`; it reports every problem together and ends the process with status 2 where there is one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from kubehop.hop import settings
from kubehop.machinery.objects import Object
from services.admission import configuration, registry


@dataclass(frozen=True, slots=True)
class AdmissionSettings:
    """What the stage is told."""

    stage: settings.StageSettings
    """Where it listens and reads storage, certificates, logs."""
    authorization: tuple[str, ...]
    """Where the authorization stage listens, for plugins that ask it."""
    configurations: Mapping[str, Object]
    """What the configuration file says to each plugin, by name."""
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

    file = flags.optional(
        "--admission-control-config-file", Path, help="AdmissionConfiguration with what plugins are to be told (YAML)"
    )

    def problems(values: settings.Values) -> Iterable[str]:
        wanted, unwanted = values[enable], values[disable]
        try:
            registry.select(wanted, unwanted)
        except registry.SelectionError as error:
            yield from error.problems
        try:
            _configurations(values[file])
        except configuration.ConfigurationError as error:
            yield f"--admission-control-config-file: {error}"

    flags.check(problems)
    values = flags.parse(arguments)
    wanted, unwanted = values[enable], values[disable]
    return AdmissionSettings(
        stage=stage.settings(values),
        authorization=values[authorization],
        configurations=_configurations(values[file]),
        plugins=registry.select(wanted, unwanted),
    )


def _configurations(path: Path | None) -> Mapping[str, Object]:
    return {} if path is None else configuration.read(path)
