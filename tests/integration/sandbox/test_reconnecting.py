"""discord.py through the gateway's troubles: nothing is lost, nothing comes twice."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

import discord

from bots.sandbox.server import build
from tests.integration.sandbox.bot import Bot
from tests.integration.sandbox.stage import CAPTAIN, ROOK, Sandbox, bot_token, config, serving


@contextlib.asynccontextmanager
async def talking(sandbox: Sandbox, bot: Bot, lines: int) -> AsyncIterator[None]:
    """While the block runs a person says numbered lines; all of them are said in the end."""
    person, lobby = sandbox.person(), bot.channel("lobby")
    started = asyncio.Event()

    async def talk() -> None:
        for number in range(lines):
            await person.say(lobby.id, str(number))
            started.set()

    task = asyncio.create_task(talk())
    await started.wait()
    yield
    await task


async def test_after_a_drop_the_client_resumes_and_has_heard_everything_once(
    sandbox: Sandbox,
) -> None:
    bot = await sandbox.bot()
    async with talking(sandbox, bot, 40):
        assert await sandbox.chaos("drop", "captain") == 1
        await bot.resumes.first()
    heard = await bot.messages.count(40)
    assert [m.content for m in heard] == [str(n) for n in range(40)]
    assert bot.sockets.all == ["identified"]


async def test_on_reconnect_the_client_resumes_and_has_heard_everything_once(
    sandbox: Sandbox,
) -> None:
    bot = await sandbox.bot()
    async with talking(sandbox, bot, 40):
        await sandbox.chaos("op7", "captain")
        await bot.resumes.first()
    heard = await bot.messages.count(40)
    assert [m.content for m in heard] == [str(n) for n in range(40)]
    assert bot.sockets.all == ["identified"]


async def test_after_an_invalid_session_the_client_identifies_again(sandbox: Sandbox) -> None:
    bot = await sandbox.bot()
    await sandbox.chaos("invalid", "captain")
    await bot.sockets.count(2)
    await bot.wait_until_ready()
    await sandbox.person().say(bot.channel("lobby").id, "are you there?")
    await bot.messages.first(lambda m: m.content == "are you there?")
    assert bot.resumes.all == []


async def test_a_zombie_socket_is_noticed_left_and_resumed() -> None:
    async with serving(build(config(gateway={"heartbeat_interval_s": 0.2}))) as sandbox:
        bot = await sandbox.bot(heartbeat_timeout=1.0)
        await sandbox.chaos("zombie", "captain")
        await sandbox.person().say(bot.channel("lobby").id, "into the void")
        await bot.resumes.first()
        await bot.messages.first(lambda m: m.content == "into the void")
        assert len(bot.messages.all) == 1


async def test_a_healthy_client_keeps_its_socket_by_heartbeats() -> None:
    # A client that is late by half an interval is dropped: long enough for a busy machine.
    async with serving(build(config(gateway={"heartbeat_interval_s": 0.5}))) as sandbox:
        bot = await sandbox.bot()
        beats = asyncio.Event()

        async def watch() -> None:
            seen: set[float] = set()
            while len(seen) < 5:
                seen.add(bot.latency)
                await asyncio.sleep(0)
            beats.set()

        task = asyncio.create_task(watch())
        async with asyncio.timeout(20):
            await beats.wait()
        await task
        assert bot.disconnects.all == []


async def test_a_mass_drop_is_over_within_two_seconds_with_nothing_lost_or_doubled() -> None:
    tokens = [CAPTAIN, ROOK, *(bot_token(2_000_000_000_000_000_000 + n) for n in range(22))]
    bots = [
        {"name": f"bot{n}", "token": token, "intents": ["members", "presences", "message_content"]}
        for n, token in enumerate(tokens)
    ]
    async with serving(build(config(bots=bots))) as sandbox:
        clients = await asyncio.gather(*(sandbox.bot(token) for token in tokens))
        async with talking(sandbox, clients[0], 30):
            assert await sandbox.chaos("drop") == len(tokens)
            async with asyncio.timeout(2.0):
                await asyncio.gather(*(client.resumes.first() for client in clients))
        for client in clients:
            heard = await client.messages.count(30)
            assert [m.content for m in heard] == [str(n) for n in range(30)]


async def test_the_next_server_on_the_same_port_is_found_and_identified_to() -> None:
    async with serving(build(config())) as first:
        port = first.port
        bot = Bot()
        task = asyncio.create_task(bot.start(CAPTAIN))
        await bot.sockets.first()
    # discord.py resumes, the new server knows no session, it identifies
    async with serving(build(config(port=port))) as second:
        async with asyncio.timeout(20):
            await bot.sockets.count(2)
        await bot.wait_until_ready()
        await second.person().say(bot.channel("lobby").id, "back again")
        await bot.messages.first(lambda m: m.content == "back again")
        await bot.close()
        await asyncio.gather(task, return_exceptions=True)
    assert isinstance(bot.guilds[0], discord.Guild)
