"""One child process of the supervisor: starting it, asking whether it is ready, saying why it died.

Used by supervisor.py only. A child writes straight into its log file, so that its output costs the supervisor nothing,
and lives in a session of its own, so that Ctrl-C reaches the supervisor alone and the order of stopping is kept.
"""

from __future__ import annotations

import enum
import os
import shutil
import signal
import subprocess
import time
from pathlib import Path
from typing import Final

from kubehop.cli import probe, processes
from kubehop.cli.plan import Child
from kubehop.cli.state import ProcessState

PROBE_TIMEOUT: Final = 0.5  # seconds for one question
ASK_EVERY: Final = 0.025
LAST_LINES: Final = 12
LAST_BYTES: Final = 16384
FIRST_BACKOFF: Final = 0.5  # seconds
LONGEST_BACKOFF: Final = 30.0
CALM: Final = 60.0  # seconds of being ready after which the next death counts as the first again


class Phase(enum.Enum):
    """Where a child is."""

    WAITING = "waiting"  # not started yet, or between death and restart
    STARTING = "starting"
    READY = "ready"
    ENDED = "ended"  # stopped by us


class Supervised:
    """A child with its process, if it has one. Times are monotonic seconds unless said otherwise."""

    def __init__(self, plan: Child, log: Path) -> None:
        self.plan = plan
        self.log = log
        self.phase = Phase.WAITING
        self.state = ProcessState(plan.name, address=plan.address)
        self.start_at = 0.0
        self.reason = "not started yet"
        self.kill_at = 0.0
        self.told_lines: list[str] = []
        self._process: subprocess.Popen[bytes] | None = None
        self._asker: Asker | None = None
        self._started = 0.0
        self._ready = 0.0
        self._failures = 0
        self._log_start = 0

    @property
    def alive(self) -> bool:
        """Whether there is a process that has not been reaped."""
        return self._process is not None

    @property
    def age(self) -> float:
        """Seconds since the process was started."""
        return time.monotonic() - self._started

    def start(self) -> None:
        """Start the process; OSError when its program cannot be run."""
        if self.plan.probe.target.startswith("unix:"):
            Path(self.plan.probe.target.removeprefix("unix:")).unlink(missing_ok=True)  # left by a killed predecessor
        with self.log.open("ab") as output:
            self._log_start = output.tell()
            self._process = subprocess.Popen(
                (*_death_wish(), *self.plan.argv),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env={**os.environ, "PYTHONUNBUFFERED": "1", **self.plan.environment},
                cwd=self.log.parent,
                start_new_session=True,
            )
        self._started = time.monotonic()
        self.phase, self.reason = Phase.STARTING, "started"
        self.state.pid, self.state.since, self.state.ready = self._process.pid, time.time(), False
        self.state.started = processes.identity(self._process.pid)

    def probe(self) -> bool:
        """Ask whether it is ready; a child that is becomes READY."""
        if self.plan.probe.target.startswith("unix:"):
            self.reason = probe.check(self.plan.probe, PROBE_TIMEOUT)
        else:
            self._asker = self._asker or Asker(self.plan.probe)
            self.reason = self._asker.answer()
        if not self.reason and self.plan.probe.port and not processes.listens(self.state.pid, self.plan.probe.port):
            self.reason = "does not listen yet"
        if self.reason:
            return False
        self.phase, self.state.ready, self._ready = Phase.READY, True, time.monotonic()
        self._dismiss_asker()
        return True

    def reap(self) -> int | None:
        """The exit status (negative: the signal) of a process that has just ended, else None."""
        status = self._process.poll() if self._process is not None else None
        if status is None:
            return None
        self._process, self.state.pid, self.state.started = None, 0, ""
        self._dismiss_asker()
        if self.phase is Phase.READY and time.monotonic() - self._ready > CALM:
            self._failures = 0
        self.phase, self.state.ready = Phase.WAITING, False
        self.state.last_end = ending(status)
        return status

    def back_off(self) -> float:
        """Plan the restart; returns how many seconds from now."""
        delay = min(FIRST_BACKOFF * 2.0**self._failures, LONGEST_BACKOFF)
        self._failures += 1
        self.state.restarts += 1
        self.start_at = time.monotonic() + delay
        return delay

    def terminate(self) -> None:
        """SIGTERM now, SIGKILL after the grace period (see `enforce`)."""
        if self._process is None:
            self.phase = Phase.ENDED
            return
        self._process.send_signal(signal.SIGTERM)
        self.kill_at = time.monotonic() + self.plan.grace

    def enforce(self, *, now: bool) -> bool:
        """SIGKILL if the grace period is over, or `now`; True when it was sent."""
        if self._process is None or not (now or (self.kill_at and time.monotonic() >= self.kill_at)):
            return False
        self._process.kill()
        self.kill_at = time.monotonic() + self.plan.grace
        return True

    def _dismiss_asker(self) -> None:
        if self._asker is not None:
            self._asker.dismiss()
            self._asker = None

    def last_lines(self) -> list[str]:
        """The end of what the last process wrote."""
        try:
            with self.log.open("rb") as file:
                size = file.seek(0, os.SEEK_END)
                start = self._log_start if self._log_start <= size else 0  # rotated meanwhile
                file.seek(max(start, size - LAST_BYTES))
                return file.read().decode(errors="replace").splitlines()[-LAST_LINES:]
        except OSError:
            return []


class Asker:
    """A fork that asks a TLS server again and again until it is ready.

    It loads TLS in our place, which would keep six megabytes for a question that is asked at start only. Each answer
    comes through a pipe as a line; the empty one, ready, is the last.
    """

    def __init__(self, asked: probe.Probe) -> None:
        self._reason = "not asked yet"
        self._pipe, writing = os.pipe()
        parent = os.getpid()
        self._pid = os.fork()
        if self._pid == 0:
            status = 1
            try:
                signal.set_wakeup_fd(-1)
                signal.signal(signal.SIGTERM, signal.SIG_DFL)
                signal.signal(signal.SIGINT, signal.SIG_IGN)
                _ask(asked, parent, writing)
                status = 0
            finally:
                os._exit(status)
        os.close(writing)
        os.set_blocking(self._pipe, False)

    def answer(self) -> str:
        """The latest answer, as `probe.check` gives it."""
        try:
            said = os.read(self._pipe, 65536).decode(errors="replace")
        except BlockingIOError:
            return self._reason
        if said:
            self._reason = said.split("\n")[-2]
        return self._reason

    def dismiss(self) -> None:
        """End the fork."""
        os.close(self._pipe)
        os.kill(self._pid, signal.SIGKILL)
        os.waitpid(self._pid, 0)


def _ask(asked: probe.Probe, parent: int, writing: int) -> None:
    """In the fork: ask until ready, or until nobody waits for the answer any more."""
    context, reason = asked.context(), "not asked yet"
    while reason and os.getppid() == parent:
        reason = probe.check(asked, PROBE_TIMEOUT, context)
        os.write(writing, reason.replace("\n", " ").encode() + b"\n")
        if reason:
            time.sleep(ASK_EVERY)


def ending(status: int) -> str:
    """An exit status in words."""
    if status >= 0:
        return f"ended with status {status}"
    try:
        return f"was killed by {signal.Signals(-status).name}"
    except ValueError:
        return f"was killed by signal {-status}"


def _death_wish() -> tuple[str, ...]:
    """Ask Linux to end the child when the supervisor is killed; elsewhere the next `up` or `down` ends what is left."""
    setpriv = shutil.which("setpriv") if processes.LINUX else None
    return (setpriv, "--pdeathsig", "TERM", "--") if setpriv else ()
