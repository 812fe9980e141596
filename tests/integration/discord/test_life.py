"""Staying connected: gaps, dead sockets, refusals for good, the budget of IDENTIFYs."""

from __future__ import annotations

import asyncio
import json
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from pydantic import SecretStr
from structlog.testing import capture_logs

from bots.messages import Place, Target
from bots.sandbox.config import GatewaySpec
from bots.sandbox.server import build
from storage.tables import AgentState
from tests.integration.discord.stage import Agent, free_port, permit
from tests.integration.sandbox.stage import (
    CAPTAIN_ID,
    DEAF,
    ROOK,
    Sandbox,
    bot_token,
    config,
    serving,
)


@pytest.mark.parametrize("deed", ["drop", "op7"])
async def test_a_lost_socket_is_resumed_and_nothing_is_lost_or_doubled(
    sandbox: Sandbox, tmp_path: Path, deed: str
) -> None:
    async with Agent(sandbox, tmp_path) as agent:
        await agent.ready()
        lobby, person = agent.target("#lobby").name, sandbox.person()
        for n in range(5):
            await person.say(lobby, f"line {n}")
            if n == 2:
                assert await sandbox.chaos(deed, "captain") == 1
        lines = await agent.lines(5)
        await agent.until(lambda: agent.transport.health.connected)
        await person.say(lobby, "last")
        lines = await agent.lines(6)
        assert [line.text for line in lines] == [*(f"line {n}" for n in range(5)), "last"]
        assert agent.readies == 1
        assert any("Trying again" in health.note for health in agent.changes)
        assert len(json.loads(agent.config.identify_file.read_text())) == 1


