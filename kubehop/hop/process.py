"""The life of a process: event loop, signals, named background tasks.

Called by the `__main__` of the gateway and of every stage:

    async def main() -> None:
        server = StageServer(...)
        await server.start()
        await process.until_stopped()
        await server.stop(grace=10.0)

    process.run(main)
"""

from __future__ import annotations

import asyncio
import gc
import os
import signal
from collections.abc import Callable, Coroutine
from typing import Any, Final, NoReturn, TypeVar

import uvloop

from kubehop.hop import allocator, logs

SIGNALS: Final = (signal.SIGTERM, signal.SIGINT)
T = TypeVar("T")


class _Life:
    """What signals do to the running main coroutine."""

    def __init__(self) -> None:
        self.stop = asyncio.Event()
        self.awaited = 0
        self.signalled: signal.Signals | None = None
        self.failed = False
        self.main: asyncio.Task[Any] | None = None

    def on_signal(self, number: signal.Signals) -> None:
        if self.signalled is not None:
            # asked twice: whoever sends the second one does not want to wait for the grace period
            logs.flush()
            os._exit(128 + number)
        self.signalled = number
        self.request_stop()

    def request_stop(self) -> None:
        self.stop.set()
        if not self.awaited and self.main is not None:
            self.main.cancel()


_life: _Life | None = None
_tasks: set[asyncio.Task[Any]] = set()


def run(main: Callable[[], Coroutine[Any, Any, int | None]]) -> NoReturn:
    """Run `main` on uvloop until it returns, and end the process.

    The first SIGTERM or SIGINT lets `until_stopped` return; where `main` is not waiting there, start-up for instance,
    it is cancelled. A second signal ends the process at once. The exit status is what `main` returned, 0 after a
    signal, 1 after an exception (logged whole) or after the failure of a critical task.
    """
    status = 1
    allocator.keep_freed_memory()
    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            status = runner.run(_supervised(main))
    finally:
        logs.flush()
    raise SystemExit(status)


async def _supervised(main: Callable[[], Coroutine[Any, Any, int | None]]) -> int:
    global _life  # noqa: PLW0603 - a process has one life
    life = _life = _Life()
    loop = asyncio.get_running_loop()
    for number in SIGNALS:
        loop.add_signal_handler(number, life.on_signal, number)
    life.main = asyncio.create_task(main(), name="main")
    try:
        result = await life.main
    except asyncio.CancelledError:
        if not life.stop.is_set():
            raise
        result = None
    except Exception:
        logs.get().exception("the process ends because of an unexpected failure")
        return 1
    finally:
        _life = None
        await _end_tasks()
        for number in SIGNALS:
            loop.remove_signal_handler(number)
    return 1 if life.failed else int(result or 0)


async def _end_tasks() -> None:
    tasks = [task for task in _tasks if not task.done()]
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def until_stopped() -> None:
    """Wait for SIGTERM, SIGINT or `stop`. Only inside `run`, once start-up is done."""
    if _life is None:
        raise RuntimeError("until_stopped needs a process started by kubehop.hop.process.run")
    _settle_memory()
    _life.awaited += 1
    try:
        await _life.stop.wait()
    finally:
        _life.awaited -= 1


def _settle_memory() -> None:
    """Take what start-up left behind out of the garbage collector's sight.

    Schemas, tables and modules live as long as the process; going through them again and again is what makes requests
    wait. What serving allocates is freed by reference counts, with few cycles, so it is looked through less often.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, 20, 20)


def stop() -> None:
    """End the process as SIGTERM does."""
    if _life is not None:
        _life.request_stop()


def spawn(coroutine: Coroutine[Any, Any, T], *, name: str, critical: bool = False) -> asyncio.Task[T]:
    """Run a named background task, kept alive until it ends or is cancelled.

    An exception that ends it is logged whole; where it is `critical`, the process then stops with exit status 1.
    """
    task = asyncio.create_task(coroutine, name=name)
    _tasks.add(task)

    def ended(task: asyncio.Task[T]) -> None:
        _tasks.discard(task)
        if task.cancelled():
            return
        error = task.exception()
        if error is not None:
            logs.get().error("background task failed", task=name, exc_info=error)
            if critical and _life is not None:
                _life.failed = True
                _life.request_stop()

    task.add_done_callback(ended)
    return task
