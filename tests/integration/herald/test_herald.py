"""What the captain posts: once, in its place, not too often, and nothing is left out."""

from __future__ import annotations

import asyncio

import pytest
import sqlalchemy as sa

from bots.messages import Delivery
from storage import inbox, postings, replies
from storage.latch import Latch
from storage.project_tables import EntryKind
from storage.store import Store
from storage.tables import AgentState
from tests.integration.herald.rig import Paper, Swarm


async def test_states_are_told_together_and_then_only_when_they_change(store: Store) -> None:
    swarm = Swarm(store)
    await swarm.enrol()
    await swarm.herald.look()
    assert swarm.only().said == [("#agent-logs", "• buyer, captain, tech-lead are ready")]
    swarm.only().said.clear()

    swarm.later(minutes=2)
    await swarm.herald.look()
    assert swarm.only().said == []

    await swarm.turned("buyer", 1, AgentState.DEGRADED, "not in #market")
    await swarm.born("tech-lead")
    await swarm.herald.look()
    assert swarm.only().said == [
        (
            "#agent-logs",
            "• buyer is degraded (not in #market)\n• tech-lead is ready, in a new process",
        )
    ]


async def test_one_post_a_minute_but_a_kill_waits_for_nothing(store: Store) -> None:
    swarm = Swarm(store)
    await swarm.enrol()
    await swarm.herald.look()
    swarm.only().said.clear()
    swarm.later(seconds=10)
    await swarm.turned("tech-lead", 1, AgentState.DEAF, "no network")
    await swarm.herald.look()
    assert swarm.only().said == []

    await swarm.killed()
    await swarm.herald.look()
    assert swarm.only().taken("#agent-logs") == [
        "• 10:00 UTC buyer killed by mara (irc:#lobby): it loops\n• tech-lead is deaf (no network)"
    ]
    await swarm.turned("tech-lead", 1, AgentState.READY)
    swarm.later(seconds=59)
    await swarm.herald.look()
    assert swarm.only().said == []
    swarm.later(seconds=1)
    await swarm.herald.look()
    assert swarm.only().taken("#agent-logs") == ["• tech-lead is ready"]


async def test_refused_acts_are_told_but_not_those_of_the_killed_nor_its_own(store: Store) -> None:
    swarm = Swarm(store)
    await swarm.enrol()
    await swarm.herald.look()
    swarm.only().said.clear()
    swarm.later(minutes=1)
    for _ in range(3):
        await swarm.decided("buyer", "refused", "spend", "deal:7", reason="no budget", policy="b")
    await swarm.decided("buyer", "refused", "send", "irc:#lobby", policy="latch")
    await swarm.decided("captain", "refused", "send", "irc:#agent-logs", policy="b")
    await swarm.decided("buyer", "permitted", "send", "irc:#lobby")
    await swarm.herald.look()
    assert swarm.only().taken("#agent-logs") == [
        "• 10:01 UTC buyer may not spend deal:7, 3 times: no budget"
    ]


async def test_a_warning_is_told_once(store: Store) -> None:
    swarm = Swarm(store)
    await swarm.enrol()
    await swarm.herald.look()
    swarm.only().said.clear()
    swarm.later(minutes=1)
    sentence = "0.41 USD are spent of 0.50 USD a day of buyer."
    await swarm.decided("buyer", "warned", "spend", "budget:day", reason=sentence)
    await swarm.herald.look()
    assert swarm.only().taken("#agent-logs") == [f"• 10:01 UTC buyer: {sentence}"]
    swarm.later(minutes=1)
    await swarm.reborn().look()
    assert swarm.only().said == []


async def test_what_came_of_work_is_told_once_and_quoted_where_everybody_may_read(
    store: Store,
) -> None:
    swarm = Swarm(store)
    swarm.only().closed = {"#vault"}
    await swarm.enrol()
    await swarm.wrote(EntryKind.NOTE, text="before anybody told of it")
    await swarm.herald.look()
    swarm.later(minutes=1)
    await swarm.herald.look()
    swarm.only().said.clear()
    await swarm.wrote(state="done", title="count the lines", text="tech-lead: 12\n@captain, hm")
    await swarm.wrote(state="failed", title="the salaries", text="9", channel="#vault")
    await swarm.wrote(EntryKind.DECISION, text="we take the red one", channel="#lobby")
    await swarm.wrote(EntryKind.STATUS, state="active", text="it goes well")
    swarm.later(minutes=1)
    await swarm.herald.look()
    assert swarm.only().taken("#agent-logs") == [
        (
            "• 10:01 UTC buyer: D-1 for alice is done: “count the lines”, “tech-lead: 12 @captain, "
            "hm”\n"
            "• 10:01 UTC buyer: D-1 for alice is failed: not quoted, for not everybody may read "
            "there\n"
            "• 10:01 UTC buyer wrote down a decision: “we take the red one”\n"
            "• 10:01 UTC alice said that the project is active: “it goes well”"
        )
    ]
    swarm.later(minutes=5)
    await swarm.reborn().look()
    assert swarm.only().said == []


