"""Carries out the steps of a layout by REST, as one bot. An operator's errand: no agent runs."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any, Final

import discord
from discord.http import HTTPClient

from bots.discord import links
from bots.discord.client import point_at
from bots.discord.layout import (
    CATEGORY,
    TEXT,
    CreateCategory,
    CreateChannel,
    Move,
    Present,
    SetTopic,
    Step,
)
from bots.discord.refusals import FAILURES, STRANGE, sentence
from bots.discord.requests import Requests

#: Discord lets a bot make a channel now and then wait for the better part of a minute
_STEP_S: Final = 120.0
_LOGIN_S: Final = 10.0
_REASON: Final = "run.py guild apply"
_LACKS: Final = frozenset({50001, 50013})


class LayoutRefused(Exception):
    """Discord does not let us; the text says what is missing and the link that grants it."""


class Guild:
    """One guild, as one bot may change it."""

    def __init__(self, client: discord.Client, guild_id: str, bot: str) -> None:
        self._http: HTTPClient = client.http
        self._application = client.application_id
        self._id = guild_id
        self._bot = bot
        self._requests = Requests(most_s=_STEP_S)
        self._categories: dict[str, str] = {}

    async def present(self) -> list[Present]:
        """Its channels and categories; raises `LayoutRefused`."""
        try:
            found = await self._requests.once(lambda: self._http.get_all_guild_channels(self._id))
            channels = [Present.of(dict(one)) for one in found]
        except (*FAILURES, *STRANGE) as error:
            raise LayoutRefused(self._why(error)) from error
        ordered = sorted(channels, key=lambda c: (c.position, c.id), reverse=True)
        self._categories = {c.name.casefold(): c.id for c in ordered if c.kind == CATEGORY}
        return channels

    async def carry_out(self, step: Step) -> None:
        """One step, after `present`; raises `LayoutRefused`."""
        try:
            await self._requests.once(lambda: self._ask(step))
        except (*FAILURES, *STRANGE) as error:
            raise LayoutRefused(f"Could not {step}. {self._why(error)}") from error

    async def _ask(self, step: Step) -> None:
        match step:
            case CreateCategory(name):
                made = await self._create(CATEGORY, name=name)
                self._categories[name.casefold()] = str(made["id"])
            case CreateChannel(name, topic, category):
                await self._create(
                    TEXT, name=name, topic=topic or None, parent_id=self._below(category)
                )
            case Move(channel, _, category):
                await self._change(channel, parent_id=self._below(category))
            case SetTopic(channel, _, topic):
                await self._change(channel, topic=topic)

    async def _create(self, kind: int, **fields: Any) -> dict[str, Any]:
        wanted: Any = kind
        made = await self._http.create_channel(self._id, wanted, reason=_REASON, **fields)
        return dict(made)

    async def _change(self, channel: str, **fields: Any) -> None:
        await self._http.edit_channel(int(channel), reason=_REASON, **fields)

    def _below(self, category: str) -> str | None:
        return self._categories[category.casefold()] if category else None

    def _why(self, error: BaseException) -> str:
        if isinstance(error, discord.HTTPException) and error.code in _LACKS:
            link = links.invitation(self._application or "", manage_channels=True)
            return (
                f"{self._bot}'s bot lacks the permission Manage Channels (or View Channels) in "
                f"this guild; grant it: {link}"
            )
        return f"{sentence(error)[:1].upper()}{sentence(error)[1:]}."


@asynccontextmanager
async def entered(token: str, *, guild: str, api: str, bot: str) -> AsyncIterator[Guild]:
    """The guild with this id (empty: the only one that the bot is in), by `bot`'s token.

    `api` is the REST root, empty for Discord's own. Raises `LayoutRefused`.
    """
    point_at(api)
    client = discord.Client(intents=discord.Intents.none())
    try:
        try:
            async with asyncio.timeout(_LOGIN_S):
                await client.login(token)
                found = [str(g.id) async for g in client.fetch_guilds(limit=200)]
        except discord.LoginFailure:
            raise LayoutRefused(f"Discord does not accept the token of {bot}'s bot.") from None
        except (*FAILURES, *STRANGE) as error:
            raise LayoutRefused(f"Discord cannot be asked: {sentence(error)}.") from error
        yield Guild(client, _chosen(found, guild, client, bot), bot)
    finally:
        if client.http.token is not None:
            await client.close()


def _chosen(found: Sequence[str], wanted: str, client: discord.Client, bot: str) -> str:
    if wanted and wanted in found:
        return wanted
    if not found or wanted:
        link = links.invitation(client.application_id or "", manage_channels=True)
        raise LayoutRefused(f"{bot}'s bot is not in the guild; invite it: {link}")
    if len(found) > 1:
        raise LayoutRefused(
            f"{bot}'s bot is in {len(found)} guilds; name one of them in swarm.toml: "
            f"discord.guild = {links.one_of(found)}"
        )
    return found[0]
