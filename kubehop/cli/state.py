"""The data directory: where everything of one kubehop lives, who holds it, and what runs there.

    <data-dir>/pki/         keys and certificates (credentials.py)
               etcd/        etcd's data, when kubehop starts etcd
               run/         unix sockets, plan.json, state.json
               logs/        one file a process, kubehop.log for the supervisor itself
               kubeconfig   admin's way in
               lock         held by the supervisor while it lives

`up` writes it, `status`, `logs` and `down` read it. The lock makes a second `up` on the same directory refuse.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import stat
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

from kubehop.cli import processes
from kubehop.cli.errors import CommandError

DEFAULT: Final = "~/.kubehop"
LONGEST_SOCKET_PATH: Final = 100  # sun_path holds 104 bytes on macOS and 108 on Linux, with the final zero
LONGEST_SOCKET_NAME: Final = len("/authentication.sock")


@dataclass(frozen=True, slots=True)
class DataDirectory:
    """The paths below one `--data-dir`."""

    root: Path

    @classmethod
    def at(cls, path: str) -> DataDirectory:
        """The directory that a flag names, absolute, with ~ for the home directory."""
        return cls(Path(path).expanduser().absolute())

    @property
    def pki(self) -> Path:
        """Keys and certificates."""
        return self.root / "pki"

    @property
    def etcd(self) -> Path:
        """Data of the child etcd."""
        return self.root / "etcd"

    @property
    def logs(self) -> Path:
        """One file a process."""
        return self.root / "logs"

    @property
    def run(self) -> Path:
        """What is of use only while it runs."""
        return self.root / "run"

    @property
    def kubeconfig(self) -> Path:
        """The admin's kubeconfig."""
        return self.root / "kubeconfig"

    @property
    def plan(self) -> Path:
        """What the supervisor is to run."""
        return self.run / "plan.json"

    @property
    def state(self) -> Path:
        """What the supervisor does run."""
        return self.run / "state.json"

    def make(self) -> None:
        """Make the directories, readable by their owner only."""
        try:
            for path in (self.root, self.run, self.logs):
                path.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise CommandError(
                f"cannot make {error.filename}: {error.strerror}; choose a directory that you can write with --data-dir"
            ) from error
        if not os.access(self.root, os.W_OK | os.X_OK):
            raise CommandError(f"cannot write in {self.root}: choose another directory with --data-dir")

    def sockets(self) -> Path:
        """The directory of the unix sockets: run/, or a short one where that path is too long for a socket."""
        if len(os.fsencode(self.run)) + LONGEST_SOCKET_NAME <= LONGEST_SOCKET_PATH:
            return self.run
        import hashlib  # heavy, and of use to `up` only
        import tempfile

        name = f"kubehop-{os.getuid()}-{hashlib.sha256(os.fsencode(self.root)).hexdigest()[:10]}"
        parents = [os.environ.get("XDG_RUNTIME_DIR", ""), tempfile.gettempdir(), "/tmp"]  # noqa: S108 - checked below
        fitting = [
            p for p in parents if p and len(os.fsencode(p)) + len(name) + LONGEST_SOCKET_NAME < LONGEST_SOCKET_PATH
        ]
        for parent in fitting:
            path = Path(parent) / name
            with contextlib.suppress(OSError):
                path.mkdir(mode=0o700, exist_ok=True)
                found = path.lstat()
                # somebody else may have made it first, in a directory that everybody writes
                if stat.S_ISDIR(found.st_mode) and found.st_uid == os.getuid() and not found.st_mode & 0o077:
                    return path
        raise CommandError(f"{self.run} is too long a path for unix sockets: choose a shorter --data-dir")

    def lock(self) -> int:
        """Take the directory for this process and those it becomes by exec; the descriptor stays open to hold it."""
        descriptor = os.open(self.root / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            running = read(self)
            who = f" (pid {running.pid})" if running else ""
            raise CommandError(
                f"kubehop already runs in {self.root}{who}: end it with `kubehop down --data-dir {self.root}`, "
                f"or choose another --data-dir"
            ) from None
        return descriptor

    def is_locked(self) -> bool:
        """Whether a supervisor lives."""
        try:
            descriptor = os.open(self.root / "lock", os.O_RDWR | os.O_CLOEXEC)
        except OSError:
            return False
        try:
            fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        finally:
            os.close(descriptor)
        return False


@dataclass(slots=True)
class ProcessState:
    """One child as the supervisor last saw it. `since` is in unix seconds, `started` its processes.identity."""

    name: str
    pid: int = 0
    started: str = ""
    since: float = 0.0
    ready: bool = False
    restarts: int = 0
    address: str = ""
    last_end: str = ""

    def is_running(self) -> bool:
        """Whether that very process still lives."""
        return processes.is_running(self.pid, self.started)


@dataclass(slots=True)
class State:
    """What a supervisor runs. `phase` is starting, ready or stopping."""

    pid: int
    started: str
    phase: str
    server: str
    since: float
    children: list[ProcessState] = field(default_factory=list)

    def is_running(self) -> bool:
        """Whether the supervisor that wrote this still lives."""
        return processes.is_running(self.pid, self.started)

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> State:
        """The state that `write` wrote."""
        return cls(**{**value, "children": [ProcessState(**child) for child in value["children"]]})


def read(directory: DataDirectory) -> State | None:
    """The last state written; None when there is none (or one of another version of kubehop)."""
    try:
        return State.from_json(json.loads(directory.state.read_text()))
    except (OSError, ValueError, TypeError, KeyError):
        return None


def write(directory: DataDirectory, state: State) -> None:
    """Replace the state as a whole, so that readers never see half of it."""
    replace(directory.state, json.dumps(asdict(state), indent=1) + "\n")


def replace(path: Path, text: str, mode: int = 0o600) -> None:
    """Write a file beside `path` and move it there."""
    temporary = path.with_name(f".{path.name}.new")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
    with os.fdopen(descriptor, "w") as file:
        os.fchmod(file.fileno(), mode)
        file.write(text)
    temporary.replace(path)
