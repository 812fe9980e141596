"""What an agent's hands ask the store, and how often, while there is more work than places."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from bots.answering.opening import PlainOpenings
from bots.delegating.matter import DelegationMatter
from bots.delegating.worker import Worker
from brain.errors import ModelFailed
from brain.model import Completion, Conversation, Reader
from brain.models.scripted import Scripted
from brain.souls import Soul
from storage.core import DELEGATION, run
from storage.delegation_tables import Delegation
from storage.delegations import OPEN
from storage.errors import StorageError
from storage.store import Store
from tests.acceptance.stage import until
from tests.integration.delegating.office import Office, office


@pytest.fixture
async def crew(store: Store, tmp_path: Path) -> AsyncIterator[Office]:
    async with office(store, tmp_path) as made:
        yield made


class Paced(Scripted):
    """Ends one thought each time that it is let."""

    def __init__(self) -> None:
        super().__init__([Completion(text="done")])
        self.go = asyncio.Semaphore(0)
        self.times_begun = 0

    async def query(self, conversation: Conversation, reader: Reader | None = None) -> Completion:
        self.times_begun += 1
        await self.go.acquire()
        return await super().query(conversation, reader)


async def looked(works: Worker) -> bool:
    """One look; whether it wants another one at once."""
    works._nudged.clear()
    await works._look()
    return works._nudged.is_set()


async def test_with_all_places_taken_each_end_brings_one_look(crew: Office) -> None:
    model = Paced()
    works = (await crew.hire("secretary", model, works=False)).hands
    for number in range(7):
        await crew.give("captain", "secretary", f"number {number}")
    assert not await looked(works), "there is no place for more"
    for left in range(6, 2, -1):
        assert works.busy == 4
        works._nudged.clear()
        model.go.release()
        await until(works._nudged.is_set, "there may be more now that one has ended")
        assert not await looked(works), "what it took fills the one place"
        assert works.busy == min(4, left)
    works._nudged.clear()
    model.go.release()
    await until(lambda: works.busy == 2, "another one has ended")
    assert not works._nudged.is_set(), "and nothing more waits"
    for _ in range(2):
        model.go.release()
    await until(lambda: works.busy == 0, "all have ended")


async def test_what_came_while_all_places_were_taken_is_taken_after_the_next_end(
    crew: Office,
) -> None:
    model = Paced()
    works = (await crew.hire("secretary", model, works=False)).hands
    for number in range(4):
        await crew.give("captain", "secretary", f"number {number}")
    await looked(works)
    model.go.release()
    await until(lambda: works.busy == 3, "one has ended")
    await crew.give("captain", "secretary", "late")
    await looked(works)
    await crew.give("captain", "secretary", "later")
    assert not await looked(works)
    works._nudged.clear()
    model.go.release()
    await until(works._nudged.is_set, "somebody looks for it")
    await looked(works)
    assert works.busy == 4
    for _ in range(4):
        model.go.release()
    await until(lambda: works.busy == 0, "all have ended")


async def test_one_look_takes_the_work_and_what_is_only_passed_on_behind_it(crew: Office) -> None:
    model = Paced()
    await crew.hire("secretary", works=False)
    works = (await crew.hire("tech-lead", model, works=False)).hands
    for number in range(5):
        await crew.give("captain", "tech-lead", f"number {number}")
    passed = await crew.give("harvester", "secretary", asked_by="agent:harvester")
    assert passed.passed_to == "secretary"
    assert not await looked(works)
    assert works.busy == 5
    assert passed.id in works._hands
    works.stop_all("over")
    await until(lambda: works.busy == 0, "all have ended")


async def test_what_is_only_passed_on_leaves_the_places_to_the_work_behind_it(
    crew: Office,
) -> None:
    await crew.hire("secretary", works=False)
    works = (await crew.hire("tech-lead", Paced(), works=False)).hands
    by_harvester = {"asked_by": "agent:harvester"}
    for number in range(5):
        await crew.give("harvester", "secretary", f"pass {number}", priority=10, **by_harvester)
    for number in range(4):
        await crew.give("harvester", "tech-lead", f"number {number}", **by_harvester)
    assert await looked(works), "five were taken, and none took a place"
    assert works.busy == 5
    await looked(works)
    assert works.busy == 9
    works.stop_all("over")
    await until(lambda: works.busy == 0, "all have ended")


async def test_who_has_to_say_why_it_was_stopped_is_woken_for_it(crew: Office) -> None:
    rung: list[dict[str, Any]] = []
    crew.listens["parley.result.secretary"] = rung.append
    await crew.hire("secretary", works=False)
    model = Paced()
    works = (await crew.hire("buyer", model)).hands
    given = await crew.give(
        "captain", "buyer", deliver_to="irc:#reports", network="irc", channel="#lobby"
    )
    await until(lambda: model.times_begun == 1, "it is at work")
    works.stop_all("killed by alice")
    ended = await until_ended(crew, given)
    assert (ended.error, ended.deliver, ended.deliver_by) == (
        "killed by alice",
        "owed",
        "secretary",
    )
    await until(lambda: bool(rung), "the secretary hears of it")
    assert rung == [{"code": given.code, "only_tells": False}]


async def test_one_that_ends_is_one_event_on_the_bus(crew: Office) -> None:
    events: list[dict[str, Any]] = []
    crew.listens["parley.event.*.delegation"] = events.append
    await crew.hire("secretary", works=False)
    model = Scripted([ModelFailed("overloaded"), Completion(text="now")])
    await crew.hire("buyer", model)
    given = await crew.give("captain", "buyer", deliver_to="irc:#reports", tries=2)
    ended = await until_ended(crew, given)
    assert (ended.claim, ended.deliver, ended.deliver_by) == (2, "owed", "secretary")
    await until(lambda: bool(events), "who tells of it hears")
    assert len(events) == 1

    held = ended.model_copy(update={"state": "claimed"})
    crew["buyer"].desk.bells.changed(held.sender, held.code)
    assert len(events) == 1, "what is only a word about it is no event"

    stuck = Paced()
    await crew.hire("buyer", stuck)
    given = await crew.give("captain", "buyer")
    await until(lambda: stuck.times_begun == 1, "it is at work")
    await crew["captain"].desk.cancel(given.code, "alice", "")
    await crew["captain"].desk.cancel(given.code, "alice", "again")
    assert len(events) == 2


async def until_ended(crew: Office, given: Delegation) -> Delegation:
    async with asyncio.timeout(20):
        while True:
            found = await crew["captain"].desk.read(given.code)
            assert found is not None
            if found.state not in OPEN:
                return found
            await asyncio.sleep(0.05)


async def test_results_are_not_loaded_again_while_they_are_said(crew: Office) -> None:
    works = (await crew.hire("secretary", works=False)).hands
    given = await crew.give("captain", "buyer", deliver_to="irc:#reports")
    owed = {"state": "done", "deliver": "owed", "deliver_by": "secretary"}
    await crew["buyer"].ends()
    async with crew.store.writing() as unit:
        await run(unit, sa.update(DELEGATION).where(DELEGATION.c.id == given.id).values(**owed))
    assert [one.id for one in (await works._seen()).owed] == [given.id]
    saying = asyncio.create_task(asyncio.Event().wait())
    works.delivering.saying.add(saying)  # type: ignore[arg-type]
    assert list((await works._seen()).owed) == []
    saying.cancel()
    await asyncio.gather(saying, return_exceptions=True)
    works.delivering.saying.clear()


async def test_nobody_reads_what_was_said_before_in_work_that_begins(
    crew: Office, tmp_path: Path
) -> None:
    closed = Store(f"sqlite:///{tmp_path / 'closed.sqlite'}")
    await closed.close()
    soul = Soul(name="secretary", description="", introduction="", body="Be brief.")
    openings = PlainOpenings("secretary", closed, soul)
    given = await crew.give("captain", "secretary")
    opened = await openings.of(DelegationMatter(given, "irc"), "do it")
    assert (opened.system, opened.history) == ("Be brief.", ())
    in_talk = given.model_copy(update={"talk": "T-1"})
    with pytest.raises(StorageError):
        await openings.of(DelegationMatter(in_talk, "irc"), "and then?")
