"""Who subscribed is told once, in batches, not at night, and what cannot be said is kept."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from bots.messages import Delivery
from storage import audit, events
from storage.event_tables import EventState
from storage.latch import Latch
from storage.store import Store
from tests.integration.counting import CountingStore
from tests.integration.events.rig import NOON, Newsroom
from tests.integration.herald.rig import Paper

ALICE = "discord:user:45"


@pytest.fixture
def newsroom(store: Store) -> Newsroom:
    return Newsroom(store)


async def test_a_person_is_told_once_of_what_a_pattern_names(newsroom: Newsroom) -> None:
    await newsroom.happens("before anybody asked")
    await newsroom.wants(ALICE, "delegation.*")
    await newsroom.happens("it failed", topic="delegation.failed")
    await newsroom.happens("somebody was killed")
    await newsroom.dispatcher.look()
    [line] = newsroom.told("45")
    assert "delegation.failed: it failed" in line
    await newsroom.dispatcher.look()
    assert newsroom.told("45") == []
    assert await newsroom.states(ALICE) == {EventState.TOLD: 1}


async def test_a_look_where_nothing_happened_is_one_read(store: Store, empty_database: str) -> None:
    counting = await CountingStore.open(empty_database)
    assert isinstance(counting, CountingStore)
    newsroom = Newsroom(counting)
    await newsroom.wants(ALICE, "*")
    counting.taken = 0
    await newsroom.dispatcher.look()
    assert counting.taken == 1
    # What happened is handed out, and read anew.
    await newsroom.happens("it failed", topic="delegation.failed")
    await newsroom.dispatcher.look()
    assert len(newsroom.told("45")) == 1
    await counting.close()


async def test_two_patterns_that_name_an_event_tell_it_once(newsroom: Newsroom) -> None:
    for topic in ("*", "delegation", "*.failed"):
        await newsroom.wants(ALICE, topic)
    await newsroom.happens("it failed", topic="delegation.failed")
    await newsroom.dispatcher.look()
    assert len(newsroom.told("45")) == 1


async def test_an_event_waits_for_company(newsroom: Newsroom) -> None:
    await newsroom.wants(ALICE, "*", batch_s=60)
    await newsroom.happens("one")
    await newsroom.dispatcher.look()
    newsroom.later(seconds=59)
    await newsroom.happens("two")
    await newsroom.dispatcher.look()
    assert newsroom.told("45") == []
    newsroom.later(seconds=1)
    await newsroom.dispatcher.look()
    assert [line[-3:] for line in newsroom.told("45")] == ["one", "two"]


async def test_nothing_is_said_at_night_and_all_of_it_in_the_morning(newsroom: Newsroom) -> None:
    await newsroom.wants(ALICE, "*", quiet_from="11:00", quiet_until="08:00", zone="Asia/Tokyo")
    await newsroom.happens("at noon, which is 21:00 in Tokyo")
    await newsroom.dispatcher.look()
    assert newsroom.told("45") == []
    newsroom.now = NOON + timedelta(hours=10, minutes=59)
    await newsroom.dispatcher.look()
    assert newsroom.told("45") == []
    newsroom.later(minutes=1)
    await newsroom.dispatcher.look()
    assert len(newsroom.told("45")) == 1


async def test_a_flood_is_told_by_and_by_and_whole(newsroom: Newsroom) -> None:
    await newsroom.wants(ALICE, "*")
    await newsroom.happens(*(f"event {n}" for n in range(300)))
    told: list[str] = []
    for second in range(240):
        await newsroom.dispatcher.look()
        lines = [line for line in newsroom.told("45") if "more to come" not in line]
        told += lines
        assert second >= 60 or len(told) <= 100
        if len(told) == 300:
            break
        newsroom.later(seconds=1)
    assert [line.partition("kill: ")[2] for line in told] == [f"event {n}" for n in range(300)]


async def test_an_agent_is_told_nothing_and_asks(newsroom: Newsroom) -> None:
    await newsroom.wants("agent:secretary", "*")
    await newsroom.wants("agent:buyer", "*")
    await newsroom.happens("one", "two")
    await newsroom.dispatcher.look()
    assert all(paper.said == [] for paper in newsroom.papers)
    assert [notice.text for notice in await newsroom.unread("agent:secretary")] == ["one", "two"]
    assert await newsroom.unread("agent:buyer") == [], "it was the buyer who did it"


async def test_what_is_on_its_way_when_a_subscription_ends_is_kept(newsroom: Newsroom) -> None:
    await newsroom.wants(ALICE, "*", batch_s=60)
    await newsroom.happens("one")
    await newsroom.dispatcher.look()
    assert await newsroom.ends(ALICE, "*")
    newsroom.later(minutes=2)
    await newsroom.happens("two")
    await newsroom.dispatcher.look()
    assert newsroom.told("45") == []
    assert [notice.text for notice in await newsroom.unread(ALICE)] == ["one"]


async def test_without_a_connection_it_waits(newsroom: Newsroom) -> None:
    discord = newsroom.papers[1]
    await newsroom.wants(ALICE, "*")
    await newsroom.happens("one")
    discord.fails = Delivery(sent=False, proof="not connected", unsaid=True)
    await newsroom.dispatcher.look()
    await newsroom.dispatcher.look()
    assert newsroom.told("45") == [], "it rests"
    newsroom.later(seconds=20)
    await newsroom.dispatcher.look()
    assert len(newsroom.told("45")) == 1
    assert await newsroom.states(ALICE) == {EventState.TOLD: 1}


async def test_a_network_that_is_away_is_not_asked_again_and_again(newsroom: Newsroom) -> None:
    discord = newsroom.papers[1]
    await newsroom.wants(ALICE, "*")
    await newsroom.wants("irc:#reports", "*")
    await newsroom.happens("one")
    discord.health = replace(discord.health, connected=False)
    for _ in range(5):
        await newsroom.dispatcher.look()
        newsroom.later(minutes=1)
    async with newsroom.store.reading() as unit:
        sent = [e.target for e in await audit.entries(unit, "captain") if e.verb == "send"]
    assert sent == ["irc:#reports"]
    discord.health = replace(discord.health, connected=True)
    await newsroom.dispatcher.look()
    assert len(newsroom.told("45")) == 1


async def test_what_may_have_arrived_is_not_said_again_but_kept(newsroom: Newsroom) -> None:
    await newsroom.wants(ALICE, "*")
    await newsroom.happens("one")
    newsroom.papers[1].fails = Delivery(sent=False, proof="no answer", unknown=True)
    await newsroom.dispatcher.look()
    newsroom.later(minutes=5)
    await newsroom.dispatcher.look()
    assert newsroom.told("45") == []
    [notice] = await newsroom.unread(ALICE)
    assert (notice.state, notice.reason) == (EventState.UNKNOWN, "no answer")


async def test_what_cannot_be_said_is_tried_with_rests_then_kept_with_the_reason(
    newsroom: Newsroom,
) -> None:
    await newsroom.wants(ALICE, "*")
    await newsroom.happens("one")
    tries = 0
    for _ in range(60):
        newsroom.papers[1].fails = Delivery(sent=False, proof="takes no messages")
        await newsroom.dispatcher.look()
        tries += newsroom.papers[1].fails is None
        newsroom.later(seconds=30)
    assert tries == 5
    [notice] = await newsroom.unread(ALICE)
    assert (notice.state, notice.reason) == (EventState.DEAD, "takes no messages")
    assert (await newsroom.subscription(ALICE)).trouble == "takes no messages"
    # The next one is tried again, and the trouble is over.
    newsroom.papers[1].fails = None
    newsroom.later(hours=1)
    await newsroom.happens("two")
    await newsroom.dispatcher.look()
    assert len(newsroom.told("45")) == 1
    assert (await newsroom.subscription(ALICE)).trouble == ""


async def test_a_network_that_the_captain_is_not_on_is_a_failure(store: Store) -> None:
    newsroom = Newsroom(store, Paper())
    await newsroom.wants(ALICE, "*")
    await newsroom.happens("one")
    for _ in range(20):
        await newsroom.dispatcher.look()
        newsroom.later(minutes=10)
    [notice] = await newsroom.unread(ALICE)
    assert (notice.state, notice.reason) == (EventState.DEAD, "captain is not on discord")


async def test_a_killed_captain_says_nothing_until_it_is_resumed(newsroom: Newsroom) -> None:
    await newsroom.wants(ALICE, "*")
    await newsroom.happens("everybody was killed")
    newsroom.latch = Latch(
        scope="all", killed=True, by="alice", door="irc", reason="", changed_at=NOON
    )
    await newsroom.dispatcher.look()
    assert newsroom.told("45") == []
    newsroom.latch = None
    await newsroom.dispatcher.look()
    assert len(newsroom.told("45")) == 1


async def test_no_secret_is_told_and_nobody_is_addressed(newsroom: Newsroom) -> None:
    await newsroom.wants("irc:#reports", "*")
    await newsroom.happens("captain: kill all\nbuyer: the key is hunter2-secret")
    await newsroom.dispatcher.look()
    [line] = newsroom.told("#reports")
    assert "hunter2" not in line
    assert line.startswith("\N{BULLET} ")


async def test_two_dispatchers_at_once_tell_each_event_once(store: Store) -> None:
    newsroom = Newsroom(store)
    await newsroom.wants(ALICE, "*")
    first = newsroom.dispatcher
    second = newsroom.reborn()
    await newsroom.happens(*(f"event {n}" for n in range(9)))
    for _ in range(3):
        await first.look()
        await second.look()
    assert len(newsroom.told("45")) == 9


async def test_events_are_read_in_one_order_from_any_number_on(newsroom: Newsroom) -> None:
    read = newsroom.store.read
    await newsroom.happens("one", "two", topic="kill")
    await newsroom.happens("three", topic="delegation.done")
    assert await read(lambda unit: events.since(unit, 0)) == ([], 0)
    await newsroom.dispatcher.look()
    found, last = await read(lambda unit: events.since(unit, 0))
    assert [(event.number, event.text) for event in found] == [(1, "one"), (2, "two"), (3, "three")]
    assert last == 3
    found, _ = await read(lambda unit: events.since(unit, 1, "delegation"))
    assert [event.text for event in found] == ["three"]
    found, last = await read(lambda unit: events.since(unit, 0, "kill", limit=1))
    assert ([event.text for event in found], last) == (["one"], 1)


async def test_what_is_old_is_forgotten_read_or_not(newsroom: Newsroom) -> None:
    await newsroom.wants("agent:secretary", "*")
    await newsroom.happens("old")
    newsroom.later(days=2)
    await newsroom.happens("new")
    await newsroom.dispatcher.look()
    before = newsroom.now - timedelta(days=1)
    assert await newsroom.store.write(lambda unit: events.prune(unit, before, 100)) == 1
    assert [notice.text for notice in await newsroom.unread("agent:secretary")] == ["new"]
    # A subscription goes once it has ended and nothing is left that hangs on it.
    await newsroom.ends("agent:secretary", "*")
    newsroom.later(days=2)
    await newsroom.store.write(lambda unit: events.prune(unit, newsroom.now, 100))
    assert await newsroom.unread("agent:secretary") == []
    assert await newsroom.kept_subscriptions() == 0
