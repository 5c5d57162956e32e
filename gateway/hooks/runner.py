"""Runs the post-start hooks until each has succeeded, and says for readyz which have not.

The gateway starts it once it listens and stops it when it goes down. Hooks run at the same time; one that fails is
tried again after a pause that grows. Some hooks then keep what they made in order for as long as the server runs.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Final

from kubehop.hop import logs

FIRST_PAUSE_SECONDS: Final = 0.1
LONGEST_PAUSE_SECONDS: Final = 5.0


@dataclass(frozen=True, slots=True)
class Hook:
    """One post-start hook."""

    name: str
    """kube-apiserver's name of it; its readyz check is `poststarthook/<name>`."""
    run: Callable[[], Awaitable[None]]
    """Bring about what the hook is for. Called again after a failure, so it must not mind what is there already."""
    again_every: float | None = None
    """Seconds after which it is run again while the server lives; None when once is enough."""


class PostStartHooks:
    """The hooks of one server."""

    def __init__(self, hooks: Sequence[Hook], *, first_pause: float = FIRST_PAUSE_SECONDS) -> None:
        self._hooks = tuple(hooks)
        self._first_pause = first_pause
        self._failures: dict[str, str] = {hook.name: "not finished" for hook in hooks}
        self._tasks: list[asyncio.Task[None]] = []
        self._finished = asyncio.Event()
        if not hooks:
            self._finished.set()

    @property
    def names(self) -> tuple[str, ...]:
        """The hooks in order, for the list of readyz checks."""
        return tuple(hook.name for hook in self._hooks)

    def failure(self, name: str) -> str | None:
        """Why a hook has not finished yet; None once it has."""
        return self._failures.get(name)

    @property
    def finished(self) -> bool:
        """Whether every hook has succeeded once."""
        return not self._failures

    async def wait_finished(self) -> None:
        """Return once every hook has succeeded."""
        await self._finished.wait()

    def start(self) -> None:
        """Run the hooks, each in a task of its own."""
        self._tasks = [asyncio.create_task(self._keep(hook), name=f"poststarthook {hook.name}") for hook in self._hooks]

    async def stop(self) -> None:
        """End what still runs."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks.clear()

    async def _keep(self, hook: Hook) -> None:
        await self._until_success(hook)
        while hook.again_every is not None:
            await asyncio.sleep(hook.again_every)
            await self._until_success(hook)

    async def _until_success(self, hook: Hook) -> None:
        pause = self._first_pause
        while True:
            try:
                await hook.run()
            except Exception as error:
                # whatever it was, a server without its bootstrap objects must not call itself ready nor give up
                if hook.name in self._failures:
                    self._failures[hook.name] = str(error) or type(error).__name__
                logs.get().warning("post-start hook failed, trying again", hook=hook.name, why=str(error), in_s=pause)
                await asyncio.sleep(pause * random.uniform(0.75, 1.25))  # noqa: S311 - jitter, no secret
                pause = min(pause * 2, LONGEST_PAUSE_SECONDS)
            else:
                if self._failures.pop(hook.name, None) is not None and not self._failures:
                    self._finished.set()
                return
