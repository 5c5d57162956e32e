"""Running hooks: trying again, telling readyz, going on."""

from __future__ import annotations

import asyncio

from gateway.hooks.runner import Hook, PostStartHooks


async def test_a_hook_is_tried_until_it_succeeds():
    """A failure is reported as the check's reason and goes away with the success."""
    tries = []
    second = asyncio.Event()

    async def run():
        tries.append(None)
        if len(tries) < 3:
            raise ConnectionError("storage is away")
        await second.wait()

    running = PostStartHooks([Hook("a", run)], first_pause=0.001)
    assert running.failure("a") == "not finished"
    running.start()
    try:
        async with asyncio.timeout(5):
            while len(tries) < 3:
                await asyncio.sleep(0.001)
        assert running.failure("a") == "storage is away"
        assert not running.finished
        second.set()
        async with asyncio.timeout(5):
            await running.wait_finished()
        assert running.failure("a") is None
        assert running.finished
    finally:
        await running.stop()


async def test_hooks_run_at_the_same_time():
    """One that hangs keeps no other from finishing, and all have to finish."""
    gate = asyncio.Event()

    async def slow():
        await gate.wait()

    async def quick():
        gate.set()

    running = PostStartHooks([Hook("slow", slow), Hook("quick", quick)])
    running.start()
    async with asyncio.timeout(5):
        await running.wait_finished()
    assert running.names == ("slow", "quick")
    await running.stop()


async def test_a_lasting_hook_is_run_again_and_a_late_failure_is_not_unreadiness():
    """What keeps objects in order fails quietly after the first success: the server stays ready."""
    runs = []

    async def run():
        runs.append(None)
        if len(runs) == 2:
            raise ConnectionError("storage is away")

    running = PostStartHooks([Hook("a", run, again_every=0.001)], first_pause=0.001)
    running.start()
    async with asyncio.timeout(5):
        while len(runs) < 4:
            await asyncio.sleep(0.001)
            assert running.failure("a") in (None, "not finished")
    assert running.finished
    await running.stop()


async def test_no_hooks_is_finished():
    """A server without hooks is not kept from being ready."""
    assert PostStartHooks([]).finished
