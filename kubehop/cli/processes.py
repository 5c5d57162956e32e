"""Facts about processes of this machine: is this still the same process, how much memory, does it listen.

Used by `up`, `down` and `status`, which find processes by the pid written in the state file. A pid alone may belong to
somebody else by now, so it is always taken together with the moment its process started.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Final

LINUX: Final = sys.platform == "linux"
LISTEN: Final = "0A"  # the state column of /proc/net/tcp


def identity(pid: int) -> str:
    """When the process started, as text to compare; "" when there is no such process (or only its zombie)."""
    if LINUX:
        try:
            stat = Path(f"/proc/{pid}/stat").read_text()
        except OSError:
            return ""
        fields = stat[stat.rindex(")") + 2 :].split()
        return "" if fields[0] in "ZX" else fields[19]
    return _ps(pid, "lstart")


def is_running(pid: int, started: str) -> bool:
    """Whether `pid` is still the process that had this identity."""
    return bool(started) and identity(pid) == started


def resident_bytes(pid: int) -> int:
    """Resident memory; 0 when the process is gone."""
    if LINUX:
        try:
            pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
        except OSError:
            return 0
        return pages * os.sysconf("SC_PAGE_SIZE")
    return int(_ps(pid, "rss") or 0) * 1024


def listens(pid: int, port: int) -> bool:
    """Whether the process itself holds a listening TCP socket on `port`; True where the system does not tell.

    Several gateways share one port: an answer from the port does not say which of them gave it.
    """
    if not LINUX:
        return True
    try:
        held = {str(entry.readlink()) for entry in Path(f"/proc/{pid}/fd").iterdir()}
    except OSError:
        return False
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        try:
            rows = Path(table).read_text().splitlines()[1:]
        except OSError:
            continue
        for row in rows:
            columns = row.split()
            if (
                columns[3] == LISTEN
                and int(columns[1].rsplit(":", 1)[1], 16) == port
                and f"socket:[{columns[9]}]" in held
            ):
                return True
    return False


def end(processes: Iterable[tuple[int, str]], grace: float) -> None:
    """SIGTERM to processes that are not our children, SIGKILL to those that are still there `grace` seconds later."""
    remaining = [(pid, started) for pid, started in processes if is_running(pid, started)]
    for pid, _ in remaining:
        send(pid, signal.SIGTERM)
    deadline = time.monotonic() + grace
    while remaining and time.monotonic() < deadline:
        time.sleep(0.02)
        remaining = [entry for entry in remaining if is_running(*entry)]
    for pid, _ in remaining:
        send(pid, signal.SIGKILL)
    while remaining and time.monotonic() < deadline + 5:
        time.sleep(0.02)
        remaining = [entry for entry in remaining if is_running(*entry)]


def send(pid: int, number: signal.Signals) -> None:
    """Send a signal to a process that may have ended meanwhile."""
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return


def _ps(pid: int, column: str) -> str:
    found = subprocess.run(["ps", "-o", f"{column}=", "-p", str(pid)], capture_output=True, text=True, check=False)
    return found.stdout.strip()
