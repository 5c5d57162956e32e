"""Files that are read again when they change: token files and certificate bundles.

`WatchedFile` holds the parsed content of one file, `poll` looks after all of them. A new content that cannot be read
or parsed is reported once and the old one stays in force, so that a slip of the pen locks nobody out.
"""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Generic, Protocol, TypeVar

Content = TypeVar("Content")

SETTLED_SECONDS = 2.0
"""A file whose modification is younger may change again within its timestamp's granularity, so it is read anyway."""


class BadFileError(ValueError):
    """A file whose content cannot be used; the text says why and never quotes a secret."""


class Reporter(Protocol):
    """Is told about reloads: the log."""

    def __call__(self, path: Path, problem: str | None, digest: str) -> None:
        """Report a reload that succeeded (no problem) or failed."""
        ...


class WatchedFile(Generic[Content]):
    """One file's parsed content, as current as the last check."""

    def __init__(self, path: Path, parse: Callable[[bytes], Content]) -> None:
        """Read and parse the file. Raises BadFileError or OSError: at start there is no old content to keep."""
        self.path = path
        self._parse = parse
        self._failed = ""
        stamp = self._stamp()
        data = path.read_bytes()
        self.value = parse(data)
        self._remember(stamp, data)

    def _stamp(self) -> tuple[int, int, int, int]:
        status = self.path.stat()
        return status.st_dev, status.st_ino, status.st_mtime_ns, status.st_size

    def _remember(self, stamp: tuple[int, int, int, int], data: bytes) -> None:
        self._seen = stamp
        self._read_at = time.time()
        self.digest = hashlib.sha256(data).hexdigest()

    def check(self, report: Reporter) -> bool:
        """Read the file again if it may have changed; return whether the content in force is a new one."""
        try:
            stamp = self._stamp()
            settled = stamp[2] / 1e9 < self._read_at - SETTLED_SECONDS
            if stamp == self._seen and settled and not self._failed:
                return False
            data = self.path.read_bytes()
            digest = hashlib.sha256(data).hexdigest()
            if digest == self.digest:
                self._remember(stamp, data)
                self._failed = ""
                return False
            if digest == self._failed:
                return False
            value = self._parse(data)
        except (BadFileError, OSError) as error:
            problem = error.strerror or type(error).__name__ if isinstance(error, OSError) else str(error)
            failed = digest if isinstance(error, BadFileError) else problem
            if failed != self._failed:
                self._failed = failed
                report(self.path, problem, self.digest)
            return False
        self.value = value
        self._remember(stamp, data)
        self._failed = ""
        report(self.path, None, self.digest)
        return True


async def poll(
    files: Sequence[WatchedFile[object]], report: Reporter, changed: Callable[[], None], interval: float = 1.0
) -> None:
    """Check all files every interval seconds, forever; tell when any content changed."""
    while True:
        await asyncio.sleep(interval)
        reloaded = [file for file in files if file.check(report)]
        if reloaded:
            changed()
