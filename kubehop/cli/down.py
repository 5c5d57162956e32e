"""`kubehop down`: ends the kubehop of a data directory, and whatever a killed one left behind."""

from __future__ import annotations

import signal
import time

import click

from kubehop.cli import options, processes, state
from kubehop.cli.errors import FAILED, CommandError

PATIENCE = 90.0  # seconds: more than all grace periods of the supervisor together
ORPHAN_GRACE = 10.0


@click.command("down")
@options.data_dir()
def command(directory: state.DataDirectory) -> int:
    """End everything that `kubehop up` started in this data directory."""
    found = state.read(directory)
    if found is not None and found.is_running():
        began = time.monotonic()
        processes.send(found.pid, signal.SIGTERM)
        while found.is_running():
            if time.monotonic() - began > PATIENCE:
                raise CommandError(
                    f"kubehop (pid {found.pid}) has not ended after {PATIENCE:g} s: see `kubehop logs`, or kill it",
                    status=FAILED,
                )
            time.sleep(0.02)
        print(f"kubehop in {directory.root} ended after {time.monotonic() - began:.2f} s")
        return 0
    if directory.is_locked():
        raise CommandError(f"kubehop in {directory.root} is just starting: try again in a moment", status=FAILED)
    left = end_orphans(directory)
    if left:
        print(f"ended what a killed kubehop left behind in {directory.root}: {', '.join(left)}")
    else:
        print(f"no kubehop runs in {directory.root}")
    return 0


def end_orphans(directory: state.DataDirectory) -> list[str]:
    """End the children of a supervisor that is gone, callers before those they call; returns their names."""
    found = state.read(directory)
    if found is None or found.is_running():
        return []
    left = [child for child in found.children if child.is_running()]
    for child in reversed(left):
        processes.end([(child.pid, child.started)], ORPHAN_GRACE)
    directory.state.unlink(missing_ok=True)
    return [child.name for child in left]
