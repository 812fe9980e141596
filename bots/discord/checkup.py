"""A look at one bot without connecting it: token, intents, guild and permissions. For `doctor`."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Sequence
from dataclasses import dataclass

import discord

from bots.discord import condition, links, places
from bots.discord.client import point_at
from bots.discord.config import DiscordConfig
from bots.discord.readable import one_line
from bots.discord.refusals import FAILURES, STRANGE, sentence

_MOST_S = 10.0


@dataclass(frozen=True)
class Checkup:
    """What was found; all is well when there are no `troubles`."""

    #: the bot's name on Discord, empty when its token is refused
    name: str
    #: its application's name, empty likewise
    application: str
    application_id: int | None
    #: each a sentence with the link that mends it
    troubles: tuple[str, ...]


async def check(config: DiscordConfig) -> Checkup:
    """Up to six REST requests and no IDENTIFY; never raises for what Discord says."""
    point_at(config.api_base, config.gateway)
    client = discord.Client(intents=discord.Intents.none())
    try:
        async with asyncio.timeout(_MOST_S):
            await client.login(config.token.get_secret_value())
            troubles = tuple(await _troubles(client, config))
    except discord.LoginFailure:
        return Checkup("", "", None, (condition.wrong_token(config.agent),))
    except (*FAILURES, *STRANGE) as error:
        return Checkup("", "", None, (f"Discord cannot be asked: {sentence(error)}.",))
    finally:
        if client.http.token is not None:
            await client.close()
    bot, application = client.user, client.application
    return Checkup(
        bot.name if bot else "",
        application.name if application else "",
        client.application_id,
        troubles,
    )


async def _troubles(client: discord.Client, config: DiscordConfig) -> list[str]:
    application = client.application_id
    flags = client.application_flags
    found: list[str] = []
    if not (flags.gateway_message_content or flags.gateway_message_content_limited):
        code = condition.INTENTS_REFUSED
        found.append(condition.closed_for_good(code, config.agent, application))
    guilds = [(guild.id, one_line(guild.name)) async for guild in client.fetch_guilds(limit=200)]
    wanted = [g for g in guilds if not config.guild or str(g[0]) == config.guild]
    if not wanted:
        found.append(condition.outside((), has_guild=False, application_id=application))
    elif len(wanted) > 1:
        # What the others lack is nobody's trouble.
        found.append(condition.many_guilds(wanted, "the one that it joined first"))
    else:
        found.extend(await _in_guild(client, wanted[0][0], config.wanted))
    return found


async def _in_guild(client: discord.Client, guild_id: int, wanted: Sequence[str]) -> list[str]:
    assert client.user is not None
    guild = await client.fetch_guild(guild_id, with_counts=False)
    member = await guild.fetch_member(client.user.id)
    held = member.guild_permissions
    lacks = [] if held.administrator else links.lacking(held.value)
    found = await _in_channels(guild, member, wanted, client.application_id, besides=lacks)
    if lacks:
        link = links.invitation(client.application_id or "")
        found.insert(0, f"In {guild.name} it lacks {', '.join(lacks)}; give it at {link}")
    return found


async def _in_channels(
    guild: discord.Guild,
    member: discord.Member,
    wanted: Sequence[str],
    application: int | None,
    *,
    besides: Collection[str],
) -> list[str]:
    """What is wrong with the channels where it should be, `besides` what the whole guild denies."""
    channels = [c for c in await guild.fetch_channels() if isinstance(c, discord.TextChannel)]
    known = {f"#{c.name}".lower(): c for c in channels}
    absent = [name for name in wanted if name.lower() not in known]
    here = [known[name.lower()] for name in wanted if name.lower() in known]
    hidden = [f"#{c.name}" for c in here if not c.permissions_for(member).view_channel]
    found: list[str] = []
    if absent:
        found.append(f"There is no {', '.join(absent)} in {guild.name}: python3 run.py guild apply")
    if hidden and links.SEE not in besides:
        found.append(condition.outside(hidden, has_guild=True, application_id=application))
    seen = [c for c in here if f"#{c.name}" not in hidden]
    if why := places.lacks(seen, member, besides=besides):
        found.append(why)
    return found
