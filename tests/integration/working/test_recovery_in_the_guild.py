"""What a dead agent was saying on Discord, and what it did not hear, is made good by the next."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import structlog

from bots.answering.recovery import Recovery
from bots.hearing.journal import Journal
from bots.hearing.listening import Ears
from bots.hearing.presence import STRANGERS_WITHIN, Presence
from bots.sandbox.server import build
from brain.guard import Guard, LatchPolicy
from storage import agents, inbox, record, replies
from storage.record import NewLine, Owed
from storage.store import Store
from tests.integration.discord.stage import Agent
from tests.integration.sandbox.stage import CAPTAIN_ID, Sandbox, config, serving
from tests.schema import give_schema

LOG = structlog.get_logger()


def now() -> datetime:
    return datetime.now(UTC)


@pytest.fixture
async def sandbox() -> AsyncIterator[Sandbox]:
    async with serving(build(config())) as running:
        yield running


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    opened = await Store.open(f"sqlite:///{tmp_path / 'parley.db'}")
    await give_schema(opened)
    async with opened.writing() as unit:
        await agents.enrol(unit, "captain", "captain", now())
        await agents.take(unit, "captain", "here", now=now(), ttl_s=60)
    yield opened
    await opened.close()


def line(channel: str, text: str, message: str, account: str, *, owed: str = "") -> NewLine:
    return NewLine(
        network="discord",
        channel=channel,
        sender="you",
        account=account,
        kind="said",
        text=text,
        said_at=now(),
        heard_at=now(),
        heard_by="captain",
        msgid=message,
        trace_id="trace",
        owed=(Owed("captain", owed, 30),) if owed else (),
    )


async def test_what_did_not_arrive_is_said_again_as_an_answer(
    sandbox: Sandbox, store: Store, tmp_path: Path
) -> None:
    async with Agent(sandbox, tmp_path) as agent:
        await agent.ready()
        lobby = agent.target("#lobby")
        asked = await sandbox.person().say(lobby.name, "who hums?")
        heard = line(
            "#lobby", "who hums?", asked["id"], asked["author"]["id"], owed="discord:#lobby"
        )
        async with store.writing() as unit:
            await record.keep_new(unit, heard)
        async with store.writing() as unit:
            [work] = await inbox.waiting(unit, "captain")
            await inbox.claim(unit, [work.inbox_id], "captain", 1, now())
            await replies.begin(
                unit,
                "captain",
                str(lobby),
                ["the mixer", "and the fridge"],
                inbox_id=work.inbox_id,
                hops=1,
                trace_id="trace",
                now=now(),
            )
        transports = {"discord": agent.transport}
        recovery = Recovery(
            store,
            Guard(store, [LatchPolicy(lambda _: None)], time.monotonic, now),
            transports,
            "captain",
            2,
            clock=now,
            log=LOG,
        )
        assert not await recovery.look()
        path = f"/channels/{lobby.name}/messages"
        second, first, _ = await sandbox.person().ask("GET", path)
        assert first["message_reference"]["message_id"] == asked["id"]
        assert (first["content"], second["content"]) == ("the mixer", "and the fridge")
        assert "message_reference" not in second


async def test_who_wrote_in_private_for_the_first_time_is_heard_after_a_gap(
    sandbox: Sandbox, store: Store, tmp_path: Path
) -> None:
    person = sandbox.person()
    opened = await person.ask("POST", "/users/@me/channels", json={"recipient_id": str(CAPTAIN_ID)})
    missed = await person.say(opened["id"], "are you there?")
    you = missed["author"]["id"]
    async with Agent(sandbox, tmp_path) as agent:
        await agent.ready()
        ears = Ears(
            store,
            "captain",
            clock=now,
            journal=Journal(tmp_path / "captain.journal"),
            on_owed=lambda _: None,
            log=LOG,
        )
        presence = Presence(store, "captain", ears, {"discord": agent.transport}, now, LOG)
        await presence.came_back("discord")
        assert agent.heard == []  # nobody has ever heard of this person

        talk = line("#lobby", "good morning", "7", you)
        async with store.writing() as unit:
            await record.keep_new(unit, talk)
        await presence.came_back("discord")
        assert [heard.text for heard in agent.heard] == ["are you there?"]
        assert now() - STRANGERS_WITHIN < (agent.heard[0].said_at or now()) + timedelta(seconds=1)

        # What came live after the gap hides nothing of it.
        later = line("nick:captain", "hello?", str(int(missed["id"]) + 1), you)
        async with store.writing() as unit:
            await record.keep_new(unit, later)
        await presence.came_back("discord")
        assert [heard.text for heard in agent.heard] == ["are you there?"] * 2


async def test_what_was_said_where_nothing_is_recorded_is_heard_after_a_gap(
    sandbox: Sandbox, store: Store, tmp_path: Path
) -> None:
    person = sandbox.person()
    async with Agent(sandbox, tmp_path) as agent:
        await agent.ready()
        lobby, board = agent.target("#lobby"), agent.target("#task-board")
    before = await person.say(board.name, "before anybody listened")
    async with Agent(sandbox, tmp_path) as agent:
        await agent.ready()
        journal = Journal(tmp_path / "captain.journal")
        ears = Ears(store, "captain", clock=now, journal=journal, on_owed=lambda _: None, log=LOG)
        presence = Presence(store, "captain", ears, {"discord": agent.transport}, now, LOG)
        await presence.catch_up("discord", board.key)
        assert agent.heard == []  # the swarm has never heard anything: it is new here

        heard = await person.say(lobby.name, "somebody listens")
        await agent.lines(1)
        async with store.writing() as unit:
            await record.keep_new(unit, line("#lobby", "somebody listens", heard["id"], "7"))
    missed = await person.say(board.name, "is anybody there?")
    async with Agent(sandbox, tmp_path) as agent:
        await agent.ready()
        presence = Presence(store, "captain", ears, {"discord": agent.transport}, now, LOG)
        await presence.catch_up("discord", board.key)
        assert [one.msgid for one in agent.heard] == [missed["id"]]
        assert before["id"] < missed["id"]
