"""What is asked, decided or begun at another agent's wakes the captain's process at once."""

from __future__ import annotations

import asyncio
from asyncio.subprocess import DEVNULL
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import structlog

from bots.agent.assembly import Answering
from bots.agent.captaincy import Captaincy
from bots.bus import EVENT, Bus
from bots.clock import utc_now
from bots.control.switch import KillSwitch
from bots.supervisor.ports import free_port
from bots.supervisor.programs import SUPERVISOR, nats_server
from storage.latch import LatchFile
from storage.store import Store
from tests.integration.delegating.office import Office, office


async def nobody(_: dict[str, Any]) -> str:
    return ""


def captaincy(crew: Office) -> Captaincy:
    captain, log = crew["captain"], structlog.get_logger()
    switch = KillSwitch(
        "captain", LatchFile(crew.state.latch), clock=utc_now, tell=lambda _: None, log=log
    )
    return Captaincy(captain.spec, crew.store, captain.parts, switch=switch, ask=nobody, log=log)


@pytest.mark.parametrize(
    "of", [lambda parts: parts.requests, lambda parts: parts.desk.beginnings], ids=["asked", "run"]
)
async def test_the_captain_hears_at_once_what_happens_at_another_agent(
    store: Store, tmp_path: Path, of: Callable[[Answering], Any]
) -> None:
    async with office(store, tmp_path, hire=("captain", "buyer")) as crew:
        crew.listens = captaincy(crew).subscriptions()
        heard: list[str] = []
        of(crew["captain"].parts).watchers.append(lambda: heard.append("captain"))
        of(crew["buyer"].parts).tell()
        assert heard == ["captain"]
        of(crew["captain"].parts).tell()
        assert heard == ["captain", "captain"], "it does not tell itself by bus"
        assert crew.forbidden == []


async def test_the_bus_lets_through_what_the_captain_listens_for(
    store: Store, tmp_path: Path
) -> None:
    async with office(store, tmp_path, hire=("captain", "buyer")) as crew:
        heard: set[str] = set()
        parts = crew["captain"].parts
        listens = captaincy(crew).subscriptions()
        parts.requests.watchers.append(lambda: heard.add("request"))
        parts.desk.beginnings.watchers.append(lambda: heard.add("workflow"))
        async with buses(tmp_path, "captain", "buyer") as (captain, buyer):
            running = [asyncio.create_task(b.run(s)) for b, s in ((captain, listens), (buyer, {}))]
            async with asyncio.timeout(30):
                while heard != {"request", "workflow"}:
                    # What is said before somebody listens is lost.
                    for of in ("request", "workflow"):
                        buyer.publish(f"{EVENT}.buyer.{of}", {})
                    await asyncio.sleep(0.05)
            for one in running:
                one.cancel()
            await asyncio.gather(*running, return_exceptions=True)


@asynccontextmanager
async def buses(folder: Path, *names: str) -> AsyncIterator[list[Bus]]:
    """A real NATS, and a connection of each of these agents."""
    port = free_port()
    words = dict.fromkeys((*names, SUPERVISOR), "word")
    program = nats_server(folder, port, words, {})
    server = await asyncio.create_subprocess_exec(*program.command, stderr=DEVNULL)
    log = structlog.get_logger()
    try:
        yield [Bus(f"nats://127.0.0.1:{port}", name, "word", log=log) for name in names]
    finally:
        server.terminate()
        await server.wait()
