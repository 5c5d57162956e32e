"""Flags of a process: read once, typed, checked together.

Each `__main__` declares its flags on a `Flags`, adds those that every stage has with `StageFlags`, and parses. A flag
also comes from the environment, `--tls-cert-file` from KUBEHOP_TLS_CERT_FILE; the command line wins. All problems are
reported at once, one line each, and the process exits with status 2.
"""

from __future__ import annotations

import argparse
import os
import re
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, NoReturn, TypeVar

from kubehop.hop import addresses
from kubehop.hop.logs import LEVELS, LogSettings
from kubehop.hop.tls import TLSFiles

T = TypeVar("T")
D = TypeVar("D")

_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}
_DURATION = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h)")


def text(value: str) -> str:
    """Any text."""
    return value


def boolean(value: str) -> bool:
    """true or false, also 1/0 and yes/no."""
    lowered = value.strip().lower()
    if lowered in ("true", "1", "yes"):
        return True
    if lowered in ("false", "0", "no"):
        return False
    raise ValueError("write true or false")


def integer(minimum: int, maximum: int) -> Callable[[str], int]:
    """A whole number within bounds, both included."""

    def parse(value: str) -> int:
        if not re.fullmatch(r"-?\d+", value.strip()) or not minimum <= int(value) <= maximum:
            raise ValueError(f"write a whole number from {minimum} to {maximum}")
        return int(value)

    return parse


def choice(*allowed: str) -> Callable[[str], str]:
    """One of the words `allowed`."""

    def parse(value: str) -> str:
        if value not in allowed:
            raise ValueError(f"write one of {', '.join(allowed)}")
        return value

    return parse


def seconds(value: str) -> float:
    """A duration such as 30s, 1m30s, 500ms, or a plain number of seconds; gives seconds."""
    try:
        number = float(value)
    except ValueError:
        parts = _DURATION.findall(value)
        if not parts or "".join(amount + unit for amount, unit in parts) != value:
            raise ValueError("write a duration such as 30s or 1m30s") from None
        number = sum(float(amount) * _UNITS[unit] for amount, unit in parts)
    if not 0 <= number < 1e9:
        raise ValueError("write a duration that is not negative")
    return number


def names(value: str) -> tuple[str, ...]:
    """Words separated by commas; empty ones are dropped."""
    return tuple(part.strip() for part in value.split(",") if part.strip())


def address(value: str) -> str:
    """One address, host:port or unix:/path."""
    return addresses.check(value.strip())


def targets(value: str) -> tuple[str, ...]:
    """Addresses separated by commas: the replicas of a stage."""
    found = tuple(addresses.check(part) for part in names(value))
    if not found:
        raise ValueError("name at least one address")
    return found


def readable_file(value: str) -> Path:
    """A file that this process can read."""
    path = Path(value)
    try:
        with path.open("rb"):
            return path
    except OSError as error:
        raise ValueError(f"{value}: {error.strerror}") from error


@dataclass(frozen=True, slots=True, eq=False)
class Flag(Generic[T]):
    """One declared flag; the key to its value."""

    name: str
    kind: Callable[[str], Any]
    default: str | None
    required: bool
    secret: bool
    environment: tuple[str, ...]
    many: bool = False
    """Whether it may be given several times; in the environment the values are separated by commas."""


class Values:
    """Parsed flags, looked up by their `Flag`; secrets are masked in the repr."""

    def __init__(self, values: Mapping[Flag[Any], Any], failed: Iterable[Flag[Any]] = ()) -> None:
        self._values = dict(values)
        self._failed = frozenset(failed)

    def __getitem__(self, flag: Flag[T]) -> T:
        value: T = self._values[flag]
        return value

    def sound(self, *flags: Flag[Any]) -> bool:
        """None of `flags` has a problem of its own; checks across flags ask this first."""
        return self._failed.isdisjoint(flags)

    def __repr__(self) -> str:
        shown = (
            f"{flag.name}={'***' if flag.secret and value else repr(value)}" for flag, value in self._values.items()
        )
        return f"Values({', '.join(shown)})"


class _RejectedError(Exception):
    """Argparse's own complaint."""


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise _RejectedError(message)


