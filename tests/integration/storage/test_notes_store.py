"""Notes: kept by name, told where they may be told, bounded; on both databases."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from storage import notes
from storage.notes import MOST, MOST_OF_A_PLACE, Noted, Written
from storage.store import Store

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
LOBBY = "irc:#lobby"
PRIVATE = "irc:nick:ada"


async def remember(store: Store, name: str, text: str, **more: Any) -> Written:
    given: dict[str, Any] = {"session": LOBBY, "asker": "ada", "now": NOW, "agent": "captain"}
    given |= more
    given.setdefault("is_open", given["session"] == LOBBY)
    async with store.writing() as unit:
        return await notes.remember(unit, name=name, text=text, **given)


async def told(store: Store, session: str, agent: str = "captain") -> list[tuple[str, str]]:
    return [(note.name, note.text) for note in await recalled(store, session, agent)]


async def recalled(store: Store, session: str, agent: str = "captain") -> list[Noted]:
    return await store.read(lambda unit: notes.recall(unit, agent, session))


async def forget(store: Store, name: str, session: str) -> bool:
    return await store.write(lambda unit: notes.forget(unit, "captain", name, session))


async def test_a_note_is_changed_by_its_name_and_the_newest_is_told_first(store: Store) -> None:
    assert await remember(store, "tea", "ada likes it") is Written.NEW
    assert await remember(store, "rota", "on mondays", now=NOW + timedelta(minutes=1)) is (
        Written.NEW
    )
    later = NOW + timedelta(minutes=2)
    assert await remember(store, "tea", "green", asker="bob", now=later) is Written.CHANGED
    first, second = await recalled(store, "discord:#elsewhere")
    assert (first.name, first.text, first.asker, first.session) == ("tea", "green", "bob", LOBBY)
    assert (first.changed_at, second.name) == (later, "rota")


async def test_a_note_from_a_closed_place_is_told_there_only(store: Store) -> None:
    await remember(store, "birthday", "on friday", session=PRIVATE)
    assert await told(store, PRIVATE) == [("birthday", "on friday")]
    assert await told(store, LOBBY) == []
    assert await told(store, "irc:nick:bob") == []


async def test_a_closed_places_names_are_free_elsewhere(store: Store) -> None:
    await remember(store, "birthday", "on friday", session=PRIVATE)
    assert await remember(store, "birthday", "somebody's") is Written.NEW
    assert await told(store, LOBBY) == [("birthday", "somebody's")]
    assert sorted(await told(store, PRIVATE)) == [
        ("birthday", "on friday"),
        ("birthday", "somebody's"),
    ]
    assert not await forget(store, "nothing", PRIVATE)
    assert await forget(store, "birthday", PRIVATE)
    assert await told(store, PRIVATE) == [("birthday", "somebody's")]
    assert await forget(store, "birthday", PRIVATE)
    assert await told(store, LOBBY) == []


@pytest.mark.parametrize("name", ["irc:nick:ada|birthday", "|birthday"])
async def test_no_name_reaches_into_a_closed_place(store: Store, name: str) -> None:
    await remember(store, "birthday", "on friday", session=PRIVATE)
    assert await remember(store, name, "forged") is Written.NEW
    assert await forget(store, name, "irc:nick:bob")
    assert await told(store, PRIVATE) == [("birthday", "on friday")]


async def test_agents_do_not_share_notes(store: Store) -> None:
    await remember(store, "tea", "green")
    assert await told(store, LOBBY, "auditor") == []
    assert await remember(store, "tea", "black", agent="auditor") is Written.NEW
    assert await told(store, LOBBY) == [("tea", "green")]


async def test_a_place_and_an_agent_have_so_many_notes_and_no_more(store: Store) -> None:
    for place in range(4):
        for n in range(MOST_OF_A_PLACE):
            session = f"irc:#c{place}"
            await remember(store, f"{place} {n}", "x", session=session, is_open=True)
        if place < 3:
            full = await remember(store, "more", "x", session=f"irc:#c{place}", is_open=True)
            assert full is Written.PLACE_FULL
    assert await remember(store, "more", "x") is Written.FULL
    assert await remember(store, "0 0", "changed") is Written.CHANGED
    assert await forget(store, "0 1", LOBBY)
    assert await remember(store, "more", "x") is Written.NEW
    assert len(await told(store, LOBBY)) == MOST


async def test_two_at_once_keep_one_note_and_the_bound(store: Store) -> None:
    written = await asyncio.gather(*[remember(store, "tea", f"{n}") for n in range(4)])
    assert sorted(written) == [Written.CHANGED] * 3 + [Written.NEW]
    assert len(await told(store, LOBBY)) == 1


async def test_text_that_a_database_does_not_take_is_kept_as_far_as_it_can_be(
    store: Store,
) -> None:
    await remember(store, "n\0ame", "te\0xt \ud800", asker="a\0da")
    assert await told(store, LOBBY) == [("n\ufffdame", "te\ufffdxt \ufffd")]
