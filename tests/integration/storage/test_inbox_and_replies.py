"""Work is claimed once, by the newest process of its agent, and answered at most once."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from storage import agents, inbox, record, replies
from storage.core import REPLY, run
from storage.errors import LeaseLost, StorageError
from storage.record import NewLine, Owed
from storage.store import Store
from storage.tables import InboxState, Reply, ReplyState

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
LATER = NOON + timedelta(seconds=5)
LOBBY = "irc:#lobby"


async def owe(store: Store, *owed: Owed, text: str = "captain: hello", **more: Any) -> int:
    """Store a line that these agents owe a look; its id."""
    given: dict[str, Any] = {"network": "irc", "channel": "#lobby", "sender": "alice"}
    given |= {"kind": "said", "said_at": NOON, "heard_at": NOON, "heard_by": "secretary"}
    line = NewLine(**given | {"text": text, "trace_id": "t", "owed": owed} | more)
    async with store.writing() as unit:
        [message_id] = (await record.keep(unit, [line], 10**6)).ids
    assert message_id is not None
    return message_id


async def waiting(store: Store, agent: str = "captain") -> list[inbox.Work]:
    async with store.reading() as unit:
        return await inbox.waiting(unit, agent)


async def begin(store: Store, inbox_id: int | None, *parts: str, **more: Any) -> list[int]:
    given: dict[str, Any] = {"hops": 1, "trace_id": "t", "now": NOON}
    async with store.writing() as unit:
        return await replies.begin(
            unit, more.pop("agent", "captain"), LOBBY, parts, inbox_id=inbox_id, **given | more
        )


async def claim(store: Store, ids: list[int], epoch: int, agent: str = "captain") -> list[int]:
    async with store.writing() as unit:
        return await inbox.claim(unit, ids, agent, epoch, NOON)


async def counts(store: Store) -> dict[str, dict[str, int]]:
    async with store.reading() as unit:
        return await inbox.counts(unit)


async def test_commands_come_before_talk_and_older_before_newer(store: Store) -> None:
    for text, priority in (("talk", 30), ("command", 0), ("more talk", 30), ("hook", 10)):
        await owe(store, Owed("captain", LOBBY, priority), text=text)
    found = await waiting(store)
    assert [work.text for work in found] == ["command", "hook", "talk", "more talk"]
    assert found[0].queued_at == NOON
    assert (found[0].sender, found[0].network, found[0].channel) == ("alice", "irc", "#lobby")


async def test_a_row_is_claimed_once(store: Store) -> None:
    await owe(store, Owed("captain", LOBBY, 30))
    (work,) = await waiting(store)
    won = await asyncio.gather(*(claim(store, [work.inbox_id], 1) for _ in range(5)))
    assert sorted(won) == [[], [], [], [], [work.inbox_id]]
    assert await waiting(store) == []
    assert await claim(store, [work.inbox_id], 1, agent="auditor") == []


async def test_an_overtaken_process_claims_and_settles_nothing(store: Store) -> None:
    await owe(store, Owed("captain", LOBBY, 30))
    (work,) = await waiting(store)
    async with store.writing() as unit:
        await agents.enrol(unit, "captain", "leads", NOON)
        old = await agents.take(unit, "captain", "one", now=NOON, ttl_s=1)
        new = await agents.take(unit, "captain", "two", now=LATER, ttl_s=1)
    assert await claim(store, [work.inbox_id], old) == []
    async with store.writing() as unit:
        ids = [work.inbox_id]
        assert await inbox.settle(unit, ids, "captain", old, InboxState.SILENT, NOON) == 0
    assert await claim(store, [work.inbox_id], new) == [work.inbox_id]


async def test_only_who_works_on_a_row_settles_it(store: Store) -> None:
    await owe(store, Owed("captain", LOBBY, 30))
    (work,) = await waiting(store)
    ids = [work.inbox_id]
    await claim(store, ids, 7)
    async with store.writing() as unit:
        assert await inbox.settle(unit, ids, "captain", 6, InboxState.ANSWERED, NOON) == 0
        assert await inbox.settle(unit, ids, "captain", 7, InboxState.ANSWERED, NOON, "ok") == 1
        assert await inbox.settle(unit, ids, "captain", 7, InboxState.SILENT, NOON) == 0
    assert await counts(store) == {"captain": {"answered": 1}}


async def test_a_successor_finds_orphans_and_puts_them_back(store: Store) -> None:
    for text in ("one", "two"):
        await owe(store, Owed("captain", LOBBY, 30), text=text)
    first, second = [work.inbox_id for work in await waiting(store)]
    await claim(store, [first], 1)
    await claim(store, [second], 2)
    async with store.writing() as unit:
        (orphan,) = await inbox.orphans(unit, "captain", 2)
        assert (orphan.inbox_id, orphan.epoch, orphan.state) == (first, 1, "working")
        assert await inbox.requeue(unit, [first, second], "captain", 1, "its process died") == 1
    (work,) = await waiting(store)
    assert (work.inbox_id, work.note, work.epoch) == (first, "its process died", None)


async def test_a_new_listener_inherits_untargeted_commands(store: Store) -> None:
    untargeted = Owed("secretary", LOBBY, 0, LOBBY)
    await owe(store, untargeted, text="queued")
    await owe(store, untargeted, text="working")
    await owe(store, untargeted, text="being answered")
    await owe(store, untargeted, Owed("captain", LOBBY, 0), text="both")
    await owe(store, Owed("secretary", LOBBY, 0), text="by name")
    await owe(store, Owed("secretary", LOBBY, 0, "irc:#market"), text="elsewhere")
    rows = {work.text: work.inbox_id for work in await waiting(store, "secretary")}
    await claim(store, [rows["working"], rows["being answered"]], 1, agent="secretary")
    await begin(store, rows["being answered"], "well", agent="secretary", epoch=1)
    async with store.writing() as unit:
        assert await inbox.adopt(unit, LOBBY, "captain", LATER) == 2
        assert await inbox.adopt(unit, LOBBY, "captain", LATER) == 0
    assert {work.text for work in await waiting(store)} == {"queued", "working", "both"}
    assert {work.text for work in await waiting(store, "secretary")} == {"by name", "elsewhere"}
    assert (await counts(store))["secretary"] == {"queued": 2, "working": 1, "silent": 1}
    with pytest.raises(LeaseLost, match="not secretary's"):
        await begin(store, rows["working"], "too late", agent="secretary")


async def test_one_more_row_for_a_line_unless_it_is_there(store: Store) -> None:
    message_id = await owe(store)
    async with store.writing() as unit:
        arguments = ("captain", message_id, LOBBY, 10, NOON, "t")
        first = await inbox.enqueue(unit, *arguments)
        assert await inbox.enqueue(unit, *arguments) is None
    (work,) = await waiting(store)
    assert (work.inbox_id, work.message_id) == (first, message_id)


async def test_a_reply_is_sending_then_settled_once(store: Store) -> None:
    ids = await begin(store, None, "one", "two")
    async with store.writing() as unit:
        assert [(r.id, r.text, r.part) for r in await replies.open_of(unit, "captain")] == [
            (ids[0], "one", 0),
            (ids[1], "two", 1),
        ]
        assert await replies.settle(unit, ids, ReplyState.SENT, "echo", LATER) == 2
        assert await replies.settle(unit, ids, ReplyState.UNKNOWN, "", LATER) == 0
        assert await replies.open_of(unit, "captain") == []
        c = REPLY.c
        found = (await run(unit, sa.select(c.state, c.proof, c.settled_at))).all()
    assert found == [("sent", "echo", LATER)] * 2


async def test_a_reply_that_grows_does_so_until_it_is_sent(store: Store) -> None:
    whole, cut = await begin(store, None, "one", "two", grows=True)
    async with store.writing() as unit:
        assert [reply.grows for reply in await replies.open_of(unit, "captain")] == [True, True]
        await replies.settle(unit, [whole], ReplyState.SENT, "id:1", NOON)
        await replies.settle(unit, [cut], ReplyState.UNKNOWN, "stopped", NOON)
        rows = await run(unit, sa.select(REPLY.c.grows).order_by(REPLY.c.id))
        assert list(rows.scalars()) == [False, True]
    await begin(store, None, "three")
    async with store.reading() as unit:
        assert [reply.grows for reply in await replies.open_of(unit, "captain")] == [False]


async def test_only_who_works_on_a_row_notes_something_on_it(store: Store) -> None:
    await owe(store, Owed("captain", LOBBY, 30))
    (work,) = await waiting(store)

    async def annotated(agent: str, epoch: int) -> bool:
        async with store.writing() as unit:
            return await inbox.annotate(unit, work.inbox_id, agent, epoch, "begun")

    assert not await annotated("captain", 1)
    await claim(store, [work.inbox_id], 1)
    assert not await annotated("auditor", 1)
    assert not await annotated("captain", 2)
    assert await annotated("captain", 1)
    async with store.reading() as unit:
        [orphan] = await inbox.orphans(unit, "captain", 2)
    assert orphan.note == "begun"


async def test_a_line_is_answered_at_most_once(store: Store) -> None:
    await owe(store, Owed("captain", LOBBY, 30))
    (work,) = await waiting(store)
    await claim(store, [work.inbox_id], 3)
    with pytest.raises(LeaseLost, match="epoch 3"):
        await begin(store, work.inbox_id, "from a dead process", epoch=2)
    await begin(store, work.inbox_id, "one", "two", epoch=3)
    with pytest.raises(StorageError, match="begun before"):
        await begin(store, work.inbox_id, "again", epoch=3)
    await begin(store, work.inbox_id, "the rest in private", first_part=2, epoch=3)
    async with store.writing() as unit:
        assert await replies.states_of(unit, work.inbox_id) == {ReplyState.SENDING}
        query = sa.select(REPLY.c.part).where(REPLY.c.inbox_id == work.inbox_id)
        parts = [*(await run(unit, query.order_by(REPLY.c.id))).scalars()]
        await inbox.settle(unit, [work.inbox_id], "captain", 3, InboxState.ANSWERED, NOON)
    assert parts == [0, 1, 2]
    with pytest.raises(LeaseLost):
        await begin(store, work.inbox_id, "settled already", first_part=3)


async def test_a_reply_and_an_adoption_at_once_never_both_win(store: Store) -> None:
    """Fifty times: the old listener begins to answer while the new one inherits."""
    for round_ in range(50):
        message = f"!seen {round_}"
        await owe(store, Owed("secretary", LOBBY, 0, LOBBY), text=message)
        ids = [w.inbox_id for w in await waiting(store, "secretary") if w.text == message]
        await claim(store, ids, 1, agent="secretary")

        async def adopt() -> int:
            async with store.writing() as unit:
                return await inbox.adopt(unit, LOBBY, "captain", NOON)

        begun, adopted = await asyncio.gather(
            begin(store, ids[0], "x", agent="secretary"), adopt(), return_exceptions=True
        )
        assert isinstance(begun, LeaseLost) == (adopted == 1), (begun, adopted)
        async with store.writing() as unit:
            epoch = 1
            await inbox.settle(unit, ids, "secretary", epoch, InboxState.ANSWERED, NOON)
            await inbox.settle(unit, ids, "captain", epoch, InboxState.ANSWERED, NOON)


async def test_what_a_peer_heard_proves_that_a_reply_arrived(store: Store) -> None:
    await begin(store, None, "aye", "aye", "never heard")
    async with store.reading() as unit:
        first, second, third = await replies.open_of(unit, "captain")
        assert await replies.heard(unit, first, "captain_") is None
    await owe(store, text="aye", sender="alice")
    early = await owe(
        store, text="aye", sender="captain", heard_at=NOON - timedelta(seconds=2), agent="captain"
    )
    one = await owe(store, text="aye", sender="captain", agent="captain")
    two = await owe(store, text="aye", sender="Captain_", heard_at=LATER)
    await owe(store, text="never heard", sender="captain", agent="captain", channel="#market")
    async with store.reading() as unit:
        assert early < one
        assert await replies.heard(unit, first, "captain_") == one
        assert await replies.heard(unit, second, "captain_") == two
        assert await replies.heard(unit, second) is None
        assert await replies.heard(unit, third) is None
    assert isinstance(first, Reply)


async def test_the_last_line_that_nobody_asked_for_is_known_by_its_time(store: Store) -> None:
    async def last(target: str = "irc:#Lobby", *, agent: str = "captain") -> datetime | None:
        async with store.reading() as unit:
            return await replies.last_unasked(unit, agent, target, NOON)

    await owe(store, Owed("captain", LOBBY, 30))
    (work,) = await waiting(store)
    await begin(store, work.inbox_id, "asked for", now=LATER + timedelta(seconds=2))
    [refused] = await begin(store, None, "refused", now=LATER + timedelta(seconds=1))
    async with store.writing() as unit:
        await replies.settle(unit, [refused], ReplyState.FAILED, "no", LATER)
    await begin(store, None, "too long ago")
    assert await last() is None
    for seconds in (-2, 0, -1):
        await begin(store, None, "unasked", now=LATER + timedelta(seconds=seconds))
    assert await last() == LATER
    assert await last("irc:#market") is None
    assert await last(agent="auditor") is None
