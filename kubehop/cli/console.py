"""What `kubehop up` says while it works: one line a step, one block when it is ready, one block when a child dies.

Shared by up.py and the supervisor. Plain text, colours only on a terminal: rich would double the supervisor's memory.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final, TextIO

GREEN: Final = "\033[32m"
RED: Final = "\033[31m"
DIM: Final = "\033[2m"
PLAIN: Final = "\033[0m"
NAME_WIDTH: Final = 16
DETAIL_WIDTH: Final = 52


class Console:
    """Writes to standard output, and the same with a time stamp to a log file when there is one."""

    def __init__(self, log: Path | None = None, stream: TextIO | None = None) -> None:
        self._stream = stream or sys.stdout
        self._log = log
        self._colours = self._stream.isatty() and "NO_COLOR" not in os.environ

    def step(self, name: str, detail: str, seconds: float | None = None) -> None:
        """A step is done."""
        took = "" if seconds is None else f"{seconds:6.2f} s"
        plain = f"{name:<{NAME_WIDTH}} {detail:<{DETAIL_WIDTH}} {took}".rstrip()
        self._emit(f"  {self._paint(GREEN, '✓')} {plain}", plain)

    def note(self, text: str) -> None:
        """Something to know."""
        self._emit(self._paint(DIM, text), text)

    def trouble(self, text: str, details: Sequence[str] = ()) -> None:
        """Something went wrong; `details` are quoted below it."""
        self._emit(f"{self._paint(RED, '✗')} {text}", text)
        for line in details:
            self._emit(f"    {self._paint(DIM, '|')} {line}", f"  | {line}")

    def say(self, text: str = "") -> None:
        """Plain lines for the person in front, not for the log."""
        self._write(text)

    def detach(self) -> None:
        """Let go of the terminal: from now on only the log is written."""
        self._stream.flush()
        nowhere = os.open(os.devnull, os.O_WRONLY)
        for descriptor in (1, 2):
            os.dup2(nowhere, descriptor)
        os.close(nowhere)

    def _emit(self, shown: str, logged: str) -> None:
        self._write(shown)
        if self._log is not None:
            now = time.time()
            stamp = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(now)) + f".{int(now % 1 * 1000):03d}Z"
            with self._log.open("a") as file:
                file.write(f"{stamp} {logged}\n")

    def _write(self, text: str) -> None:
        try:
            print(text, file=self._stream, flush=True)
        except OSError:
            # whoever read us has gone (`kubehop up | head`): the log still has it all
            self.detach()

    def _paint(self, colour: str, text: str) -> str:
        return f"{colour}{text}{PLAIN}" if self._colours else text
