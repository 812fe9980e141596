"""The guild as discord.py manages it: channels, members, the bot itself."""

from __future__ import annotations

from typing import Any

import discord
import pytest

from bots.sandbox.pictures import _square
from tests.integration.sandbox.bot import Bot, Heard
from tests.integration.sandbox.stage import CAPTAIN_ID, DEAF, GUEST, ROOK, ROOK_ID, Sandbox


class Watcher(Bot):
    """Notes what happens to channels and members."""

    def __init__(self, intents: discord.Intents | None = None) -> None:
        super().__init__(intents=intents or discord.Intents.all())
        self.guild_news = Heard()

    async def on_guild_channel_create(self, channel: discord.abc.GuildChannel) -> None:
        await self.guild_news.add(("create", channel.name))

    async def on_guild_channel_update(
        self, before: discord.abc.GuildChannel, after: discord.TextChannel
    ) -> None:
        await self.guild_news.add(("update", after.name, after.topic))

    async def on_guild_channel_delete(self, channel: discord.abc.GuildChannel) -> None:
        await self.guild_news.add(("delete", channel.name))

    async def on_member_update(self, before: discord.Member, after: discord.Member) -> None:
        await self.guild_news.add(("member", after.id, after.nick))

    async def on_user_update(self, before: discord.User, after: discord.User) -> None:
        await self.guild_news.add(("user", after.id, after.avatar and after.avatar.key))


async def test_channels_are_made_changed_and_removed_and_everybody_learns_it(
    sandbox: Sandbox,
) -> None:
    bot, watcher = await sandbox.bot(), await sandbox.bot(ROOK, Watcher())
    assert isinstance(watcher, Watcher)
    guild = bot.guilds[0]
    category = await guild.create_category("research")
    made = await guild.create_text_channel("papers", category=category, topic="What to read")
    assert (made.category, made.topic) == (category, "What to read")
    await watcher.guild_news.first(lambda n: n == ("create", "papers"))
    await made.edit(topic="What was read")
    await watcher.guild_news.first(lambda n: n == ("update", "papers", "What was read"))
    await made.delete()
    await watcher.guild_news.first(lambda n: n == ("delete", "papers"))
    with pytest.raises(discord.NotFound) as gone:
        await made.send("anybody?")
    assert gone.value.code == 10003
    shown = {c["name"] for c in (await sandbox.listening(GUEST)).guild["channels"]}
    assert "research" in shown
    assert "papers" not in shown


async def test_a_private_channel_is_unknown_to_who_may_not_see_it(sandbox: Sandbox) -> None:
    bot, guest = await sandbox.bot(), await sandbox.listening(GUEST)
    guild = bot.guilds[0]
    you = discord.utils.get(guild.members, name="you")
    assert you is not None
    closed: dict[discord.Role | discord.Member | discord.Object, Any] = {
        guild.default_role: discord.PermissionOverwrite(view_channel=False),
        guild.me: discord.PermissionOverwrite(view_channel=True),
    }
    secret = await guild.create_text_channel("war-room", overwrites=closed)
    await secret.send("quiet")
    await guild.create_text_channel("open-house")
    assert (await guest.until("CHANNEL_CREATE"))["name"] == "open-house"
    assert secret.permissions_for(you).view_channel
    status, body = await sandbox.person(GUEST).try_to("GET", f"/channels/{secret.id}")
    assert (status, body["code"]) == (403, 50001)


async def test_members_are_fetched_chunked_and_searched(sandbox: Sandbox) -> None:
    few = discord.Intents.default()
    few.members = True
    # without presences GUILD_CREATE shows nobody else: the library asks by op 8
    bot = await sandbox.bot(intents=few)
    guild = bot.guilds[0]
    names = {"captain", "rook", "deaf", "you", "guest"}
    assert {m.name for m in guild.members} == names
    assert {m.name async for m in guild.fetch_members()} == names
    assert [m.name for m in await guild.query_members("ro")] == ["rook"]
    assert (await guild.fetch_member(ROOK_ID)).bot
    you = discord.utils.get(guild.members, name="you")
    assert you is not None
    assert [r.name for r in you.roles] == ["@everyone", "operators"]
    assert you.guild_permissions.administrator
    with pytest.raises(discord.NotFound) as nobody:
        await guild.fetch_member(4)
    assert nobody.value.code == 10007


async def test_the_bot_knows_itself_its_application_and_its_guild(sandbox: Sandbox) -> None:
    bot = await sandbox.bot()
    info = await bot.application_info()
    assert (info.id, info.name) == (CAPTAIN_ID, "captain")
    assert info.flags.gateway_message_content_limited
    guild = await bot.fetch_guild(sandbox.guild_id)
    assert guild.name == "parley"
    assert [g.name async for g in bot.fetch_guilds()] == ["parley"]
    assert (await bot.fetch_user(ROOK_ID)).name == "rook"
    assert "lobby" in {c.name for c in await bot.guilds[0].fetch_channels()}
    roles = [r.name for r in await bot.guilds[0].fetch_roles()]
    assert sorted(roles) == ["@everyone", "agents", "operators"]


async def test_an_avatar_is_set_shown_to_others_and_served(sandbox: Sandbox) -> None:
    bot, watcher = await sandbox.bot(), await sandbox.bot(ROOK, Watcher())
    assert isinstance(watcher, Watcher)
    assert bot.user is not None
    picture = _square(b"\x10\x20\x30")
    mine = await bot.user.edit(avatar=picture)
    assert mine.avatar is not None
    key = mine.avatar.key
    await watcher.guild_news.first(lambda n: n == ("user", CAPTAIN_ID, key))
    url = f"http://127.0.0.1:{sandbox.port}/avatars/{CAPTAIN_ID}/{key}.png?size=64"
    async with sandbox._http.get(url) as response:
        assert await response.read() == picture
        assert response.headers["Content-Type"] == "image/png"


async def test_a_bot_hears_of_its_own_nick_without_the_members_intent(sandbox: Sandbox) -> None:
    bot = await sandbox.bot(DEAF, Watcher(discord.Intents.default()))
    other = await sandbox.bot()
    assert isinstance(bot, Watcher)
    await other.guilds[0].me.edit(nick="chief")
    await bot.guilds[0].me.edit(nick="ear")
    news = await bot.guild_news.first()
    assert news == ("member", bot.guilds[0].me.id, "ear")
