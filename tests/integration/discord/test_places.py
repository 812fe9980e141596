"""What the bot sees of the guild, and what it says when that is not enough."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from bots.sandbox.server import build
from bots.sandbox.session import encode
from bots.sandbox.snowflake import named
from tests.integration.discord.stage import Agent, permit
from tests.integration.sandbox.stage import CAPTAIN_ID, ROOK_ID, Sandbox, config, serving

VIEW, SEND, HISTORY = 1 << 10, 1 << 11, 1 << 16
ROLE, MEMBER = 0, 1
URL = {"resume_gateway_url": "ws://127.0.0.1:9/gateway"}


async def _deny(
    sandbox: Sandbox, channel: str, bits: int, whom: int = CAPTAIN_ID, kind: int = MEMBER
) -> None:
    await sandbox.person().ask(
        "PUT",
        f"/channels/{channel}/permissions/{whom}",
        json={"type": kind, "allow": "0", "deny": str(bits)},
    )


async def test_a_missing_permission_is_named_before_and_when_it_matters(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    async with Agent(sandbox, tmp_path) as agent:
        await agent.ready()
        lobby = agent.target("#lobby")
        await _deny(sandbox, lobby.name, SEND)
        await agent.until(
            lambda: "Send Messages, Attach Files in #lobby" in agent.transport.health.note
        )
        delivery = (await agent.transport.say(lobby, ["hello"], permit(lobby), keys=["k"]))[0]
        assert not delivery.sent
        assert not delivery.unknown
        assert "lacks a permission" in delivery.proof
        await _deny(sandbox, lobby.name, 0)
        await agent.until(lambda: not agent.transport.health.note)


async def test_a_channel_that_is_hidden_or_deleted_is_missed(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    async with Agent(sandbox, tmp_path) as agent:
        await agent.ready()
        lobby, board = agent.target("#lobby"), agent.target("#task-board")
        await _deny(sandbox, lobby.name, VIEW)
        await agent.until(lambda: agent.transport.health.missing == ("#lobby",))
        assert agent.transport.health.channels == (board.key,)
        await sandbox.person().ask("DELETE", f"/channels/{board.name}")
        await agent.until(lambda: agent.transport.health.missing == ("#lobby", "#task-board"))
        delivery = (await agent.transport.say(board, ["x"], permit(board), keys=["k"]))[0]
        assert delivery.proof == "the channel does not exist any more"


@pytest.mark.parametrize(("bit", "is_open"), [(VIEW, False), (HISTORY, False), (SEND, True)])
@pytest.mark.parametrize(
    ("whom", "kind"), [(named("role", "operators"), ROLE), (ROOK_ID, MEMBER)], ids=["role", "one"]
)
async def test_a_channel_that_somebody_may_not_read_is_not_open(
    sandbox: Sandbox, tmp_path: Path, whom: int, kind: int, bit: int, *, is_open: bool
) -> None:
    async with Agent(sandbox, tmp_path) as agent:
        await agent.ready()
        board = agent.target("#task-board")
        assert agent.transport.is_open(board.key)
        await _deny(sandbox, board.name, bit, whom, kind)
        # What comes after it says that it has arrived.
        await sandbox.person().say(agent.channel("#lobby"), "closed")
        await agent.lines(1)
        assert agent.transport.is_open(board.key) is is_open


async def test_a_new_channel_becomes_a_place(sandbox: Sandbox, tmp_path: Path) -> None:
    async with Agent(sandbox, tmp_path, wanted=("#vault",)) as agent:
        await agent.ready()
        assert agent.transport.health.missing == ("#vault",)
        made = await sandbox.person().ask(
            "POST", f"/guilds/{sandbox.guild_id}/channels", json={"name": "vault", "type": 0}
        )
        await agent.until(lambda: not agent.transport.health.missing)
        assert agent.transport.places()[f"channel:{made['id']}"].name == "#vault"


async def test_in_two_guilds_it_stays_in_one_and_says_which(tmp_path: Path) -> None:
    server = build(config())
    async with serving(server) as sandbox, Agent(sandbox, tmp_path, guild="") as agent:
        await agent.ready()
        assert agent.transport.health.note == ""
        home, world = dict(agent.transport.places()), server._world
        captain = world.users[CAPTAIN_ID]
        # Older than ours, joined later, and with a #lobby of its own.
        other = world.guild_payload(captain) | {"id": "1001", "name": "elsewhere", "threads": []}
        other["channels"] = [c | {"id": str(int(c["id"]) % 10**9)} for c in other["channels"]]
        [lobby] = [c["id"] for c in other["channels"] if c["name"] == "lobby"]
        later = "2090-01-01T00:00:00+00:00"
        other["members"] = [m | {"joined_at": later} for m in other["members"]]
        other["roles"] = [r | {"id": "1001"} for r in other["roles"][:1]]
        said = await sandbox.person().say(agent.channel("#lobby"), "here")
        [session] = server._gateway._sessions.values()
        with capture_logs() as logs:
            session.tell("GUILD_CREATE", encode(other))
            session.tell(
                "MESSAGE_CREATE",
                encode(said | {"id": "7", "guild_id": "1001", "channel_id": lobby}),
            )
            await agent.until(lambda: "It is in 2 guilds" in agent.transport.health.note)
        await sandbox.person().say(agent.channel("#lobby"), "still here")
        assert [line.text for line in await agent.lines(2)] == ["here", "still here"]
        assert agent.transport.guild is not None
        assert agent.transport.guild.id == sandbox.guild_id
        assert agent.transport.places() == home
        assert "serves parley alone" in agent.transport.health.note
        assert 'discord.guild = "1001" or "' in agent.transport.health.note
        [warned] = [e for e in logs if e["event"] == "discord_many_guilds"]
        assert warned["log_level"] == "warning"


async def test_a_guild_that_it_is_not_in_is_said_with_the_invitation(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    async with Agent(sandbox, tmp_path, guild="4242") as agent:
        await agent.ready()
        assert "It is in no guild; let it in: https://" in agent.transport.health.note
        assert agent.transport.guild is None
        assert dict(agent.transport.places()) == {}


async def test_a_line_that_comes_with_its_guild_has_a_place(tmp_path: Path) -> None:
    """discord.py tells of a guild a moment after it came; a line without a place was stored beside
    the same line with one, and answered twice.
    """
    server = build(config())
    async with serving(server) as sandbox, Agent(sandbox, tmp_path) as agent:
        await agent.ready()
        said = await sandbox.person().say(agent.channel("#lobby"), "before")
        await agent.lines(1)
        guild = server._world.guild_payload(server._world.users[CAPTAIN_ID])
        new = guild["channels"][-1] | {"id": "4242", "name": "vault", "type": 0}
        line = {"guild_id": guild["id"], "channel_id": "4242"}
        places_then: list[bool] = []
        agent.on_line = lambda: places_then.append("channel:4242" in agent.transport.places())

        async def arrive(event: str, data: Any) -> None:
            client = agent.transport.client
            assert client is not None
            frame = {"op": 0, "s": 900, "t": event, "d": data}
            await client.ws.received_message(json.dumps(frame))

        # All of it is read before anybody else has a turn.
        away = [{"id": guild["id"], "unavailable": True}]
        await arrive("READY", {"user": said["author"], "guilds": away, "session_id": "x"} | URL)
        await arrive("MESSAGE_CREATE", said | line | {"id": "7", "content": "too early"})
        await asyncio.sleep(0)
        await arrive("GUILD_CREATE", guild | {"channels": [*guild["channels"], new]})
        await arrive("MESSAGE_CREATE", said | line | {"id": "8", "content": "with its guild"})
        await agent.lines(2)
        # What came too early is not taken for known: it may be fetched, or come again.
        await arrive("MESSAGE_CREATE", said | line | {"id": "7", "content": "too early"})
        heard = await agent.lines(3)
        assert [line.text for line in heard] == ["before", "with its guild", "too early"]
        assert places_then == [True, True]


async def test_an_event_that_cannot_be_read_costs_nothing_but_itself(tmp_path: Path) -> None:
    """discord.py's client ends here."""
    server = build(config())
    async with serving(server) as sandbox, Agent(sandbox, tmp_path) as agent:
        await agent.ready()
        lobby, person = agent.target("#lobby").name, sandbox.person()
        await person.say(lobby, "before")
        for session in server._gateway._sessions.values():
            session.tell("MESSAGE_CREATE", encode({"id": "1", "channel_id": "x"}))
        await person.say(lobby, "after")
        assert [line.text for line in await agent.lines(2)] == ["before", "after"]
        assert agent.readies == 1
