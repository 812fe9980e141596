"""Conversations: begun anew, made shorter, counted, handed on; on both databases."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import sqlalchemy as sa

from storage import agents, inbox, record, sessions, usage
from storage.core import SESSION, TURN, run
from storage.record import NewLine, Owed
from storage.store import Store
from storage.usage import Counts, Usage

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
KEY = "irc:#lobby"


async def turn(store: Store, asked: str, at: datetime = NOW, *, agent: str = "secretary") -> int:
    async with store.writing() as unit:
        session = await sessions.open_session(unit, agent, KEY, at)
        return await sessions.add_turn(
            unit,
            session,
            asker="alice",
            asked=asked,
            answer="" if asked == "nothing" else f"about {asked}",
            model="offline",
            started_at=at,
            finished_at=at,
            trace_id="t",
            steps=2,
        )


async def known(store: Store, agent: str = "secretary") -> tuple[str, list[str]]:
    async with store.reading() as unit:
        history = await sessions.history(unit, agent, KEY, 4)
    return history.digest, [t.asked for t in history.turns]


async def test_a_conversation_that_never_began_has_no_history(store: Store) -> None:
    assert await known(store) == ("", [])
    async with store.writing() as unit:
        assert not await sessions.begin_anew(unit, "secretary", KEY)
        assert await sessions.since_begun(unit, "secretary", KEY, 9) == []


async def test_a_session_lives_as_long_as_it_is_opened_and_is_written_once_for_a_turn(
    store: Store,
) -> None:
    await turn(store, "one")
    written: list[str] = []
    later = NOW + timedelta(hours=1)
    async with store.writing() as unit:
        sa.event.listen(unit.connection, "before_cursor_execute", lambda *a: written.append(a[2]))
        session = await sessions.open_session(unit, "secretary", KEY, later)
        times: dict[str, datetime] = {"started_at": later, "finished_at": later}
        said = {"asker": "alice", "asked": "two", "answer": "", "model": "m", "trace_id": "t"}
        await sessions.add_turn(unit, session, **said, **times)  # type: ignore[arg-type]
        assert len(written) == 2
        row = (await run(unit, sa.select(SESSION.c.started_at, SESSION.c.last_at))).one()
    assert (row.started_at, row.last_at) == (NOW, later)


async def test_what_was_said_before_a_new_beginning_is_kept_and_not_used(store: Store) -> None:
    await turn(store, "one")
    async with store.writing() as unit:
        assert await sessions.begin_anew(unit, "secretary", KEY)
        assert not await sessions.begin_anew(unit, "secretary", KEY)
    assert await known(store) == ("", [])
    await turn(store, "two")
    assert await known(store) == ("", ["two"])
    async with store.reading() as unit:
        kept = await run(unit, sa.select(TURN.c.asked).order_by(TURN.c.id))
        assert [*kept.scalars()] == ["one", "two"]


async def test_a_digest_stands_for_the_turns_before_it(store: Store) -> None:
    await turn(store, "one")
    last = await turn(store, "two")
    async with store.writing() as unit:
        await sessions.compact(unit, "secretary", KEY, until=last, digest="1, 2", now=NOW)
        # Nothing came since: there is nothing more to make shorter.
        assert await sessions.since_begun(unit, "secretary", KEY, 9) == []
    await turn(store, "three")
    assert await known(store) == ("1, 2", ["three"])
    async with store.reading() as unit:
        again = await sessions.since_begun(unit, "secretary", KEY, 9)
    assert [t.asked for t in again] == ["one", "two", "three"]
    async with store.writing() as unit:
        await sessions.begin_anew(unit, "secretary", KEY)
    assert await known(store) == ("", [])


async def test_a_digest_is_kept_no_longer_than_what_it_stands_for(store: Store) -> None:
    last = await turn(store, "one")
    async with store.writing() as unit:
        await sessions.compact(unit, "secretary", KEY, until=last, digest="1", now=NOW)
    await turn(store, "two", NOW + timedelta(days=2))
    async with store.writing() as unit:
        await sessions.prune(unit, NOW + timedelta(days=1))
    assert await known(store) == ("", ["two"])


async def test_use_is_counted_by_agent_and_model(store: Store) -> None:
    await turn(store, "one", NOW - timedelta(days=1))
    await turn(store, "two")
    await turn(store, "nothing")
    await turn(store, "three", agent="auditor")
    async with store.reading() as unit:
        found = await usage.of_agents(unit, NOW - timedelta(hours=12))
    assert found == [
        Usage("auditor", "offline", Counts(1, 2, 1), Counts(1, 2, 1)),
        Usage("secretary", "offline", Counts(2, 4, 1), Counts(3, 6, 2)),
    ]


async def _heard(store: Store) -> int:
    """A command in the captain's inbox, worked on; the row's id."""
    line = NewLine(
        network="irc",
        channel="#lobby",
        sender="alice",
        kind="said",
        text="!ask secretary who?",
        said_at=NOW,
        heard_at=NOW,
        heard_by="captain",
        trace_id="t",
        owed=(Owed("captain", KEY, 0, KEY),),
    )
    async with store.writing() as unit:
        await agents.enrol(unit, "captain", "captain", NOW)
        assert await agents.take(unit, "captain", "here", now=NOW, ttl_s=60) == 1
        await record.keep_new(unit, line)
        [work] = await inbox.waiting(unit, "captain")
        assert await inbox.claim(unit, [work.inbox_id], "captain", 1, NOW) == [work.inbox_id]
    return work.inbox_id


async def test_a_line_is_handed_on_once(store: Store) -> None:
    await _heard(store)
    async with store.writing() as unit:
        [work] = await inbox.orphans(unit, "captain", 2)
        for _ in range(2):
            await inbox.enqueue(unit, "secretary", work.message_id, KEY, 30, NOW, "t")
        [handed] = await inbox.waiting(unit, "secretary")
    assert (handed.text, handed.priority, handed.listener_of) == (work.text, 30, None)


async def test_a_command_becomes_talk_to_its_own_agent_unless_that_was_overtaken(
    store: Store,
) -> None:
    row = await _heard(store)
    async with store.writing() as unit:
        assert not await inbox.take_as_talk(unit, row, "captain", 2, 30)
        assert await inbox.take_as_talk(unit, row, "captain", 1, 30)
        [work] = await inbox.waiting(unit, "captain")
        assert (work.inbox_id, work.priority, work.listener_of) == (row, 30, None)
        assert not await inbox.take_as_talk(unit, row, "captain", 1, 30)
