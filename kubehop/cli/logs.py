"""`kubehop logs`: what the processes of a data directory wrote, as one story in the order of time."""

from __future__ import annotations

import contextlib
import os
import sys
import time
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Final

import click

from kubehop.cli import journal, options, state
from kubehop.cli.errors import CommandError

POLL: Final = 0.2  # seconds; also how long lines of different processes wait to be put in order
COLOURS: Final = (36, 33, 35, 34, 32, 96, 93, 95)


@click.command("logs")
@options.data_dir()
@click.option("--follow", "-f", is_flag=True, help="Go on with what is written from now on.")
@click.option(
    "--stage", "-s", "stages", multiple=True, metavar="NAME", help="Only this process; may be given several times."
)
@click.option(
    "--tail", "-n", type=click.IntRange(min=0), default=None, metavar="N", help="Only the last N lines so far."
)
def command(directory: state.DataDirectory, *, follow: bool, stages: Sequence[str], tail: int | None) -> int:
    """Show what the stages, the gateway, etcd and the supervisor wrote."""
    logs = _chosen(directory, stages)
    tails = {log: journal.Tail(log) for log in logs}  # made first: what is written while we read the past shows twice
    width = max(len(journal.name_of(log)) for log in logs)
    so_far: Iterable[journal.Line] = journal.merged(logs)
    if tail is not None:
        so_far = deque(so_far, maxlen=tail)
    _show(so_far, width)
    if follow:
        with contextlib.suppress(KeyboardInterrupt):
            for lines in _new_lines(directory, stages, tails):
                _show(lines, width)
    return 0


def _chosen(directory: state.DataDirectory, stages: Sequence[str]) -> list[Path]:
    present = sorted(directory.logs.glob("*.log"))
    if not present:
        raise CommandError(f"no logs in {directory.logs}: `kubehop up` writes them")
    names = [journal.name_of(log) for log in present]
    for stage in stages:
        if stage not in names:
            raise CommandError(f"--stage {stage}: there is no such log; there are {', '.join(names)}")
    return [log for log in present if not stages or journal.name_of(log) in stages]


def _new_lines(
    directory: state.DataDirectory, stages: Sequence[str], tails: dict[Path, journal.Tail]
) -> Iterator[list[journal.Line]]:
    while True:
        for log in directory.logs.glob("*.log"):
            if log not in tails and (not stages or journal.name_of(log) in stages):
                tails[log] = journal.Tail(log)  # another gateway, say
        lines = [line for tail in tails.values() for line in tail.new_lines()]
        if lines:
            yield sorted(lines, key=lambda line: line[0])
        time.sleep(POLL)


def _show(lines: Iterable[journal.Line], width: int) -> None:
    colours = sys.stdout.isatty() and "NO_COLOR" not in os.environ
    for _, name, text in lines:
        padded = f"{name:<{width}}"
        if colours:
            padded = f"\033[{COLOURS[sum(name.encode()) % len(COLOURS)]}m{padded}\033[0m"
        print(f"{padded} | {text}")
    sys.stdout.flush()
