"""kill -9 of the driver's process, wherever it is: its successor goes on and repeats nothing."""

from __future__ import annotations

import asyncio
import os
import random
import sys
from pathlib import Path

from storage import leases, workflows
from storage.store import Store
from tests.integration.workflows.world import Stage

ROOT = Path(__file__).parents[3]
PROGRAM = Path(__file__).with_name("driven.py")
STEPS = "".join(
    f"  - {{id: s{n}, agent: a, do: x, needs: [{f's{n - 1}' if n else ''}]}}\n" for n in range(10)
)
RUNS, KILLS = 12, 8


async def drive(url: str, folder: Path, life: int) -> asyncio.subprocess.Process:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *(str(PROGRAM), url, str(folder), f"captain.{life}"),
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    assert process.stdout is not None
    async with asyncio.timeout(30):
        assert await process.stdout.readline() == b"driving\n"
    return process


async def unfinished(store: Store) -> int:
    async with store.reading() as unit:
        return len(await workflows.unfinished(unit))


async def test_ten_steps_are_done_once_each_however_often_their_driver_is_killed(
    store: Store, tmp_path: Path
) -> None:
    folder = tmp_path / "doers"
    folder.mkdir()
    stage, rng = Stage(store), random.Random(20261120)
    for _ in range(RUNS):
        await stage.begin(f"name: chain\nsteps:\n{STEPS}")
    url = store.url.render_as_string(hide_password=False)
    kills = 0
    for life in range(100):
        process = await drive(url, folder, life)
        try:
            patient = kills >= KILLS
            await moment(store, 30.0 if patient else rng.uniform(0.0, 0.4))
        finally:
            process.kill()
            await process.wait()
        kills += 1
        # As the supervisor does when a process has died.
        async with store.writing() as unit:
            await leases.release_all(unit, "captain")
        if not await unfinished(store):
            break
    assert kills > 2
    for number in range(RUNS):
        run = await stage.run(f"WF-{number + 1}")
        assert run.state == "done"
    done = sorted(file.name for file in folder.iterdir())
    wanted = [f"workflow_WF-{r + 1}_s{n}_-1_1" for r in range(RUNS) for n in range(10)]
    assert done == sorted(wanted), "each step once, at its first try"


async def moment(store: Store, most_s: float) -> None:
    """Until all runs are over, at most so long."""
    loop = asyncio.get_running_loop()
    until = loop.time() + most_s
    while loop.time() < until:
        if not await unfinished(store):
            return
        await asyncio.sleep(0.02)
