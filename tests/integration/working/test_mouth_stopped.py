"""Who is stopped while something is said leaves no line of which nobody knows what became of it."""

from __future__ import annotations

import asyncio
import dataclasses
import sqlite3
import time
from typing import Any

import pytest

from bots.answering.mouth import Mouth
from bots.answering.reaching import Reaching
from bots.messages import Delivery, Outgoing, Target
from brain.errors import ToolError
from brain.guard import Guard, LatchPolicy
from brain.models.scripted import Scripted
from tests.integration.working.looker import DONE, Looker

FILE = ("discord:#lobby", "[attachment report.md]")


class Stalling:
    """A network that takes a file and says nothing."""

    has_replies = True

    def __init__(self) -> None:
        self.took = asyncio.Event()

    async def send_file(self, *_: object, **__: object) -> Delivery:
        self.took.set()
        await asyncio.Event().wait()
        raise AssertionError


def reaching(looker: Looker, **changes: Any) -> Reaching:
    reach = looker.member.parts.answerer.thinker.reach("ada asked in discord:#lobby", "trace")
    return dataclasses.replace(reach, mouth=dataclasses.replace(reach.mouth, **changes))


async def share(reach: Reaching) -> str:
    return await reach.share(Target.parse("discord:#lobby"), 1, "report.md", "it hums")


async def stopped(task: asyncio.Task[Any]) -> None:
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_a_file_that_was_on_its_way_when_somebody_said_stop_is_unknown(
    looker: Looker,
) -> None:
    network = Stalling()
    sharing = asyncio.create_task(share(reaching(looker, transports={"discord": network})))
    async with asyncio.timeout(10):
        await network.took.wait()
    await stopped(sharing)
    assert await looker.replies() == [(*FILE, "unknown", 1)]


async def test_a_file_whose_permit_ran_out_was_never_said(looker: Looker) -> None:
    store = looker.member.store
    late = Guard(
        store, [LatchPolicy(lambda _: None)], lambda: time.monotonic() - 3_600, looker.clock
    )
    with pytest.raises(ToolError, match="not attached"):
        await share(reaching(looker, guard=late))
    assert await looker.replies() == []


async def test_a_file_counts_as_what_was_said_in_its_channel(looker: Looker) -> None:
    assert await share(reaching(looker)) == "attached"
    [place] = {target for target, *_ in await looker.replies()}
    assert place == "discord:#lobby"
    model = Scripted([DONE])
    looking = looker.with_model(model)
    await looker.said("why does it hum?")
    await looking.look()
    assert model.times_asked == 0


async def test_who_is_stopped_as_a_line_is_written_down_takes_it_back(looker: Looker) -> None:
    mouth = reaching(looker).mouth
    beginning = asyncio.create_task(begin(mouth))
    for _ in range(3):
        await asyncio.sleep(0)
    # Nothing else runs here until it is written: its writer has not heard of it yet.
    _wait_until_written(looker)
    await stopped(beginning)
    async with asyncio.timeout(10):
        while await looker.replies():  # noqa: ASYNC110 - it is the database that changes
            await asyncio.sleep(0.02)


async def begin(mouth: Mouth) -> list[int]:
    lobby = Target.parse("discord:#lobby")
    return await mouth.begin(Outgoing(target=lobby, text="x", hops=1, trace_id="t"), ["x"], 1)


def _wait_until_written(looker: Looker) -> None:
    deadline_s = time.monotonic() + 10
    path = str(looker.member.store.url.database)
    while time.monotonic() < deadline_s:
        with sqlite3.connect(path) as found:
            [count] = found.execute("SELECT count(*) FROM reply").fetchone()
        found.close()
        if count:
            return
        time.sleep(0.005)
    raise AssertionError("it was not written")


async def test_who_is_stopped_twice_has_the_line_settled_all_the_same(looker: Looker) -> None:
    network = Stalling()
    sharing = asyncio.create_task(share(reaching(looker, transports={"discord": network})))
    async with asyncio.timeout(10):
        await network.took.wait()
    sharing.cancel()
    await asyncio.sleep(0)
    await stopped(sharing)
    async with asyncio.timeout(10):
        while await looker.replies() != [(*FILE, "unknown", 1)]:  # noqa: ASYNC110
            await asyncio.sleep(0.02)
