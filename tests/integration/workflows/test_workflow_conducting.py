"""The driver of workflows is loaded for the first run, and looking for it costs little."""

from __future__ import annotations

import asyncio
from pathlib import Path

import structlog

from bots.workflows.conducting import Conductor
from bots.workflows.driver import Driver
from storage.store import Store
from tests.integration.counting import CountingStore
from tests.integration.workflows.world import Stage

CHAIN = "name: one\nsteps:\n  - {id: a, agent: x, do: y}\n"


async def test_the_first_run_is_driven_and_many_nudges_before_it_are_few_looks(
    store: Store, tmp_path: Path
) -> None:
    counting = await CountingStore.open(f"sqlite:///{tmp_path / 'parley.db'}")
    assert isinstance(counting, CountingStore)
    stage, loaded = Stage(counting), asyncio.Event()
    loop = asyncio.get_running_loop()

    def load() -> Driver:
        loop.call_soon_threadsafe(loaded.set)
        return stage.driver()

    conductor = Conductor(counting, load, structlog.get_logger())
    counting.taken, begun_s = 0, loop.time()
    conducting = asyncio.create_task(conductor.run())
    for _ in range(50):
        # Every change of a delegation is one.
        conductor.nudge()
        await asyncio.sleep(0.01)
    assert counting.taken <= 1 + (loop.time() - begun_s) / 0.2
    assert not loaded.is_set()
    run = await stage.begin(CHAIN)
    conductor.nudge()
    async with asyncio.timeout(20):
        await loaded.wait()
        while True:
            if (await stage.run(run.code)).state == "done":
                break
            await asyncio.sleep(0.02)
    conducting.cancel()
    await asyncio.gather(conducting, return_exceptions=True)
    await counting.close()
