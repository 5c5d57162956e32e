"""The life of a process: signals, exit status, background tasks."""

from __future__ import annotations

import asyncio
import signal
import sys
import textwrap

import pytest

PRELUDE = """
import asyncio, sys
from kubehop.hop import logs, process
logs.configure("sample")
"""


async def start(source: str) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        PRELUDE + textwrap.dedent(source),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )


async def ended(process: asyncio.subprocess.Process) -> tuple[int | None, str, str]:
    out, err = await asyncio.wait_for(process.communicate(), 20)
    return process.returncode, out.decode(), err.decode()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_signal_lets_main_finish(number: signal.Signals) -> None:
    """until_stopped returns at the signal, clean-up runs, the exit status is 0 and collected log lines are written."""
    process = await start("""
        async def main():
            print("up", flush=True)
            await process.until_stopped()
            await asyncio.sleep(0.1)
            print("cleaned", flush=True)
            logs.get().info("goodbye")
        process.run(main)
    """)
    assert process.stdout is not None
    assert await process.stdout.readline() == b"up\n"
    process.send_signal(number)
    status, out, err = await ended(process)
    assert (status, out) == (0, "cleaned\n")
    assert "goodbye" in err


async def test_signal_during_start() -> None:
    """Where main is not waiting for the end it is cancelled, and that is no failure."""
    process = await start("""
        async def main():
            try:
                print("starting", flush=True)
                await asyncio.sleep(60)
            finally:
                print("undone", flush=True)
        process.run(main)
    """)
    assert process.stdout is not None
    await process.stdout.readline()
    process.send_signal(signal.SIGTERM)
    status, out, err = await ended(process)
    assert (status, out, err) == (0, "undone\n", "")


async def test_second_signal_ends_at_once() -> None:
    """A second signal does not wait for the clean-up."""
    process = await start("""
        async def main():
            print("up", flush=True)
            await process.until_stopped()
            print("stopping", flush=True)
            await asyncio.sleep(60)
        process.run(main)
    """)
    assert process.stdout is not None
    await process.stdout.readline()
    process.send_signal(signal.SIGTERM)
    assert await process.stdout.readline() == b"stopping\n"
    process.send_signal(signal.SIGTERM)
    status, _, _ = await ended(process)
    assert status == 128 + signal.SIGTERM


async def test_exit_status_of_main() -> None:
    """main's number is the exit status; an exception is logged whole and makes it 1."""
    process = await start("""
        async def main():
            return 3
        process.run(main)
    """)
    assert (await ended(process))[0] == 3
    process = await start("""
        async def main():
            raise LookupError("nothing there")
        process.run(main)
    """)
    status, _, err = await ended(process)
    assert status == 1
    assert "LookupError: nothing there" in err


async def test_background_tasks() -> None:
    """A failed background task is logged by name; a critical one stops the process with status 1."""
    process = await start("""
        async def fail(text):
            raise OSError(text)
        async def main():
            process.spawn(fail("harmless"), name="gardener")
            await asyncio.sleep(0.1)
            process.spawn(fail("fatal"), name="heart", critical=True)
            await process.until_stopped()
            print("cleaned", flush=True)
        process.run(main)
    """)
    status, out, err = await ended(process)
    assert (status, out) == (1, "cleaned\n")
    assert "gardener" in err
    assert "OSError: harmless" in err
    assert "heart" in err
