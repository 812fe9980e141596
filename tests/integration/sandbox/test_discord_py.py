"""The real discord.py, unmodified, on the sandbox guild: what a bot lives on."""

from __future__ import annotations

import asyncio
import io
from typing import Any

import discord
import pytest

from bots.sandbox.server import build
from tests.integration.sandbox.bot import Bot
from tests.integration.sandbox.stage import (
    CAPTAIN_ID,
    DEAF,
    GUEST,
    ROOK,
    YOU,
    Sandbox,
    bot_token,
    config,
    serving,
)

UNPRIVILEGED = discord.Intents.default()


class Echo(Bot):
    """Answers what a person says."""

    async def on_message(self, message: discord.Message) -> None:
        await super().on_message(message)
        if not message.author.bot:
            await message.reply(f"echo: {message.content}", mention_author=False)


async def test_a_bot_logs_in_hears_a_person_and_answers(sandbox: Sandbox) -> None:
    bot = await sandbox.bot(bot=Echo())
    assert bot.user is not None
    assert (bot.user.id, bot.user.name, bot.application_id) == (CAPTAIN_ID, "captain", CAPTAIN_ID)
    assert [g.name for g in bot.guilds] == ["parley"]
    person = sandbox.person()
    ear = await sandbox.listening()
    lobby = bot.channel("lobby")
    assert lobby.topic == "Say hello."
    said = await person.say(lobby.id, "hello")
    heard = await bot.messages.first(lambda m: m.content == "hello")
    assert (heard.id, heard.author.name, heard.channel) == (int(said["id"]), "you", lobby)
    assert not heard.author.bot
    answer = await ear.until("MESSAGE_CREATE")
    while not answer["content"].startswith("echo"):
        answer = await ear.until("MESSAGE_CREATE")
    assert answer["content"] == "echo: hello"
    assert answer["message_reference"]["message_id"] == said["id"]
    assert [m["content"] for m in await person.history(lobby.id)] == ["echo: hello", "hello"]


async def test_a_wrong_token_does_not_log_in(sandbox: Sandbox) -> None:
    with pytest.raises(discord.LoginFailure):
        await sandbox.bot(bot_token(5))


async def test_a_typing_person_is_seen_and_a_typing_bot_too(sandbox: Sandbox) -> None:
    bot = await sandbox.bot()
    person, ear = sandbox.person(), await sandbox.listening()
    lobby = bot.channel("lobby")
    await person.ask("POST", f"/channels/{lobby.id}/typing")
    channel, user = await bot.typings.first()
    assert (channel, user.name) == (lobby, "you")
    async with lobby.typing():
        while (typing := await ear.until("TYPING_START"))["user_id"] != str(CAPTAIN_ID):
            pass
    assert typing["channel_id"] == str(lobby.id)


async def test_reactions_go_both_ways(sandbox: Sandbox) -> None:
    bot = await sandbox.bot()
    person, ear = sandbox.person(), await sandbox.listening()
    lobby = bot.channel("lobby")
    said = await person.say(lobby.id, "react to this")
    heard = await bot.messages.first()
    await heard.add_reaction("👀")
    added = await ear.until("MESSAGE_REACTION_ADD")
    assert (added["emoji"]["name"], added["user_id"]) == ("👀", str(CAPTAIN_ID))
    path = f"/channels/{lobby.id}/messages/{said['id']}/reactions/%E2%9C%85/@me"
    await person.ask("PUT", path)
    seen = await bot.reactions.first(lambda r: str(r.emoji) == "✅")
    assert seen.message_id == int(said["id"])
    assert bot.user is not None
    await heard.remove_reaction("👀", bot.user)
    assert (await ear.until("MESSAGE_REACTION_REMOVE"))["emoji"]["name"] == "👀"


async def test_edits_and_deletes_are_seen_on_both_sides(sandbox: Sandbox) -> None:
    bot = await sandbox.bot()
    person, ear = sandbox.person(), await sandbox.listening()
    lobby = bot.channel("lobby")
    mine = await lobby.send("thinking")
    await mine.edit(content="done")
    assert (await ear.until("MESSAGE_UPDATE"))["content"] == "done"
    await mine.delete()
    assert (await ear.until("MESSAGE_DELETE"))["id"] == str(mine.id)
    theirs = await person.say(lobby.id, "frist")
    path = f"/channels/{lobby.id}/messages/{theirs['id']}"
    await person.ask("PATCH", path, json={"content": "first"})
    edit = await bot.edits.first(lambda e: e.message_id == int(theirs["id"]))
    assert edit.data["content"] == "first"
    await person.ask("DELETE", path)
    await bot.deleted.first(lambda gone: gone.message_id == int(theirs["id"]))