async def test_what_agents_say_to_each_other_is_quoted_once(store: Store) -> None:
    swarm = Swarm(store)
    await swarm.enrol()
    await swarm.heard("buyer", "tech-lead", "tech-lead: before anybody told of it")
    await swarm.herald.look()
    await swarm.heard(None, "buyer", "buyer: a person's line")
    row = await swarm.heard("buyer", "tech-lead", "tech-lead: which mixer?\nkey ghp_" + "a1B2" * 8)
    async with store.writing() as unit:
        await inbox.claim(unit, [row], "tech-lead", 1, swarm.now)
        await replies.begin(
            unit,
            "tech-lead",
            "irc:#lobby",
            ["buyer: the red one", "and more"],
            inbox_id=row,
            hops=2,
            trace_id="abcd",
            now=swarm.now,
        )
    swarm.only().said.clear()
    swarm.later(minutes=1)
    await swarm.herald.look()
    assert swarm.only().taken("#inter-agent") == [
        (
            "• 10:00 UTC buyer to tech-lead in #lobby on irc, trace abcd: "
            "“tech-lead: which mixer? key [hidden]”\n"
            "• 10:00 UTC tech-lead answered buyer in #lobby on irc, trace abcd: "
            "“buyer: the red one”"
        )
    ]
    swarm.later(minutes=5)
    await swarm.reborn().look()
    assert swarm.only().taken("#inter-agent") == []


async def test_what_not_everybody_may_read_is_not_quoted(store: Store) -> None:
    swarm = Swarm(store)
    swarm.only().closed = {"#vault"}
    await swarm.enrol()
    await swarm.herald.look()
    swarm.only().said.clear()
    await swarm.heard("buyer", "tech-lead", "tech-lead: the salary of mara is 9", "#vault")
    await swarm.heard("buyer", "tech-lead", "the salary of john is 8", "nick:tech-lead")
    swarm.later(minutes=1)
    await swarm.herald.look()
    unquoted = "on irc, trace abcd: not quoted, for not everybody may read there"
    assert swarm.only().taken("#inter-agent") == [
        (
            f"• 10:00 UTC buyer to tech-lead in #vault {unquoted}\n"
            f"• 10:00 UTC buyer to tech-lead in private {unquoted}"
        )
    ]


async def test_what_was_said_while_nobody_told_is_told_by_the_next_captain(store: Store) -> None:
    swarm = Swarm(store)
    await swarm.enrol()
    await swarm.herald.look()
    await swarm.heard("buyer", "tech-lead", "tech-lead: which mixer?")
    # Nothing was posted there yet, so there is nothing to keep a distance from.
    await swarm.reborn().look()
    [told] = swarm.only().taken("#inter-agent")
    assert "which mixer?" in told


async def test_every_network_gets_its_own_and_only_where_the_channels_are(store: Store) -> None:
    irc, discord = Paper(), Paper("discord", ("#lobby", "#inter-agent"))
    swarm = Swarm(store, irc, discord)
    await swarm.enrol()
    await swarm.heard(None, "buyer", "buyer: are you there?")
    await swarm.herald.look()
    await swarm.heard("buyer", "tech-lead", "tech-lead: which mixer?")
    await swarm.herald.look()
    assert {where for where, _ in irc.said} == {"#agent-logs", "#inter-agent"}
    assert {where for where, _ in discord.said} == {"#inter-agent"}


async def test_a_post_that_never_left_is_said_later(store: Store) -> None:
    swarm = Swarm(store)
    await swarm.enrol()
    swarm.only().fails = Delivery(sent=False, proof="not connected", unsaid=True)
    await swarm.herald.look()
    await swarm.herald.look()
    assert swarm.only().said == []
    swarm.later(seconds=31)
    await swarm.herald.look()
    assert len(swarm.only().said) == 1