async def test_a_session_that_ended_is_begun_anew_and_what_was_missed_is_fetched(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    async with Agent(sandbox, tmp_path, reidentify_s=(0.3, 0.3)) as agent:
        await agent.ready()
        lobby, person = agent.target("#lobby"), sandbox.person()
        first = await person.say(lobby.name, "before")
        await agent.lines(1)
        await sandbox.chaos("invalid", "captain")
        await agent.until(lambda: not agent.transport.health.connected)
        for n in range(3):
            await person.say(lobby.name, f"missed {n}")
        await agent.until(lambda: agent.readies == 2)
        await agent.transport.fetch_missed(lobby.key, first["id"])
        assert [(line.text, line.missed) for line in agent.heard] == [
            ("before", False),
            ("missed 0", True),
            ("missed 1", True),
            ("missed 2", True),
        ]
        assert len(json.loads(agent.config.identify_file.read_text())) == 2


async def test_a_line_that_comes_before_the_missed_ones_hides_none_of_them(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    async with Agent(sandbox, tmp_path, reidentify_s=(0.3, 0.3)) as agent:
        await agent.ready()
        lobby, person = agent.target("#lobby"), sandbox.person()
        await person.say(lobby.name, "before")
        await agent.lines(1)
        await sandbox.chaos("invalid", "captain")
        await agent.until(lambda: not agent.transport.health.connected)
        await person.say(lobby.name, "missed")
        await agent.until(lambda: agent.readies == 2)
        live = await person.say(lobby.name, "live")
        await agent.lines(2)
        await agent.transport.fetch_missed(lobby.key, live["id"])
        assert [line.text for line in agent.heard] == ["before", "live", "missed"]


async def test_what_came_live_is_not_handed_over_a_second_time(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    async with Agent(sandbox, tmp_path, missed_most=2) as agent:
        await agent.ready()
        lobby, person = agent.target("#lobby"), sandbox.person()
        for n in range(3):
            await person.say(lobby.name, f"live {n}")
        await agent.lines(3)
        await agent.transport.fetch_missed(lobby.key, "1")  # more than two
        await agent.transport.fetch_missed(lobby.key, agent.heard[0].msgid or "")
        assert len(agent.heard) == 3
        for key in ("channel:42", "user:abc", "#lobby", "channel:"):
            await agent.transport.fetch_missed(key, "1")


async def test_a_long_gap_is_read_to_its_end_in_order(sandbox: Sandbox, tmp_path: Path) -> None:
    async with Agent(sandbox, tmp_path, reidentify_s=(0.0, 0.0)) as agent:
        await agent.ready()
        lobby, person = agent.target("#lobby"), sandbox.person()
        first = await person.say(lobby.name, "before")
        await agent.lines(1)
    for number in range(620):
        await person.say(lobby.name, str(number))
    async with Agent(sandbox, tmp_path) as agent:
        await agent.ready()
        await agent.transport.fetch_missed(lobby.key, first["id"])
        assert [line.text for line in agent.heard] == [str(number) for number in range(620)]
        assert all(line.missed for line in agent.heard)


async def test_a_gap_beyond_all_measure_is_read_as_far_as_that_and_the_rest_is_named(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    async with Agent(sandbox, tmp_path, missed_most=3) as agent:
        await agent.ready()
        lobby, person = agent.target("#lobby"), sandbox.person()
    for number in range(3):
        last = await person.say(lobby.name, str(number))
    async with Agent(sandbox, tmp_path, missed_most=3) as agent:
        await agent.ready()
        with capture_logs() as logs:
            await agent.transport.fetch_missed(lobby.key, "1")
        assert [e for e in logs if e["event"] == "discord_missed_too_many"] == []
    for number in range(3, 5):
        last = await person.say(lobby.name, str(number))
    async with Agent(sandbox, tmp_path, missed_most=4) as agent:
        await agent.ready()
        with capture_logs() as logs:
            await agent.transport.fetch_missed(lobby.key, "1")
        assert [line.text for line in agent.heard] == ["0", "1", "2", "3"]
        [warned] = [e for e in logs if e["event"] == "discord_missed_too_many"]
        since = datetime.fromisoformat(last["timestamp"])
        assert f"what was said from {since:%Y-%m-%d %H:%M:%S} UTC until" in warned["why"]


async def test_private_lines_that_were_missed_are_fetched(sandbox: Sandbox, tmp_path: Path) -> None:
    person = sandbox.person()
    opened = await person.ask("POST", "/users/@me/channels", json={"recipient_id": str(CAPTAIN_ID)})
    first = await person.say(opened["id"], "one")
    await person.say(opened["id"], "two")
    async with Agent(sandbox, tmp_path) as agent:
        await agent.ready()
        key = f"user:{first['author']['id']}"
        await agent.transport.fetch_missed(key, first["id"])
        line = agent.heard[0]
        assert (line.text, line.where.key, line.missed) == ("two", key, True)


async def test_a_zombie_socket_is_noticed_and_resumed(tmp_path: Path) -> None:
    clockwork = GatewaySpec(heartbeat_interval_s=0.2)
    async with (
        serving(build(config(gateway=clockwork.model_dump()))) as sandbox,
        Agent(sandbox, tmp_path, heartbeat_timeout_s=0.6, close_s=0.1) as agent,
    ):
        await agent.ready()
        lobby = agent.target("#lobby").name
        began_s = time.monotonic()
        await sandbox.chaos("zombie", "captain")
        await sandbox.person().say(lobby, "is anybody there?")
        assert (await agent.lines(1))[0].text == "is anybody there?"
        assert time.monotonic() - began_s < 3
        assert agent.readies == 1
        assert len(agent.heard) == 1


async def test_a_zombie_is_noticed_long_before_discords_own_heartbeat(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    async with Agent(sandbox, tmp_path, heartbeat_timeout_s=0.6, close_s=0.1) as agent:
        await agent.ready()
        lobby = agent.target("#lobby").name
        began_s = time.monotonic()
        await sandbox.chaos("zombie", "captain")
        await sandbox.person().say(lobby, "is anybody there?")
        await agent.until(lambda: not agent.transport.health.connected)
        assert time.monotonic() - began_s < 2
        assert (await agent.lines(1))[0].text == "is anybody there?"
        assert agent.readies == 1


async def test_where_nobody_talks_a_connection_holds(sandbox: Sandbox, tmp_path: Path) -> None:
    """Silences three times as long as what counts as dead, and Discord's heartbeat is far away."""
    async with Agent(sandbox, tmp_path, heartbeat_timeout_s=0.6) as agent:
        await agent.ready()
        client = agent.transport.client
        assert client is not None
        beating, began_s = client.ws._keep_alive, time.perf_counter()
        assert beating is not None
        assert beating.interval is not None
        assert beating.interval > 40
        async with asyncio.timeout(5):
            while beating._last_ack < began_s + 1.8:  # noqa: ASYNC110 - discord.py tells nobody
                await asyncio.sleep(0.01)
        assert client.ws._keep_alive is beating
        assert all(health.connected for health in agent.changes)
        assert client.latency < 1


async def test_a_gateway_that_is_not_there_yet_is_waited_for(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    """discord.py ends with an AttributeError here."""
    port = free_port()
    agent = Agent(sandbox, tmp_path, gateway=f"ws://127.0.0.1:{port}/gateway")
    async with agent:
        await agent.until(lambda: "Trying again" in agent.transport.health.note)
        assert not agent.transport.health.fatal


async def test_a_server_that_is_not_there_yet_is_waited_for(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    port = free_port()
    agent = Agent(sandbox, tmp_path, api_base=f"http://127.0.0.1:{port}/api/v10")
    async with agent:
        await agent.until(lambda: "It cannot log in" in agent.transport.health.note)
        lobby = Target("discord", Place.CHANNEL, "5")
        delivery = (await agent.transport.say(lobby, ["hello"], permit(lobby), keys=["k"]))[0]
        assert delivery.unsaid
        assert delivery.proof == "not connected to Discord"


async def test_a_server_that_is_not_discords_is_told_apart(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    async def hello(request: web.Request) -> web.Response:
        return web.Response(text="hello")

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", hello)
    async with (
        TestServer(app) as other,
        Agent(sandbox, tmp_path, api_base=str(other.make_url("/api/v10"))) as agent,
    ):
        await agent.until(lambda: "does not speak as Discord" in agent.transport.health.note)


async def test_a_server_that_comes_back_is_used_again(tmp_path: Path) -> None:
    async with serving(build(config())) as sandbox:
        port = sandbox.port
        agent = Agent(sandbox, tmp_path)
        await agent.__aenter__()
        await agent.ready()
    await agent.until(lambda: not agent.transport.health.connected)
    async with serving(build(config(port=port))) as sandbox:
        await agent.until(lambda: agent.readies == 2)
        await sandbox.person().say(agent.channel("#lobby"), "back again")
        assert (await agent.lines(1))[0].text == "back again"
        await agent.__aexit__()


async def test_a_wrong_token_is_given_up_with_the_way_to_mend_it(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    async with Agent(sandbox, tmp_path, token=SecretStr(bot_token(77))) as agent:
        await agent.ended()
        fatal = agent.transport.health.fatal
        assert "does not accept captain's token" in fatal
        assert "https://discord.com/developers/applications" in fatal
        assert agent.changes[-1] == agent.transport.health


async def test_a_refused_intent_is_named_with_its_switch(sandbox: Sandbox, tmp_path: Path) -> None:
    async with Agent(sandbox, tmp_path, token=SecretStr(DEAF)) as agent:
        await agent.ended()
        fatal = agent.transport.health.fatal
        assert '"Message Content Intent"' in fatal
        assert (
            f"https://discord.com/developers/applications/{agent.transport.application_id}/bot"
            in fatal
        )


async def test_without_an_identify_left_it_waits_and_says_so(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    file = tmp_path / "captain.json"
    file.write_text(json.dumps([datetime.now(UTC).timestamp()] * 2))
    async with Agent(sandbox, tmp_path, identifies_a_day=3, identifies_kept=1) as agent:
        await agent.until(lambda: "identified 2 times" in agent.transport.health.note)
        assert not agent.transport.health.connected
    assert len(json.loads(file.read_text())) == 2


async def test_health_is_shown_as_presence(sandbox: Sandbox, tmp_path: Path) -> None:
    watcher = await sandbox.bot(ROOK)
    async with Agent(sandbox, tmp_path) as agent:
        agent.transport.show(AgentState.DEGRADED)
        await agent.ready()
        await watcher.presences.first(lambda p: p == ("captain", "idle"))
        agent.transport.show(AgentState.READY)
        await watcher.presences.first(lambda p: p == ("captain", "online"))
        agent.transport.show(AgentState.KILLED)
        await watcher.presences.first(lambda p: p == ("captain", "dnd"))


async def test_a_channel_that_is_missing_is_named_with_the_link(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    async with Agent(sandbox, tmp_path, wanted=("#lobby", "#vault")) as agent:
        await agent.ready()
        health = agent.transport.health
        assert health.missing == ("#vault",)
        assert (
            "It cannot see #vault; let it in: https://discord.com/oauth2/authorize" in health.note
        )
        assert f"client_id={CAPTAIN_ID}" in health.note


async def test_a_picture_is_set_when_it_differs_and_left_when_not(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    pictures = Path(__file__).parents[3] / "prompts" / "avatars"
    seen = []
    for name in ("captain", "captain", "auditor", "buyer"):
        async with Agent(sandbox, tmp_path, avatar=pictures / f"{name}.png") as agent:
            await agent.ready()
            known = tmp_path / "captain.avatar.json"
            dressing = agent.transport._picture.task
            if name == "buyer":
                client = agent.transport.client
                assert client is not None
                missing = await agent.transport._picture.avatar.show(client)
            else:
                assert dressing is not None
                await dressing
            me = await sandbox.person().ask("GET", f"/users/{CAPTAIN_ID}")
            seen.append((me["avatar"], json.loads(known.read_text())["sha256"]))
            # A bot without its picture is well.
            assert agent.transport.health.note == ""
    assert seen[0] == seen[1]
    assert seen[0][0] is not None
    assert seen[2][0] != seen[0][0]
    assert seen[3] == seen[2]
    assert missing is not None
    assert "changed twice within 10 minutes" in missing.why
    # A swarm that is started again within minutes has nothing to be warned of.
    assert missing.waits


async def test_slash_commands_and_buttons_reach_the_callback(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    async with Agent(sandbox, tmp_path) as agent:
        await agent.ready()
        transport = agent.transport
        assert transport.application_id == CAPTAIN_ID
        assert transport.client is not None
        assert transport.client.user is not None
        assert transport.client.user.id == CAPTAIN_ID
        assert transport.guild is not None
        assert transport.guild.id == sandbox.guild_id
    assert transport.client is None


async def test_twenty_bots_that_lose_their_sockets_at_once_are_back_within_two_seconds(
    tmp_path: Path,
) -> None:
    numbers = [CAPTAIN_ID + n for n in range(20)]
    bots = [
        {"name": f"bot{n}", "token": bot_token(number), "intents": ["message_content"]}
        for n, number in enumerate(numbers)
    ]
    async with serving(build(config(bots=bots))) as sandbox:
        agents = [
            Agent(
                sandbox,
                tmp_path,
                token=SecretStr(bot_token(number)),
                identify_file=tmp_path / f"{number}.json",
                agents={},
            )
            for number in numbers
        ]
        for agent in agents:
            await agent.__aenter__()
        for agent in agents:
            await agent.ready()
        lobby, person = agents[0].channel("#lobby"), sandbox.person()
        await person.say(lobby, "one")
        began_s = time.monotonic()
        assert await sandbox.chaos("drop") >= 20
        await person.say(lobby, "two")
        for agent in agents:
            assert [line.text for line in await agent.lines(2)] == ["one", "two"]
        assert time.monotonic() - began_s < 2
        for agent in agents:
            await agent.__aexit__()
            assert agent.readies == 1
            assert len(agent.heard) == 2