async def test_a_direct_message_goes_both_ways_and_nobody_else_hears_it(sandbox: Sandbox) -> None:
    bot, other = await sandbox.bot(), await sandbox.bot(ROOK)
    person, ear = sandbox.person(), await sandbox.listening()
    guest = await sandbox.listening(GUEST)
    dm = await person.ask("POST", "/users/@me/channels", json={"recipient_id": str(CAPTAIN_ID)})
    await person.say(dm["id"], "between us")
    heard = await bot.messages.first()
    assert (heard.content, heard.guild) == ("between us", None)
    await heard.channel.send("of course")
    while (answer := await ear.until("MESSAGE_CREATE"))["content"] != "of course":
        pass
    assert "guild_id" not in answer
    # what comes after it comes alone
    await person.say(other.channel("lobby").id, "for all")
    assert (await guest.until("MESSAGE_CREATE"))["content"] == "for all"
    assert [m.content for m in await other.messages.count(1)] == ["for all"]


async def test_a_bot_opens_a_direct_message(sandbox: Sandbox) -> None:
    bot, ear = await sandbox.bot(), await sandbox.listening()
    member = discord.utils.get(bot.guilds[0].members, name="you")
    assert member is not None
    await member.send("good morning")
    assert (await ear.until("MESSAGE_CREATE"))["content"] == "good morning"


async def test_a_thread_is_opened_talked_in_and_archived(sandbox: Sandbox) -> None:
    bot = await sandbox.bot()
    person, ear = sandbox.person(), await sandbox.listening()
    lobby = bot.channel("lobby")
    said = await person.say(lobby.id, "let us talk")
    heard = await bot.messages.first()
    thread = await heard.create_thread(name="talk")
    assert (await ear.until("THREAD_CREATE"))["id"] == str(thread.id) == said["id"]
    await thread.send("here")
    while (inside := await ear.until("MESSAGE_CREATE"))["content"] != "here":
        pass
    assert inside["channel_id"] == str(thread.id)
    await person.say(thread.id, "I see")
    answer = await bot.messages.first(lambda m: m.content == "I see")
    assert isinstance(answer.channel, discord.Thread)
    assert answer.channel.parent == lobby
    await thread.edit(archived=True)
    assert (await ear.until("THREAD_UPDATE"))["thread_metadata"]["archived"]


async def test_files_go_up_and_come_down_whole(sandbox: Sandbox) -> None:
    bot = await sandbox.bot()
    lobby = bot.channel("lobby")
    content = bytes(range(256)) * 64
    sent = await lobby.send("see", file=discord.File(io.BytesIO(content), "all bytes.bin"))
    assert [a.size for a in sent.attachments] == [len(content)]
    assert await sent.attachments[0].read() == content
    [shown] = await sandbox.person(GUEST).history(lobby.id)
    assert shown["attachments"][0]["size"] == len(content)


async def test_a_presence_is_health_for_everybody_to_see() -> None:
    async with serving(build(config(gateway={"offline_after_s": 0.05}))) as sandbox:
        watcher = await sandbox.bot(ROOK)
        bot = await sandbox.bot()
        await watcher.presences.first(lambda p: p == ("captain", "online"))
        activity = discord.CustomActivity("killed")
        await bot.change_presence(status=discord.Status.dnd, activity=activity)
        await watcher.presences.first(lambda p: p == ("captain", "dnd"))
        member = watcher.guilds[0].get_member(CAPTAIN_ID)
        assert member is not None
        assert [str(a) for a in member.activities] == ["killed"]
        # discord.py closes with 4000, which keeps the session: it is seen as gone after a while
        await bot.close()
        await watcher.presences.first(lambda p: p == ("captain", "offline"))


async def test_a_bot_that_begins_as_idle_is_seen_so(sandbox: Sandbox) -> None:
    watcher = await sandbox.bot(ROOK)
    await sandbox.bot(status=discord.Status.idle, activity=discord.CustomActivity("degraded"))
    await watcher.presences.first(lambda p: p == ("captain", "idle"))
    person = await sandbox.listening()
    guild = person.guild
    [shown] = [p for p in guild["presences"] if p["user"]["id"] == str(CAPTAIN_ID)]
    assert (shown["status"], shown["activities"][0]["state"]) == ("idle", "degraded")


