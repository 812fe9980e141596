"""A look at one bot without connecting it: token, intents, guild and permissions. For `doctor`."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass

import discord

from bots.discord import condition, links
from bots.discord.client import point_at
from bots.discord.config import DiscordConfig
from bots.discord.refusals import FAILURES, sentence

_MOST_S = 10.0


@dataclass(frozen=True)
class Checkup:
    """What was found; all is well when there are no `troubles`."""

    #: the bot's name on Discord, empty when its token is refused
    name: str
    application_id: int | None
    #: each a sentence with the link that mends it
    troubles: tuple[str, ...]


async def check(config: DiscordConfig) -> Checkup:
    """Three or four REST requests and no IDENTIFY; never raises for what Discord says."""
    point_at(config)
    client = discord.Client(intents=discord.Intents.none())
    try:
        async with asyncio.timeout(_MOST_S):
            await client.login(config.token.get_secret_value())
            troubles = tuple(await _troubles(client, config))
    except discord.LoginFailure:
        return Checkup("", None, (condition.wrong_token(config.agent),))
    except FAILURES as error:
        return Checkup("", None, (f"Discord cannot be asked: {sentence(error)}.",))
    finally:
        if client.http.token is not None:
            await client.close()
    return Checkup(client.user.name if client.user else "", client.application_id, troubles)


async def _troubles(client: discord.Client, config: DiscordConfig) -> list[str]:
    application = client.application_id
    flags = client.application_flags
    found: list[str] = []
    if not (flags.gateway_message_content or flags.gateway_message_content_limited):
        code = condition.INTENTS_REFUSED
        found.append(condition.closed_for_good(code, config.agent, application))
    guilds = [guild.id async for guild in client.fetch_guilds(limit=200)]
    wanted = [g for g in guilds if not config.guild or str(g) == config.guild]
    if not wanted:
        found.append(condition.outside((), has_guild=False, application_id=application))
    for guild in wanted:
        found.extend(await _lacking(client, guild))
    return found


async def _lacking(client: discord.Client, guild_id: int) -> Iterator[str]:
    assert client.user is not None
    guild = await client.fetch_guild(guild_id, with_counts=False)
    member = await guild.fetch_member(client.user.id)
    held = member.guild_permissions
    lacks = [
        name
        for name, bit in links.PERMISSIONS.items()
        if not (held.value & bit or held.administrator)
    ]
    if not lacks:
        return iter(())
    link = links.invitation(client.application_id or "")
    return iter((f"In {guild.name} it lacks {', '.join(lacks)}; give it at {link}",))
