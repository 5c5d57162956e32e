"""Files that are read again when they change."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest

from services.authentication.files import BadFileError, WatchedFile, poll


class Log:
    """Takes reports down."""

    def __init__(self) -> None:
        self.lines: list[str | None] = []

    def __call__(self, path: Path, problem: str | None, digest: str) -> None:
        self.lines.append(problem)


def number(data: bytes) -> int:
    if not data.strip().isdigit():
        raise BadFileError("no number")
    return int(data)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "file"
    path.write_text("1")
    return path


def test_a_new_content_is_taken_in(path: Path) -> None:
    """A change is seen, even one of the same size at the same moment."""
    file, log = WatchedFile(path, number), Log()
    assert not file.check(log)
    path.write_text("2")
    assert file.check(log)
    assert file.value == 2
    assert log.lines == [None]
    assert not file.check(log)


def test_a_replaced_file_is_taken_in(path: Path) -> None:
    """A file swapped in by rename, as config maps and editors do it, is read too, however old it is."""
    file, log = WatchedFile(path, number), Log()
    other = path.with_name("other")
    other.write_text("3")
    os.utime(other, (1, 1))
    other.replace(path)
    assert file.check(log)
    assert file.value == 3


def test_a_broken_content_keeps_the_old_one_and_is_said_once(path: Path) -> None:
    """The old content stays in force until the file is right again."""
    file, log = WatchedFile(path, number), Log()
    path.write_text("x")
    assert not file.check(log)
    assert not file.check(log)
    path.unlink()
    assert not file.check(log)
    assert not file.check(log)
    assert log.lines == ["no number", "No such file or directory"]
    assert file.value == 1
    path.write_text("4")
    assert file.check(log)
    assert file.value == 4


def test_touching_a_file_is_no_change(path: Path) -> None:
    """The content counts, not the time."""
    file, log = WatchedFile(path, number), Log()
    os.utime(path, (1, 1))
    assert not file.check(log)
    assert log.lines == []


def test_at_start_a_broken_file_is_an_error(path: Path) -> None:
    """There is nothing old to keep."""
    path.write_text("x")
    with pytest.raises(BadFileError):
        WatchedFile(path, number)


async def test_polling_tells_when_something_changed(path: Path) -> None:
    """The loop looks at all files and tells once per round."""
    changed = asyncio.Event()
    file = WatchedFile(path, number)
    task = asyncio.create_task(poll([file], Log(), changed.set, 0.01))
    path.write_text("5")
    try:
        async with asyncio.timeout(5):
            await changed.wait()
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    assert file.value == 5