async def test_a_nonce_makes_a_repeated_send_one_message(sandbox: Sandbox) -> None:
    bot = await sandbox.bot()
    lobby = bot.channel("lobby")
    path = discord.http.Route("POST", "/channels/{channel_id}/messages", channel_id=lobby.id)
    body = {"content": "once", "nonce": "n-1", "enforce_nonce": True}
    first = await bot.http.request(path, json=body)
    again = await bot.http.request(path, json=body)
    assert first["id"] == again["id"]
    assert [m.content async for m in lobby.history()] == ["once"]


async def test_missed_messages_are_fetched_after_a_gap(sandbox: Sandbox) -> None:
    bot = await sandbox.bot()
    person, lobby = sandbox.person(), bot.channel("lobby")
    first = await person.say(lobby.id, "one")
    for word in ("two", "three"):
        await person.say(lobby.id, word)
    after = discord.Object(int(first["id"]))
    assert [m.content async for m in lobby.history(after=after)] == ["two", "three"]


async def test_everyone_in_an_answer_pings_nobody_when_mentions_are_off(sandbox: Sandbox) -> None:
    bot = await sandbox.bot(allowed_mentions=discord.AllowedMentions.none())
    ear = await sandbox.listening()
    you = discord.utils.get(bot.guilds[0].members, name="you")
    assert you is not None
    await bot.channel("lobby").send(f"@everyone look, {you.mention}")
    told = await ear.until("MESSAGE_CREATE")
    assert (told["mention_everyone"], told["mentions"]) == (False, [])


async def test_what_discord_would_refuse_is_refused_with_its_code(sandbox: Sandbox) -> None:
    bot = await sandbox.bot()
    lobby = bot.channel("lobby")
    with pytest.raises(discord.HTTPException) as long:
        await lobby.send("x" * 2001)
    assert (long.value.status, long.value.code) == (400, 50035)
    with pytest.raises(discord.HTTPException) as empty:
        await lobby.send("")
    assert empty.value.code == 50006
    with pytest.raises(discord.NotFound) as nowhere:
        await bot.fetch_channel(4)
    assert nowhere.value.code == 10003
    with pytest.raises(discord.NotFound) as nothing:
        await lobby.fetch_message(4)
    assert nothing.value.code == 10008
    too_large = discord.File(io.BytesIO(bytes(26 * 1024 * 1024)), "large.bin")
    with pytest.raises(discord.HTTPException) as large:
        await lobby.send(file=too_large)
    assert (large.value.status, large.value.code) == (413, 40005)


async def test_a_channel_closed_to_somebody_is_not_heard_by_them(sandbox: Sandbox) -> None:
    bot, guest = await sandbox.bot(), await sandbox.listening(GUEST)
    you = sandbox.person(YOU)
    lobby, board = bot.channel("lobby"), bot.channel("task-board")
    guest_id = guest.ready["user"]["id"]
    deny = [{"id": guest_id, "type": 1, "deny": str(1 << 10), "allow": "0"}]
    await you.ask("PATCH", f"/channels/{board.id}", json={"permission_overwrites": deny})
    await board.send("secret")
    await lobby.send("open")
    assert (await guest.until("MESSAGE_CREATE"))["content"] == "open"
    status, refused = await sandbox.person(GUEST).try_to("GET", f"/channels/{board.id}/messages")
    assert (status, refused["code"]) == (403, 50001)


async def test_all_bots_of_a_swarm_answer_one_message(sandbox: Sandbox) -> None:
    bots: tuple[Any, ...] = await asyncio.gather(
        sandbox.bot(bot=Echo()),
        sandbox.bot(ROOK, bot=Echo()),
        sandbox.bot(DEAF, bot=Echo(intents=UNPRIVILEGED)),
    )
    ear = await sandbox.listening()
    everybody = " ".join(b.user.mention for b in bots)
    await sandbox.person().say(bots[0].channel("lobby").id, f"{everybody} hello")
    authors: set[str] = set()
    while len(authors) < len(bots):
        told = await ear.until("MESSAGE_CREATE")
        if told["content"].startswith("echo"):
            authors.add(told["author"]["username"])
    assert authors == {"captain", "rook", "deaf"}
