"""kill -9 anywhere: no event is lost, none is said twice."""

from __future__ import annotations

import ast
import asyncio
import os
import random
import sys
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from storage.event_tables import EventState
from storage.store import Store
from tests.integration.events.rig import Newsroom
from tests.integration.events.teller import __file__ as teller

ROOT = Path(__file__).parents[3]
LIVES = 5
EVENTS = 25
DISCORD, IRC = "discord:user:45", "irc:#reports"


@asynccontextmanager
async def life(store: Store, epoch: int, folder: Path) -> AsyncIterator[None]:
    """One process that tells events; at the end it is killed, wherever it is."""
    url = store.url.render_as_string(hide_password=False)
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *(teller, url, str(epoch), str(folder)),
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=asyncio.subprocess.DEVNULL,
    )
    try:
        async with asyncio.timeout(60):
            while not (folder / f"born.{epoch}").exists():
                assert process.returncode is None
                await asyncio.sleep(0.01)
        yield
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


def said(path: Path, *, once_by_key: bool) -> Counter[str]:
    """How often each event stands there, as the people there see it."""
    seen: set[str] = set()
    told: Counter[str] = Counter()
    for line in path.read_text().splitlines():
        key, _, text = line.partition("\t")
        if once_by_key and key in seen:
            continue
        seen.add(key)
        lines = str(ast.literal_eval(text)).splitlines()
        told.update(line.partition("kill: ")[2] for line in lines if "kill: " in line)
    return told


async def states(newsroom: Newsroom) -> set[EventState]:
    return {*await newsroom.states(DISCORD), *await newsroom.states(IRC)}


async def test_a_dispatcher_that_is_killed_neither_loses_nor_repeats(
    store: Store, tmp_path: Path
) -> None:
    rng = random.Random(11)
    newsroom = Newsroom(store)
    await newsroom.wants(DISCORD, "*")
    await newsroom.wants(IRC, "kill")
    every = []
    for epoch in range(1, LIVES + 1):
        texts = [f"event {epoch}.{n}" for n in range(EVENTS)]
        every += texts
        await newsroom.happens(*texts)
        async with life(store, epoch, tmp_path), asyncio.timeout(60):
            while EventState.SAYING not in await states(newsroom):  # noqa: ASYNC110
                await asyncio.sleep(0.005)
            await asyncio.sleep(rng.uniform(0, 0.2))
    async with life(store, LIVES + 1, tmp_path), asyncio.timeout(60):
        while {EventState.WAITING, EventState.SAYING} & await states(newsroom):  # noqa: ASYNC110
            await asyncio.sleep(0.1)
    assert said(tmp_path / "discord", once_by_key=True) == Counter(every)
    assert await newsroom.states(DISCORD) == {EventState.TOLD: len(every)}
    on_irc = said(tmp_path / "irc", once_by_key=False)
    kept = [notice.text for notice in await newsroom.unread(IRC)]
    assert max(on_irc.values()) == 1
    # What nobody can prove is kept; the rest was said.
    assert set(on_irc) | set(kept) == set(every)
    assert set(await newsroom.states(IRC)) <= {EventState.TOLD, EventState.UNKNOWN}
