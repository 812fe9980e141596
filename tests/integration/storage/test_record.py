"""The record: each line once, with its inbox rows, whoever heard it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from storage import inbox, record, replies
from storage.record import NewLine, Owed
from storage.store import Store
from storage.tables import InboxState, LineKind, ReplyState

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
SERVER = {"network": "irc", "channel": "#lobby"}


def line(text: str, *, at_s: float = 0, by: str = "secretary", **more: Any) -> NewLine:
    at = NOON + timedelta(seconds=at_s)
    given: dict[str, Any] = {"sender": "alice", "kind": LineKind.SAID, "said_at": at}
    given |= SERVER | {"heard_at": at, "heard_by": by, "text": text, "trace_id": "t"}
    return NewLine(**given | more)


async def texts(store: Store, limit: int = 100) -> list[str]:
    async with store.reading() as unit:
        return [m.text for m in await record.tail(unit, "irc", "#lobby", limit)]


async def keep(store: Store, *lines: NewLine, after_id: int = 0) -> record.Kept:
    async with store.writing() as unit:
        return await record.keep(unit, lines, after_id)


async def test_what_two_agents_heard_is_stored_once(store: Store) -> None:
    first = await keep(store, line("one"), line("two", at_s=1))
    second = await keep(
        store,
        line("one", by="auditor"),
        line("two", at_s=1.1, by="auditor"),
        line("three", at_s=2, by="auditor"),
    )
    assert first.new == [True, True]
    assert second.new == [False, False, True]
    assert second.ids[:2] == first.ids
    assert await texts(store) == ["one", "two", "three"]


async def test_two_equal_lines_stay_two(store: Store) -> None:
    await keep(store, line("yes"), line("yes", at_s=1))
    again = await keep(store, line("yes", by="auditor"), line("yes", at_s=1, by="auditor"))
    assert again.new == [False, False]
    more = await keep(store, *(line("yes", at_s=s, by="buyer") for s in range(3)))
    assert more.new == [False, False, True]
    assert await texts(store) == ["yes", "yes", "yes"]


async def test_the_same_memory_kept_again_stores_nothing(store: Store) -> None:
    await keep(store, line("a"), line("c", at_s=2))
    partial = [line(t, at_s=s, by="auditor") for s, t in enumerate("abc")]
    for new in ([False, True, False], [False, False, False], [False, False, False]):
        assert (await keep(store, *partial)).new == new
    assert sorted(await texts(store)) == ["a", "b", "c"]


async def test_compare_says_what_is_stored_and_writes_nothing(store: Store) -> None:
    kept = await keep(store, line("one"))
    async with store.reading() as unit:
        found = await record.compare(
            unit, [line("one", by="auditor"), line("two", by="auditor")], 0
        )
    assert found == [kept.ids[0], None]
    assert await texts(store) == ["one"]


async def test_who_joins_later_compares_with_what_came_after(store: Store) -> None:
    await keep(store, line("yes"))
    async with store.reading() as unit:
        joined = await record.last_id(unit, "irc", "#lobby")
        assert await record.last_id(unit, "irc", "#nowhere") == 0
    kept = await keep(store, line("yes", at_s=5, by="auditor"), after_id=joined)
    assert kept.new == [True]


async def test_a_msgid_decides_before_any_text(store: Store) -> None:
    first = await keep(store, line("yes", msgid="m1"))
    other = await keep(
        store, line("yes", by="auditor", msgid="m2"), line("yes", by="auditor", msgid="m1")
    )
    assert other.new == [True, False]
    assert other.ids[1] == first.ids[0]
    twice = await keep(store, line("hi", msgid="m3"), line("hi", msgid="m3"))
    assert twice.new == [True, False]
    assert twice.ids[0] == twice.ids[1]


async def test_a_line_with_a_msgid_is_known_though_it_was_stored_without(store: Store) -> None:
    without = await keep(store, line("hello"))
    having = await keep(store, line("hello", by="auditor", msgid="m1"))
    assert having.ids == without.ids


async def test_lines_of_two_channels_may_come_together(store: Store) -> None:
    kept = await keep(store, line("x"), line("x", channel="#market"), line("y"))
    assert kept.new == [True, True, True]
    async with store.reading() as unit:
        assert await record.channels(unit) == [("irc", "#lobby", 2), ("irc", "#market", 1)]


async def test_a_line_and_its_inbox_rows_are_one_transaction(store: Store) -> None:
    owed = (Owed("captain", "irc:#lobby", 30), Owed("auditor", "irc:#lobby", 0, "irc:#lobby"))

    async def die() -> None:
        async with store.writing() as unit:
            await record.keep(unit, [line("captain: hello", owed=owed)], 0)
            raise RuntimeError("died")

    with pytest.raises(RuntimeError, match="died"):
        await die()
    assert await texts(store) == []
    await keep(store, line("captain: hello", owed=owed))
    await keep(store, line("captain: hello", by="auditor", owed=owed))
    async with store.reading() as unit:
        counts = await inbox.counts(unit)
        (work,) = await inbox.waiting(unit, "auditor")
    assert counts == {"captain": {"queued": 1}, "auditor": {"queued": 1}}
    assert (work.text, work.priority, work.listener_of) == ("captain: hello", 0, "irc:#lobby")


async def test_an_agents_line_has_the_hops_of_the_reply_it_is(store: Store) -> None:
    async with store.writing() as unit:
        await replies.begin(
            unit,
            "captain",
            "irc:#lobby",
            ["aye"],
            inbox_id=None,
            hops=3,
            trace_id="t",
            now=NOON,
        )
    said = {"sender": "captain", "agent": "captain"}
    await keep(store, line("aye", at_s=1, **said), line("other", at_s=1, hops=1, **said))
    await keep(store, line("aye", at_s=3600, **said), after_id=2)
    async with store.reading() as unit:
        lines = await record.tail(unit, "irc", "#lobby", 10)
    assert [(m.text, m.hops) for m in lines] == [("aye", 3), ("other", 1), ("aye", 0)]


async def test_text_that_no_database_takes_is_made_storable(store: Store) -> None:
    await keep(store, line("nul \0 lone \ud800 snow ☃ ok"))
    assert await texts(store) == ["nul \ufffd lone \ufffd snow ☃ ok"]
    again = await keep(store, line("nul \0 lone \ud800 snow ☃ ok", by="auditor"))
    assert again.new == [False]


async def test_tail_and_between_give_the_newest_oldest_first(store: Store) -> None:
    await keep(store, *(line(str(n), at_s=n) for n in range(10)))
    async with store.reading() as unit:
        newest = await record.tail(unit, "irc", "#lobby", 3)
        before = await record.tail(unit, "irc", "#lobby", 3, before_id=newest[0].id)
        span = await record.between(
            unit,
            "irc",
            "#lobby",
            NOON + timedelta(seconds=2),
            NOON + timedelta(seconds=6),
            3,
        )
    assert [m.text for m in newest] == ["7", "8", "9"]
    assert [m.text for m in before] == ["4", "5", "6"]
    assert [m.text for m in span] == ["3", "4", "5"]
    assert newest[0].said_at == NOON + timedelta(seconds=7)


async def test_last_seen_knows_any_case_and_one_channel(store: Store) -> None:
    await keep(
        store,
        line("hi", sender="Bob|away"),
        line("", sender="bob|AWAY", kind=LineKind.PART, at_s=5, channel="#market"),
    )
    async with store.reading() as unit:
        anywhere = await record.last_seen(unit, "BOB|away")
        lobby = await record.last_seen(unit, "bob|away", "#lobby")
        assert await record.last_seen(unit, "bo_") is None
    assert anywhere is not None
    assert (anywhere.channel, anywhere.kind) == ("#market", LineKind.PART)
    assert lobby is not None
    assert lobby.text == "hi"


async def test_stats_count_talk(store: Store) -> None:
    await keep(
        store,
        line("a"),
        line("b", at_s=3600, sender="bob"),
        line("c", at_s=3700, sender="bob"),
        line("", at_s=9000, sender="carol", kind=LineKind.JOIN),
    )
    async with store.reading() as unit:
        figures = await record.stats(unit, "#lobby", None)
        later = await record.stats(unit, "#lobby", NOON + timedelta(seconds=3650), speakers=1)
        none = await record.stats(unit, "#empty")
    assert (figures.lines, figures.people, figures.busiest_hour) == (3, 2, 13)
    assert figures.speakers == [("bob", 2), ("alice", 1)]
    assert (figures.first_at, figures.last_at) == (NOON, NOON + timedelta(seconds=3700))
    assert (later.lines, later.speakers) == (1, [("bob", 1)])
    assert (none.lines, none.first_at, none.busiest_hour) == (0, None, None)


async def test_pruning_spares_what_is_owed(store: Store, sql: Callable[[str], list[Any]]) -> None:
    owed = (Owed("captain", "irc:#lobby", 30),)
    kept = await keep(
        store,
        line("old"),
        line("old, owed", owed=owed),
        line("old, answered", owed=owed),
        line("old, being answered", owed=owed),
        line("new", at_s=500),
    )
    async with store.writing() as unit:
        rows = {w.text: w.inbox_id for w in await inbox.waiting(unit, "captain")}
        for text, state in (("old, answered", ReplyState.SENT), ("old, being answered", None)):
            (reply,) = await replies.begin(
                unit,
                "captain",
                "irc:#lobby",
                ["r"],
                inbox_id=rows[text],
                hops=1,
                trace_id="t",
                now=NOON,
            )
            await inbox.settle(unit, [rows[text]], "captain", 1, InboxState.ANSWERED, NOON)
            if state is not None:
                await replies.settle(unit, [reply], state, "pong", NOON)
    async with store.writing() as unit:
        assert await record.prune(unit, NOON + timedelta(seconds=100), limit=1) == 1
        assert await record.prune(unit, NOON + timedelta(seconds=100)) == 1
        assert await record.prune(unit, NOON + timedelta(seconds=100)) == 0
    assert await texts(store) == ["old, owed", "old, being answered", "new"]
    assert sql("SELECT inbox_id FROM reply WHERE inbox_id IS NULL") == [(None,)]
    assert len(kept.ids) == 5


async def test_lines_of_one_person_stored_by_several_listeners_read_in_their_order(
    store: Store,
) -> None:
    # The second listener's stamps are a moment earlier than the first one's.
    await keep(store, line("a", at_s=1), line("b", at_s=2), line("e", at_s=5))
    stamps = {"a": 0.9, "b": 1, "c": 1.5, "d": 5.1, "e": 5.2}
    await keep(store, *(line(text, at_s=at_s, by="auditor") for text, at_s in stamps.items()))
    async with store.reading() as unit:
        found = await record.between(unit, "irc", "#lobby", NOON, NOON + timedelta(hours=1), 10)
    assert [m.text for m in found] == list("abcde")
