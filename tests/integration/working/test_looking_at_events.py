"""An agent that subscribed sees what happened when it looks around, once, between fences."""

from __future__ import annotations

import re

import sqlalchemy as sa

from brain.errors import Overloaded
from brain.models.scripted import Scripted
from storage import deliveries, events, subscriptions
from storage.subscriptions import Wanted
from tests.integration.working.looker import DONE, SILENT, Looker, posts, told

RECEIVER = "agent:captain"


async def subscribed(looker: Looker) -> None:
    wanted = Wanted(receiver=RECEIVER, topic="delegation", made_by=RECEIVER)
    async with looker.member.store.writing() as unit:
        now = looker.clock()
        await subscriptions.add(unit, wanted, by="captain", now=now, trace_id="t")


async def happens(looker: Looker, text: str) -> None:
    async with looker.member.store.writing() as unit:
        now = looker.clock()
        await events.record(unit, topic="delegation.failed", agent="rook", text=text, at=now)
        await events.hand_out(unit, now)


async def unread(looker: Looker) -> int:
    _, count = await looker.member.store.read(lambda unit: deliveries.unread(unit, RECEIVER, 1))
    return count


async def test_events_are_shown_once_and_fenced(looker: Looker) -> None:
    await subscribed(looker)
    model = Scripted([SILENT])
    looking = looker.with_model(model)
    await looking.look()
    assert model.times_asked == 0, "nothing happened"
    await happens(looker, "what captain gave rook has failed")
    await looking.look()
    assert model.times_asked == 1
    shown = told(model)
    assert "What happened that you wanted to be told of" in shown
    fenced = shown.partition('source="events"')[2].partition("</untrusted")[0]
    assert "delegation.failed: what captain gave rook has failed" in fenced
    assert await unread(looker) == 0
    await looking.look()
    assert model.times_asked == 1


async def test_what_was_kept_for_days_is_told_with_its_day(looker: Looker) -> None:
    await subscribed(looker)
    await happens(looker, "the mixer broke")
    looker.clock.on(days=3)
    model = Scripted([SILENT])
    await looker.with_model(model).look()
    dated = r"\d{4}-\d\d-\d\d \d\d:\d\d delegation\.failed: the mixer broke"
    assert re.search(dated, told(model))


async def test_a_look_that_shows_no_events_marks_none_as_read(looker: Looker) -> None:
    model = Scripted([SILENT])
    looking = looker.with_model(model)
    await looker.said("does anybody know why the mixer hums?")
    asked: list[str] = []
    sa.event.listen(
        looker.member.store._engine, "before_cursor_execute", lambda *found: asked.append(found[2])
    )
    await looking.look()
    assert model.times_asked == 1
    assert not [statement for statement in asked if "UPDATE event_delivery" in statement]


async def test_it_may_speak_of_them_where_everybody_reads(looker: Looker) -> None:
    await subscribed(looker)
    await looker.closes("task-board")
    await happens(looker, "it failed")
    model = Scripted(
        [posts("It failed.", "discord:#lobby", ("discord:#task-board", "Here too.")), DONE]
    )
    await looker.with_model(model).look()
    assert await looker.history() == ["It failed."]
    assert await looker.history("task-board") == []


async def test_a_look_that_fails_leaves_them_unread(looker: Looker) -> None:
    await subscribed(looker)
    await happens(looker, "the mixer broke")
    model = Scripted([Overloaded("the test's model is overloaded"), SILENT])
    looking = looker.with_model(model)
    await looking.look()
    assert await unread(looker) == 1
    # It is not shown again, for that may cost as much again; the next one is.
    await looking.look()
    assert model.times_asked == 1
    await happens(looker, "another one")
    await looking.look()
    assert "the mixer broke" not in told(model)
    assert "another one" in told(model)
    assert await unread(looker) == 1
