"""The process that stays: starts the children of a plan, waits until all are ready, keeps them running, ends them.

Run as `python -m kubehop.cli.supervisor DATA_DIR LOCK_FD` by up.py, which becomes it by exec (or leaves it behind, for
--detach). It imports the standard library only and has one thread: signals wake a select, everything else is looked at
in turns, every few milliseconds while something starts or stops, and hardly ever when all is quiet.
"""

from __future__ import annotations

import os
import select
import shutil
import signal
import sys
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from kubehop.cli import processes, state
from kubehop.cli.children import Phase, Supervised
from kubehop.cli.console import Console
from kubehop.cli.errors import BAD_INPUT, FAILED
from kubehop.cli.plan import Plan

POLL: Final = 0.025  # seconds between looks while something starts or stops
LOG_CHECK: Final = 10.0  # seconds between looks at the size of the logs
LOG_BYTES: Final = 32 << 20
OLD_LOGS: Final = 3
DEATHS_AT_START: Final = 3


class Supervisor:
    """One run of a plan."""

    def __init__(self, plan: Plan, directory: state.DataDirectory, console: Console) -> None:
        self._plan = plan
        self._directory = directory
        self._console = console
        self._children = [
            Supervised(c, directory.logs / f"{c.name}.log") for c in sorted(plan.children, key=lambda child: child.tier)
        ]
        self._state = state.State(
            os.getpid(),
            processes.identity(os.getpid()),
            "starting",
            plan.server,
            time.time(),
            [child.state for child in self._children],
        )
        self._stop_signals = 0
        self._status = 0
        self._wake, wake_write = os.pipe()
        os.set_blocking(self._wake, False)
        os.set_blocking(wake_write, False)
        signal.set_wakeup_fd(wake_write, warn_on_full_buffer=False)
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, self._on_stop)
        signal.signal(signal.SIGCHLD, lambda *_: None)  # only to wake the select

    def run(self) -> int:
        """Until told to stop; returns the exit status of the command."""
        self._write()
        try:
            self._bring_up()
            if self._state.phase == "ready":
                self._keep_running()
        finally:
            self._take_down()
        return self._status

    def _on_stop(self, *_: object) -> None:
        self._stop_signals += 1

    # -- starting

    def _bring_up(self) -> None:
        deadline = time.monotonic() + self._plan.start_timeout
        announced: set[str] = set()
        while not self._stop_signals and not self._status:
            self._bury()
            self._start_due()
            for child in self._children:
                if child.phase is Phase.STARTING and not self._stop_signals:
                    child.probe()
                if child.phase is Phase.READY and child.plan.name not in announced:
                    announced.add(child.plan.name)
                    self._write()
                    self._console.step(child.plan.name, child.plan.address, time.time() - self._plan.began)
            if all(child.phase is Phase.READY for child in self._children):
                self._announce()
                return
            if time.monotonic() > deadline:
                self._give_up_waiting()
                return
            self._sleep(POLL)

    def _announce(self) -> None:
        self._state.phase = "ready"
        self._write()
        say = self._console.say
        self._console.note(f"ready after {time.time() - self._plan.began:.2f} s")
        say()
        say(f"  kubeconfig   {self._plan.kubeconfig}")
        say(f"  export KUBECONFIG={self._plan.kubeconfig}")
        say()
        say("  Try:  kubectl get namespaces")
        say("        kubectl create deployment web --image=nginx --replicas=3")
        say("        kubectl get --raw '/readyz?verbose'")
        say()
        down = "`kubehop down`" if self._plan.detached else "Ctrl-C"
        say(f"  {down} ends it, `kubehop logs -f` shows what passes through.")
        if self._plan.detached:
            self._console.detach()

    def _give_up_waiting(self) -> None:
        for child in self._children:
            if child.phase is not Phase.READY:
                self._console.trouble(
                    f"{child.plan.name} not ready after {self._plan.start_timeout:g} s ({child.reason}); last lines:",
                    child.last_lines(),
                )
        self._status = FAILED

    def _start_due(self) -> None:
        ready = {child.plan.name for child in self._children if child.phase is Phase.READY}
        for child in self._children:
            due = child.phase is Phase.WAITING and time.monotonic() >= child.start_at
            if not due or not ready.issuperset(child.plan.waits_for):
                continue
            try:
                child.start()
            except OSError as error:
                self._console.trouble(f"{child.plan.name} cannot be started: {error.strerror}: {child.plan.argv[0]}")
                self._status = FAILED
                return
            self._write()

    # -- running

    def _keep_running(self) -> None:
        next_log_check = 0.0
        while not self._stop_signals:
            self._bury()
            self._start_due()
            for child in self._children:
                if child.phase is Phase.STARTING and child.probe():
                    self._console.note(
                        f"kubehop: {child.plan.name} is ready again (pid {child.state.pid}, {child.age:.1f} s)"
                    )
                    self._write()
            if time.monotonic() >= next_log_check:
                next_log_check = time.monotonic() + LOG_CHECK
                rotate(child.log for child in self._children)
            unsettled = any(child.phase is not Phase.READY for child in self._children)
            self._sleep(4 * POLL if unsettled else LOG_CHECK)

    def _bury(self) -> None:
        """Notice children that died, tell why, and plan their restart."""
        for child in self._children:
            pid, age, phase = child.state.pid, child.age, child.phase
            status = child.reap()
            if status is None:
                continue
            last_lines = child.last_lines()
            known = last_lines == child.told_lines  # it dies in a loop: once is enough
            child.told_lines = last_lines
            self._console.trouble(
                f"kubehop: {child.plan.name} (pid {pid}) {child.state.last_end} after {age:.1f} s; its last lines"
                f"{' are the same' if known else ':'}",
                () if known else last_lines,
            )
            starting = self._state.phase == "starting"
            if (
                starting
                and phase is Phase.STARTING
                and (status == BAD_INPUT or child.state.restarts + 1 >= DEATHS_AT_START)
            ):
                # the stages leave with this status when a setting is wrong, and would do so again
                self._console.trouble(f"kubehop: giving up, {child.plan.name} does not start")
                self._status = status if status == BAD_INPUT else FAILED
                return
            delay = child.back_off()
            self._console.note(
                f"kubehop: {child.plan.name} starts again in {delay:g} s (restart {child.state.restarts})"
            )
            self._write()

    # -- ending

    def _take_down(self) -> None:
        """End the children tier by tier from the top: who calls goes before who is called."""
        self._state.phase = "stopping"
        self._write()
        began = time.monotonic()
        if any(child.alive for child in self._children):
            self._console.note("kubehop: ending; once more Ctrl-C forces it")
        for tier in sorted({child.plan.tier for child in self._children}, reverse=True):
            members = [child for child in self._children if child.plan.tier == tier]
            for child in members:
                child.terminate()
            while any(child.alive for child in members):
                forced = self._stop_signals > 1
                for child in self._children if forced else members:
                    if child.enforce(now=forced) and not forced:
                        self._console.trouble(
                            f"kubehop: {child.plan.name} did not end in {child.plan.grace:g} s, killed it"
                        )
                for child in self._children:
                    child.reap()
                self._sleep(POLL)
        self._directory.state.unlink(missing_ok=True)
        self._console.note(f"kubehop: all ended after {time.monotonic() - began:.2f} s")

    def _sleep(self, seconds: float) -> None:
        """Until the time is over or a signal arrives."""
        readable, _, _ = select.select([self._wake], [], [], seconds)
        if readable:
            os.read(self._wake, 4096)

    def _write(self) -> None:
        state.write(self._directory, self._state)


def rotate(logs: Iterable[Path]) -> None:
    """Start a log over once it is large, keeping OLD_LOGS of it as NAME.log.1 and so on.

    The child keeps its file open, so the file is copied and cut; what the child writes between the two, microseconds,
    is lost. The other way, output through the supervisor, would wake it for every line that is written.
    """
    for log in logs:
        try:
            if log.stat().st_size < LOG_BYTES:
                continue
            for number in range(OLD_LOGS - 1, 0, -1):
                older = Path(f"{log}.{number}")
                if older.exists():
                    older.replace(f"{log}.{number + 1}")
            shutil.copyfile(log, f"{log}.1")
            os.truncate(log, 0)
        except OSError as error:
            print(f"kubehop: cannot rotate {log}: {error.strerror}", file=sys.stderr)


def main() -> int:
    """`python -m kubehop.cli.supervisor DATA_DIR LOCK_FD`."""
    directory = state.DataDirectory(Path(sys.argv[1]))
    os.set_inheritable(int(sys.argv[2]), False)  # the lock is ours alone, not our children's
    console = Console(directory.logs / "kubehop.log")
    return Supervisor(Plan.read(directory.plan), directory, console).run()


if __name__ == "__main__":
    sys.exit(main())