class Flags:
    """The flags of one process."""

    def __init__(self, program: str, description: str, *, prefix: str = "KUBEHOP_") -> None:
        self._prefix = prefix
        self._program = program
        self._parser = _Parser(prog=program, description=description, allow_abbrev=False)
        self._flags: list[Flag[Any]] = []
        self._checks: list[Callable[[Values], Iterable[str]]] = []

    def add(
        self,
        name: str,
        kind: Callable[[str], T],
        *,
        help: str,  # noqa: A002 - argparse's word
        default: str,
        secret: bool = False,
        environment: Sequence[str] = (),
    ) -> Flag[T]:
        """Declare a flag with a default, written as on the command line. `kind` raises ValueError to refuse a value."""
        return self._declare(name, kind, help, default, False, secret, environment)

    def require(self, name: str, kind: Callable[[str], T], *, help: str, secret: bool = False) -> Flag[T]:  # noqa: A002
        """Declare a flag that must be given."""
        return self._declare(name, kind, help, None, True, secret, ())

    def optional(
        self,
        name: str,
        kind: Callable[[str], T],
        *,
        help: str,  # noqa: A002
        secret: bool = False,
    ) -> Flag[T | None]:
        """Declare a flag that is None unless given."""
        return self._declare(name, kind, help, None, False, secret, ())

    def repeated(self, name: str, kind: Callable[[str], T], *, help: str) -> Flag[tuple[T, ...]]:  # noqa: A002
        """Declare a flag that may be given several times; empty unless given."""
        return self._declare(name, kind, help, None, False, False, (), many=True)

    def check(self, check: Callable[[Values], Iterable[str]]) -> None:
        """Add a check across flags, which yields one line per problem."""
        self._checks.append(check)

    def parse(self, arguments: Sequence[str] | None = None, environment: Mapping[str, str] | None = None) -> Values:
        """Read command line and environment; on problems print each on a line and exit with status 2."""
        try:
            return self.read(
                sys.argv[1:] if arguments is None else arguments, os.environ if environment is None else environment
            )
        except SettingsError as error:
            for problem in error.problems:
                sys.stderr.write(f"{self._program}: {problem}\n")
            sys.stderr.write(f"{self._program}: --help lists every flag\n")
            raise SystemExit(2) from None

    def read(self, arguments: Sequence[str], environment: Mapping[str, str]) -> Values:
        """Read command line and environment; raises SettingsError with every problem."""
        problems: list[str] = []
        given: dict[str, str | list[str] | None] = {}
        try:
            namespace, unknown = self._parser.parse_known_args(list(arguments))
            given = vars(namespace)
            problems.extend(f"unknown argument {argument!r}" for argument in unknown)
        except _RejectedError as error:
            problems.append(str(error))
        values: dict[Flag[Any], Any] = {}
        failed: list[Flag[Any]] = []
        for flag in self._flags:
            source, value = self._find(flag, given, environment)
            try:
                if flag.many:
                    values[flag] = tuple(map(flag.kind, value or ()))
                else:
                    values[flag] = None if value is None else flag.kind(value)
            except ValueError as error:
                values[flag] = () if flag.many else None
                failed.append(flag)
                problems.append(f"{source} {'***' if flag.secret else repr(value)}: {error}")
            if value is None and flag.required and given:
                failed.append(flag)
                problems.append(f"{flag.name} is required (or {flag.environment[0]} in the environment)")
        parsed = Values(values, failed)
        if given:
            for check in self._checks:
                problems.extend(check(parsed))
        if problems:
            raise SettingsError(problems)
        return parsed

    def _declare(
        self,
        name: str,
        kind: Callable[[str], Any],
        help_text: str,
        default: str | None,
        required: bool,
        secret: bool,
        environment: Sequence[str],
        many: bool = False,
    ) -> Flag[Any]:
        own = self._prefix + name.removeprefix("--").upper().replace("-", "_")
        flag: Flag[Any] = Flag(name, kind, default, required, secret, (own, *environment), many)
        self._flags.append(flag)
        note = " (required)" if required else f" (default: {default})" if default else ""
        self._parser.add_argument(
            name,
            dest=name,
            action="append" if many else "store",
            metavar=name.removeprefix("--").upper().replace("-", "_"),
            help=(help_text + note).replace("%", "%%"),
        )
        return flag

    @staticmethod
    def _find(
        flag: Flag[Any], given: Mapping[str, str | list[str] | None], environment: Mapping[str, str]
    ) -> tuple[str, Any]:
        value = given.get(flag.name)
        if value is not None:
            return flag.name, value
        for variable in flag.environment:
            if environment.get(variable):
                value = environment[variable]
                return variable, names(value) if flag.many else value
        return flag.name, flag.default


