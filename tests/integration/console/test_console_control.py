"""The page's eye on the swarm: open while somebody looks at a page, and only then."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from datetime import UTC, datetime

import aiohttp

from bots.console.config import ControlSpec
from bots.console.control import Control
from tests.integration.console.door import TOKEN, ControlDoor


async def looked(door: ControlDoor) -> None:
    door.looked.clear()
    async with asyncio.timeout(10):
        await door.looked.wait()


async def test_the_supervisor_is_asked_only_while_a_page_is_open() -> None:
    async with ControlDoor(["captain"]) as door, aiohttp.ClientSession() as http:
        spec = ControlSpec(url=f"http://127.0.0.1:{door.port}", token=TOKEN)
        control = Control(http, spec, clock=lambda: datetime.now(UTC), on_change=lambda: None)
        watching = asyncio.create_task(control.watch())
        await control.glance()
        assert (control.swarm.mood, door.looks) == ("running", 1)
        with control.watched():
            await looked(door)
            # an open page knows already
            await control.glance()
            await looked(door)
        door.looked.clear()
        with suppress(TimeoutError):
            async with asyncio.timeout(2.5):
                # one look may have been under way
                await door.looked.wait()
                door.looked.clear()
                await door.looked.wait()
                raise AssertionError("it looks, and nobody is there")
        # what came to pass meanwhile is seen when somebody comes back
        door.agents["captain"] = "failed"
        await control.glance()
        assert control.swarm.ready == 0
        watching.cancel()
