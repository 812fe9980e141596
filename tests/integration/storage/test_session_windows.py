"""What an agent remembers when it is asked: as much as fits, and what else was said there; on both
databases.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa

from storage import record, replies, sessions
from storage.core import INBOX, TURN, run
from storage.record import NewLine, Owed
from storage.sessions import History
from storage.store import Store
from storage.tables import LineKind
from storage.unit import Unit

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
KEY = "irc:#lobby"


async def turn(store: Store, asked: str, answer: str = "", **more: Any) -> int:
    async with store.writing() as unit:
        session = await sessions.open_session(unit, "rook", KEY, NOON)
        given: dict[str, Any] = {
            "asker": "alice",
            "asked": asked,
            "answer": answer,
            "model": "m",
            "started_at": NOON,
            "finished_at": NOON,
            "trace_id": "t",
        }
        return await sessions.add_turn(unit, session, **given | more)


async def window(store: Store, tokens: int) -> History:
    async with store.reading() as unit:
        return await sessions.window(unit, "rook", KEY, tokens=tokens, size=len)


async def heard(
    store: Store, *lines: tuple[str, str], after_s: float = 0, **more: Any
) -> list[int]:
    """Store lines (sender, text), a second apart; their ids."""
    at = NOON + timedelta(seconds=after_s)
    found = []
    for number, (sender, text) in enumerate(lines):
        given: dict[str, Any] = {
            "network": "irc",
            "channel": "#lobby",
            "kind": LineKind.SAID,
            "said_at": at + timedelta(seconds=number),
            "heard_at": at + timedelta(seconds=number),
            "heard_by": "rook",
            "trace_id": "t",
        }
        async with store.writing() as unit:
            line_id = await record.keep_new(unit, NewLine(sender=sender, text=text, **given | more))
        assert line_id is not None
        found.append(line_id)
    return found


async def overheard(store: Store, tokens: int = 1_000, agent: str = "rook") -> list[str]:
    async with store.reading() as unit:
        lines = await sessions.unmentioned(unit, agent, "irc", "#lobby", tokens=tokens, size=len)
    return [line.text for line in lines]


async def _inbox_of(unit: Unit, message_id: int) -> int:
    query = sa.select(INBOX.c.id).where(INBOX.c.message_id == message_id)
    return int((await run(unit, query)).scalar_one())


# --- turns ---------------------------------------------------------------------------------------


async def test_a_session_that_never_began_fits_any_window(store: Store) -> None:
    assert await window(store, 100) == History("", ())


async def test_the_newest_turns_that_fit_are_known_without_a_gap(store: Store) -> None:
    for asked in ("a" * 10, "b" * 60, "c" * 10, "d" * 10):
        await turn(store, asked, "ok")
    everything = await window(store, 98)
    assert [t.asked[0] for t in everything.turns] == ["a", "b", "c", "d"]
    assert not everything.is_cut
    # b does not fit, and a is not known without it.
    found = await window(store, 50)
    assert ([t.asked[0] for t in found.turns], found.is_cut) == (["c", "d"], True)
    nothing = await window(store, 5)
    assert (nothing.turns, nothing.is_cut) == ((), True)


async def test_the_digest_comes_first(store: Store) -> None:
    old = await turn(store, "a" * 10)
    await turn(store, "b" * 10)
    async with store.writing() as unit:
        assert await sessions.compact(unit, "rook", KEY, until=old, digest="d" * 15, now=NOON)
    found = await window(store, 25)
    assert (found.digest, [t.asked[0] for t in found.turns]) == ("d" * 15, ["b"])
    found = await window(store, 24)
    assert (found.digest, found.turns, found.is_cut) == ("d" * 15, (), True)
    # A digest that does not fit is left out as a whole.
    found = await window(store, 14)
    assert (found.digest, [t.asked[0] for t in found.turns]) == ("", ["b"])


async def test_many_small_turns_are_not_all_read(store: Store) -> None:
    async with store.writing() as unit:
        session = await sessions.open_session(unit, "rook", KEY, NOON)
        values = {
            "session_id": session,
            "asker": "alice",
            "answer": "",
            "model": "m",
            "steps": 0,
            "prompt": "",
            "cost_nusd": 0,
            "input_tokens": 0,
            "output_tokens": 0,
            "started_at": NOON,
            "finished_at": NOON,
            "trace_id": "t",
        }
        await run(unit, sa.insert(TURN), [values | {"asked": str(n)} for n in range(500)])
    found = await window(store, 1_000_000)
    assert len(found.turns) == sessions.MOST_TURNS
    assert (found.turns[-1].asked, found.is_cut) == ("499", True)
    async with store.reading() as unit:
        few = await sessions.history(unit, "rook", KEY, 3)
        none = await sessions.history(unit, "rook", KEY, 0)
    assert ([t.asked for t in few.turns], few.is_cut) == (["497", "498", "499"], True)
    assert (none.turns, none.is_cut) == ((), True)


async def test_a_turn_keeps_its_prompt_and_its_bill(store: Store) -> None:
    await turn(store, "plain")
    await turn(
        store,
        "priced",
        prompt="system@2:9f86d081",
        cost_nusd=12_345_678_901,
        input_tokens=900,
        output_tokens=80,
    )
    plain, priced = (await window(store, 100)).turns
    assert (plain.prompt, plain.cost_nusd, plain.input_tokens, plain.output_tokens) == ("", 0, 0, 0)
    assert (priced.prompt, priced.cost_nusd) == ("system@2:9f86d081", 12_345_678_901)
    assert (priced.input_tokens, priced.output_tokens) == (900, 80)


async def test_what_no_database_takes_is_kept_all_the_same(store: Store) -> None:
    last = await turn(store, "nul \0 here", "half a pair \ud83d")
    [kept] = (await window(store, 100)).turns
    assert (kept.asked, kept.answer) == ("nul \ufffd here", "half a pair \ufffd")
    async with store.writing() as unit:
        assert await sessions.compact(unit, "rook", KEY, until=last, digest="\0", now=NOON)
    assert (await window(store, 100)).digest == "\ufffd"


async def test_a_digest_that_comes_too_late_changes_nothing(store: Store) -> None:
    first = await turn(store, "one")
    last = await turn(store, "two")

    async def compact(until: int, digest: str) -> bool:
        async with store.writing() as unit:
            return await sessions.compact(unit, "rook", KEY, until=until, digest=digest, now=NOON)

    assert await compact(last, "both")
    assert not await compact(last, "once more")
    assert not await compact(first, "less")
    assert (await window(store, 100)).digest == "both"
    third = await turn(store, "three")
    async with store.writing() as unit:
        assert await sessions.begin_anew(unit, "rook", KEY)
    assert not await compact(third, "of what was to be forgotten")
    assert await window(store, 100) == History("", ())


# --- what else was said --------------------------------------------------------------------------


async def test_talk_that_is_part_of_no_turn_is_context(store: Store) -> None:
    await heard(store, ("alice", "hello"), ("bob", "my mixer broke"))
    await heard(store, ("alice", "rook: who broke it?"), after_s=3, owed=(Owed("rook", KEY, 30),))
    await heard(store, ("alice", "owl: hi"), after_s=4, owed=(Owed("owl", KEY, 30),))
    await heard(store, ("carol", ""), after_s=5, kind=LineKind.JOIN)
    await heard(store, ("bob", "elsewhere"), after_s=6, channel="#market")
    await heard(store, ("bob", "another net"), after_s=7, network="discord")
    assert await overheard(store) == ["hello", "my mixer broke", "owl: hi"]
    assert await overheard(store, agent="owl") == [
        "hello",
        "my mixer broke",
        "rook: who broke it?",
    ]


async def test_own_answers_are_turns_and_own_other_lines_are_context(store: Store) -> None:
    [asked] = await heard(store, ("alice", "rook: who?"), owed=(Owed("rook", KEY, 30),))
    async with store.reading() as unit:
        inbox_id = await _inbox_of(unit, asked)
    async with store.writing() as unit:
        for text, answered in (("it was bob", inbox_id), ("stand-up at nine", None)):
            await replies.begin(
                unit,
                "rook",
                KEY,
                [text],
                inbox_id=answered,
                hops=1,
                trace_id="t",
                now=NOON,
                epoch=0,
            )
    await heard(
        store, ("rook", "it was bob"), ("rook", "stand-up at nine"), after_s=1, agent="rook"
    )
    await heard(store, ("owl", "it was bob"), after_s=5, agent="owl")
    assert await overheard(store) == ["stand-up at nine", "it was bob"]


async def test_the_newest_talk_that_fits(store: Store) -> None:
    await heard(store, *(("bob", f"{n:02}" * 10) for n in range(30)))
    assert [text[:2] for text in await overheard(store, 70)] == ["27", "28", "29"]
    assert await overheard(store, 5) == []
    await heard(store, *(("bob", f"{n}") for n in range(80)), after_s=60)
    assert len(await overheard(store, 10_000)) == sessions.MOST_LINES
    [asked, _] = await heard(store, ("alice", "rook: ?"), ("bob", "later"), after_s=200)
    async with store.reading() as unit:
        earlier = await sessions.unmentioned(
            unit, "rook", "irc", "#lobby", tokens=10, size=len, before_id=asked
        )
    assert [line.text for line in earlier] == ["78", "79"]


async def test_talk_since_the_last_look_is_all_of_it(store: Store) -> None:
    await heard(store, ("alice", "old"), ("bob", "older news"))
    await heard(store, ("alice", "rook: hi"), after_s=60, owed=(Owed("rook", KEY, 30),))
    await heard(store, ("rook", "hello"), after_s=61, agent="rook")
    async with store.reading() as unit:
        since = NOON + timedelta(seconds=60)
        lines = await sessions.talk(unit, "irc", "#lobby", since=since, tokens=99, size=len)
        late = await sessions.talk(
            unit, "irc", "#lobby", since=NOON + timedelta(hours=1), tokens=99, size=len
        )
    assert [line.text for line in lines] == ["rook: hi", "hello"]
    assert late == []
