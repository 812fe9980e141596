"""The real discord.py as a bot that notes what it hears, so that tests can wait for it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import discord

PATIENCE_S = 8.0


class Heard:
    """Things that happen, to wait for."""

    def __init__(self) -> None:
        self.all: list[Any] = []
        self._news = asyncio.Condition()

    async def add(self, thing: Any) -> None:
        async with self._news:
            self.all.append(thing)
            self._news.notify_all()

    async def first(self, wanted: Callable[[Any], bool] = lambda _: True) -> Any:
        """The first thing that fits, heard already or soon."""
        async with asyncio.timeout(PATIENCE_S), self._news:
            while True:
                for thing in self.all:
                    if wanted(thing):
                        return thing
                await self._news.wait()

    async def count(self, number: int) -> list[Any]:
        """Everything, as soon as there are `number` things."""
        async with asyncio.timeout(PATIENCE_S), self._news:
            await self._news.wait_for(lambda: len(self.all) >= number)
            return list(self.all)


class Bot(discord.Client):
    """The real client, that notes what it hears."""

    def __init__(self, **options: Any) -> None:
        settings: dict[str, Any] = {"intents": discord.Intents.all(), "guild_ready_timeout": 0.05}
        super().__init__(**(settings | options))
        self.messages, self.resumes, self.edits = Heard(), Heard(), Heard()
        self.reactions, self.typings, self.presences = Heard(), Heard(), Heard()
        self.disconnects, self.sockets, self.deleted = Heard(), Heard(), Heard()
        self.threads, self.interactions = Heard(), Heard()

    async def before_identify_hook(self, shard_id: int | None, *, initial: bool = False) -> None:
        """Discord wants five seconds before the next IDENTIFY; tests need not wait for that."""

    async def on_connect(self) -> None:
        await self.sockets.add("identified")

    async def on_disconnect(self) -> None:
        await self.disconnects.add("gone")

    async def on_resumed(self) -> None:
        await self.resumes.add("resumed")

    async def on_message(self, message: discord.Message) -> None:
        await self.messages.add(message)

    async def on_raw_message_edit(self, edit: discord.RawMessageUpdateEvent) -> None:
        await self.edits.add(edit)

    async def on_raw_message_delete(self, gone: discord.RawMessageDeleteEvent) -> None:
        await self.deleted.add(gone)

    async def on_raw_reaction_add(self, reaction: discord.RawReactionActionEvent) -> None:
        await self.reactions.add(reaction)

    async def on_typing(self, channel: Any, user: Any, when: Any) -> None:
        await self.typings.add((channel, user))

    async def on_presence_update(self, before: discord.Member, after: discord.Member) -> None:
        await self.presences.add((after.name, str(after.status)))

    async def on_thread_create(self, thread: discord.Thread) -> None:
        await self.threads.add(thread)

    async def on_interaction(self, interaction: discord.Interaction) -> None:
        await self.interactions.add(interaction)

    def channel(self, name: str) -> discord.TextChannel:
        found = discord.utils.get(self.get_all_channels(), name=name)
        assert isinstance(found, discord.TextChannel)
        return found