class SettingsError(Exception):
    """Flags or environment that cannot be used; `problems` has one line each."""

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__("; ".join(problems))
        self.problems = tuple(problems)


@dataclass(frozen=True, slots=True)
class StageSettings:
    """What every stage is told."""

    listen: str
    """Address on which it serves."""
    tls: TLSFiles | None
    """Certificate of this process for both directions; None where every address is a unix socket."""
    log: LogSettings
    grace: float
    """Seconds that calls in flight get to finish when the process is asked to stop."""
    storage: tuple[str, ...] = ()
    """Replicas of the storage stage, for stages that read it."""


class StageFlags:
    """The flags that every stage has."""

    def __init__(self, flags: Flags, *, storage: bool = False, storage_optional: bool = False) -> None:
        """Declare them on `flags`; `storage` adds --storage for a stage that reads it, or may read it."""
        self._listen = flags.require("--listen", address, help="address to serve on: host:port or unix:/path")
        self._tls = TLSFlags(flags)
        self._log = LogFlags(flags)
        self._grace = flags.add(
            "--shutdown-grace", seconds, default="10s", help="time that calls in flight get to finish at the end"
        )
        self._storage: Flag[Any] | None = None
        about = "addresses of the storage stage's replicas, separated by commas"
        if storage_optional:
            self._storage = flags.optional("--storage", targets, help=about)
        elif storage:
            self._storage = flags.require("--storage", targets, help=about)
        flags.check(self._check)

    def settings(self, values: Values) -> StageSettings:
        """The values of these flags."""
        return StageSettings(
            listen=values[self._listen],
            tls=self._tls.files(values),
            log=self._log.settings(values),
            grace=values[self._grace],
            storage=(values[self._storage] or ()) if self._storage is not None else (),
        )

    def _check(self, values: Values) -> Iterable[str]:
        used = [values[self._listen]] if values[self._listen] else []
        if self._storage is not None and values.sound(self._storage):
            storage: tuple[str, ...] = values[self._storage] or ()
            used.extend(storage)
        over_tcp = [name for name in used if addresses.socket_path(name) is None]
        if over_tcp and self._tls.absent(values):
            yield (
                f"{', '.join(over_tcp)}: TCP needs --tls-cert-file, --tls-key-file and --tls-ca-file; "
                "give them or use unix:/path"
            )


class TLSFlags:
    """Certificate, key and CA of one process, all three or none.

    `prefix` is "tls" for stages and "hop" for the gateway.
    """

    def __init__(self, flags: Flags, *, prefix: str = "tls") -> None:
        self._cert = flags.optional(f"--{prefix}-cert-file", Path, help="certificate for hops, both directions (PEM)")
        self._key = flags.optional(f"--{prefix}-key-file", Path, help="private key of that certificate (PEM)")
        self._ca = flags.optional(f"--{prefix}-ca-file", Path, help="CA that signs the certificates of hops (PEM)")
        flags.check(self._check)

    def files(self, values: Values) -> TLSFiles | None:
        """The files, None where none is given."""
        cert, key, ca = values[self._cert], values[self._key], values[self._ca]
        return TLSFiles(ca=ca, cert=cert, key=key) if cert and key and ca else None

    def absent(self, values: Values) -> bool:
        """None of the three is given."""
        return not any(values[flag] for flag in (self._cert, self._key, self._ca))

    def _check(self, values: Values) -> Iterable[str]:
        files = self.files(values)
        if files is not None:
            yield from files.problems()
        elif not self.absent(values):
            missing = [flag.name for flag in (self._cert, self._key, self._ca) if not values[flag]]
            yield f"{', '.join(missing)}: certificate, key and CA belong together, give all three"


class LogFlags:
    """How a process logs."""

    def __init__(self, flags: Flags) -> None:
        self._format = flags.add(
            "--log-format",
            choice("text", "json"),
            default="text",
            environment=("LOG_FORMAT",),
            help="text for people or json for machines",
        )
        self._level = flags.add(
            "--log-level",
            choice(*LEVELS),
            default="info",
            environment=("LOG_LEVEL",),
            help="least severe level that is written",
        )

    def settings(self, values: Values) -> LogSettings:
        """The values of these flags."""
        return LogSettings(format="json" if values[self._format] == "json" else "text", level=values[self._level])
