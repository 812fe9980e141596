"""Talks in the store: one a turn and a peer, ended once, audited, forgotten with their turns."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from storage import audit, delegations, talks
from storage.store import Store
from storage.talk_tables import Talk
from storage.talks import LIMIT, NewTalk
from tests.integration.storage.test_delegations import NOW, at, claimed, finished, given

NEW = NewTalk(
    code="T-1",
    opener="captain",
    peer="secretary",
    session="irc:#lobby",
    opened_at=NOW,
    trace_id="t",
)


async def opened(store: Store, **more: str) -> Talk:
    new = replace(NEW, **more)  # type: ignore[arg-type]
    return await store.write(lambda unit: talks.open_one(unit, new))


async def ended(store: Store, talk: Talk, by: str = "captain", why: str = "") -> bool:
    return await store.write(lambda unit: talks.end(unit, talk, by, why, at(9)))


async def test_the_same_turn_has_one_talk_with_a_peer_whoever_opens_it(store: Store) -> None:
    codes = {(await opened(store)).code, (await opened(store, code="T-2")).code}
    assert codes == {"T-1"}
    assert (await opened(store, code="T-3", peer="buyer")).code == "T-3"
    assert (await opened(store, code="T-4", trace_id="efgh")).code == "T-4"
    assert (await opened(store, code="T-7", session="nick:alice")).code == "T-7"
    both = await asyncio.gather(*(opened(store, code=f"T-{n}", trace_id="x") for n in (5, 6)))
    assert len({talk.code for talk in both}) == 1


async def test_a_talk_ends_once_and_says_by_whom_in_that_ones_audit(store: Store) -> None:
    talk = await opened(store)
    assert await ended(store, talk, "secretary", "nothing is open")
    assert not await ended(store, talk)
    found = await store.read(lambda unit: talks.by_code(unit, "t-1"))
    assert found is not None
    assert (found.ended_by, found.why, found.ended_at) == ("secretary", "nothing is open", at(9))
    [entry] = await store.read(lambda unit: audit.entries(unit, "secretary"))
    assert (entry.verb, entry.target, entry.reason) == (
        "transition",
        "talk:T-1",
        "nothing is open",
    )
    other = await opened(store, code="T-2", trace_id="x")
    assert await ended(store, other, LIMIT, "turns")
    assert await store.read(lambda unit: audit.verify(unit, "captain")) is None


async def test_its_turns_are_its_delegations_and_it_is_forgotten_after_them(store: Store) -> None:
    talk = await opened(store)
    await given(store, "D-0")
    for number in (1, 2):
        held = await claimed(store, await given(store, f"D-{number}", kind="talk", talk=talk.code))
        assert held is not None
        await finished(store, held)
    turns = await store.read(lambda unit: talks.turns(unit, "T-1"))
    assert [turn.code for turn in turns] == ["D-1", "D-2"]
    assert await store.write(lambda unit: talks.prune(unit, at(99))) == 0
    await store.write(lambda unit: delegations.prune(unit, at(99)))
    assert await store.write(lambda unit: talks.prune(unit, NOW)) == 0
    assert await store.write(lambda unit: talks.prune(unit, at(99))) == 1
    assert await store.read(lambda unit: talks.by_code(unit, "T-1")) is None