async def test_a_post_that_was_being_said_when_its_process_died_is_not_said_again(
    store: Store,
) -> None:
    swarm = Swarm(store)
    await swarm.enrol()
    await swarm.heard(None, "buyer", "buyer: are you there?")
    swarm.only().hangs = True
    looking = asyncio.create_task(swarm.herald.look())
    async with asyncio.timeout(5):
        await swarm.only().reached.wait()
    looking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await looking
    swarm.only().hangs = False
    herald = swarm.reborn()
    for _ in range(4):
        await herald.look()
        swarm.later(minutes=2)
    assert len(swarm.only().taken("#agent-logs")) == 1


@pytest.mark.parametrize("died_before_it_was_recorded", [True, False])
async def test_kill_9_between_mark_and_send(
    store: Store, *, died_before_it_was_recorded: bool
) -> None:
    swarm = Swarm(store)
    await swarm.enrol()
    async with store.writing() as unit:
        known = {a.name: ["ready", "", 1] for a in swarm.settings.agents}
        mark = {"audit": 0, "agents": known, "entries": 0}
        await postings.begin(unit, "logs:irc", mark, "dead", swarm.now, after=None)
    if not died_before_it_was_recorded:
        async with store.writing() as unit:
            await replies.begin(
                unit,
                "captain",
                "irc:#agent-logs",
                ["• buyer, captain, tech-lead are ready"],
                inbox_id=None,
                hops=4,
                trace_id="dead",
                now=swarm.now,
            )
    for _ in range(4):
        await swarm.herald.look()
        swarm.later(seconds=31)
    said = swarm.only().taken("#agent-logs")
    assert len(said) == int(died_before_it_was_recorded)


async def test_a_killed_captain_posts_nothing_and_tells_of_it_when_it_is_back(
    store: Store,
) -> None:
    swarm = Swarm(store)
    await swarm.enrol()
    await swarm.herald.look()
    swarm.only().said.clear()
    swarm.latch = Latch(
        scope="all", killed=True, by="mara", door="d", reason="", changed_at=swarm.now
    )
    await swarm.killed("all", "")
    await swarm.herald.look()
    assert swarm.only().said == []
    swarm.later(minutes=3)
    swarm.latch = None
    await swarm.decided("supervisor", "done", "resume", "all", by="mara", door="d", reason="fine")
    await swarm.herald.look()
    assert swarm.only().taken("#agent-logs") == [
        (
            "• 10:00 UTC everybody killed by mara (irc:#lobby)\n"
            "• 10:03 UTC everybody resumed by mara (d): fine"
        )
    ]


async def test_a_look_at_several_places_reads_once_how_far_each_of_them_is(store: Store) -> None:
    irc, discord = Paper(), Paper("discord")
    swarm = Swarm(store, irc, discord)
    await swarm.enrol()
    await swarm.herald.look()
    swarm.later(minutes=2)
    asked: list[str] = []
    sa.event.listen(store._engine, "before_cursor_execute", lambda *found: asked.append(found[2]))
    await swarm.herald.look()
    assert sum("FROM posting" in statement for statement in asked) == 1
    assert irc.taken("#agent-logs") == discord.taken("#agent-logs") != []


async def test_switched_off_it_does_nothing(store: Store) -> None:
    swarm = Swarm(store, posts={"enabled": False})
    async with asyncio.timeout(5):
        await swarm.herald.run()


async def test_of_two_processes_one_begins_a_post(store: Store) -> None:
    swarm = Swarm(store)
    await swarm.enrol()
    await swarm.heard(None, "buyer", "buyer: are you there?")
    one, two = swarm.herald, swarm.reborn()
    await asyncio.gather(one.look(), two.look())
    assert len(swarm.only().taken("#agent-logs")) == 1


async def test_who_looked_before_another_process_told_begins_nothing(store: Store) -> None:
    swarm = Swarm(store)
    today, tomorrow = {"day": "2026-11-20"}, {"day": "2026-11-21"}

    async def begins(mark: dict[str, str], trace_id: str, after: dict[str, str] | None) -> bool:
        async with store.writing() as unit:
            return await postings.begin(unit, "standup:irc", mark, trace_id, swarm.now, after=after)

    assert await begins(today, "first", None)
    assert not await begins(today, "second", None)
    async with store.writing() as unit:
        await replies.begin(
            unit,
            "captain",
            "irc:#daily-standup",
            ["Stand-up"],
            inbox_id=None,
            hops=4,
            trace_id="first",
            now=swarm.now,
        )
        assert await postings.finish(unit, "standup:irc", "first", swarm.now)
    assert not await begins(today, "second", None)
    assert await begins(tomorrow, "third", today)
