"""One person of the guild as this process holds them: model, gateway session, and open pages."""

from __future__ import annotations

import asyncio
import random
import secrets
import time
from collections import deque
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime

import aiohttp

from bots.console import growing, reducer, slash
from bots.console.config import GuildSpec, UserSpec
from bots.console.gateway import GatewaySession
from bots.console.interactions import OUTCOMES, Interactions
from bots.console.model import TYPING_S, Change, Channel, Guild, Payload, is_private
from bots.console.rest import Refused, Rest

_HISTORY = 50
_INDEX_FRESH_S = 5.0
#: changes kept for pages that come back
_KEPT_CHANGES = 2_000
#: forms that nobody has sent yet
_KEPT_FORMS = 32


@dataclass(frozen=True, slots=True)
class Link:
    """Whether the guild hears us, why not, and when it last did."""

    up: bool
    why: str = ""
    seen_at: str = ""


class Person:
    """Numbers every change; a page says which one it has seen and gets what came after."""

    def __init__(self, user: UserSpec, guild: GuildSpec, http: aiohttp.ClientSession) -> None:
        self.user = user
        self.guild = Guild(int(guild.id))
        self.rest = Rest(http, guild.api, user.token)
        self.link = Link(up=False, why="Connecting to the guild.")
        #: a process that begins anew counts anew: pages of the old one must reload
        self.epoch = secrets.token_hex(4)
        self.revision = 0
        #: page → the form that it is to show
        self.modals: dict[str, Payload] = {}
        #: forms that are open somewhere, by the interaction that they belong to
        self.forms: dict[str, Payload] = {}
        self._changes: deque[Change] = deque(maxlen=_KEPT_CHANGES)
        self._news = asyncio.Condition()
        self._gateway = GatewaySession(
            http,
            guild.gateway,
            user.token,
            on_event=self._heard,
            on_link=self._linked,
            rng=random.Random(),
        )
        self.interactions = Interactions(
            self.rest, session_id=lambda: self._gateway.id, nonce=self.nonce
        )
        self._index: tuple[slash.Command, ...] = ()
        self._index_at_s = -_INDEX_FRESH_S
        self._loading: dict[int, asyncio.Lock] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    # --- running --------------------------------------------------------------------------------

    def start(self) -> None:
        self._spawn(self._gateway.run())

    async def stop(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def arrived(self, patience_s: float) -> None:
        """Wait until the guild is there, at most so long."""
        with suppress(TimeoutError):
            async with asyncio.timeout(patience_s), self._news:
                await self._news.wait_for(lambda: bool(self.guild.me and self.guild.name))

    def nonce(self) -> str:
        return str(secrets.randbits(60))

    def _spawn(self, work: object) -> None:
        task: asyncio.Task[None] = asyncio.ensure_future(work)  # type: ignore[call-overload]
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    # --- what is heard ---------------------------------------------------------------------------

    def _heard(self, name: str, data: Payload) -> None:
        if name in OUTCOMES:
            page = self.interactions.heard(name, data)
            if page:
                self.modals[page] = self.forms[str(data["id"])] = data
                for kept in (self.modals, self.forms):
                    while len(kept) > _KEPT_FORMS:
                        del kept[next(iter(kept))]
                self.publish([Change("modal")])
            return
        now_s = time.monotonic()
        self.publish(reducer.apply(self.guild, name, data, now_s))
        if name == "GUILD_CREATE":
            self._spawn(self._settle())
        elif name == "GUILD_APPLICATION_COMMAND_INDEX_UPDATE":
            # Bots register their commands when they come: who was here before is told.
            self._index_at_s = -_INDEX_FRESH_S
            self._spawn(self._learn_commands())
        elif name in ("MESSAGE_CREATE", "MESSAGE_UPDATE") and growing.is_unfinished(data):
            self._watch_growing(int(data["channel_id"]), int(data["id"]))
        elif name == "TYPING_START":
            channel = int(data["channel_id"])
            asyncio.get_running_loop().call_later(
                TYPING_S + 0.1, self.publish, [Change("typing", channel)]
            )

    def _watch_growing(self, channel_id: int, message_id: int) -> None:
        """An answer that does not go on looks as if it grew, until somebody looks again."""

        def look_again() -> None:
            channel = self.guild.channels.get(channel_id)
            one = channel.messages.get(message_id) if channel else None
            if channel is None or one is None or not growing.is_unfinished(one):
                return
            if not growing.grows(channel, one, datetime.now(UTC)):
                changes = [Change("message", channel_id, message_id), Change("typing", channel_id)]
                self.publish(changes)

        asyncio.get_running_loop().call_later(growing.SILENT_S + 0.1, look_again)

    async def _learn_commands(self) -> None:
        """Whoever writes can be stopped from the page once the command for it is known."""
        with suppress(Refused):
            await self.commands()

    def _linked(self, up: bool, why: str) -> None:  # noqa: FBT001 - a callback
        seen_at = datetime.now(UTC).isoformat() if up or self.link.up else self.link.seen_at
        link = Link(up=up, why=why, seen_at=seen_at)
        if (link.up, link.why) != (self.link.up, self.link.why):
            self.link = link
            self.publish([Change("link")])

    async def _settle(self) -> None:
        """After a new beginning: the DMs, and what was said lately everywhere."""
        try:
            for payload in await self.rest.get("/users/@me/channels"):
                changes = reducer.apply(self.guild, "CHANNEL_CREATE", payload, time.monotonic())
                channel = self.guild.channels[int(payload["id"])]
                channel.read_id = channel.read_id or channel.last_message_id
                self.publish(changes)
            for channel in list(self.guild.channels.values()):
                if channel.last_message_id:
                    await self.load(channel)
            await self.commands()
        except Refused:
            # every page asks again for what it shows
            return
        self.publish([Change("channels")])

    # --- what pages are told ---------------------------------------------------------------------

    def publish(self, changes: Iterable[Change]) -> None:
        changes = list(changes)
        if not changes:
            return
        self._changes.extend(changes)
        self.revision += len(changes)
        self._spawn(self._wake())

    async def _wake(self) -> None:
        async with self._news:
            self._news.notify_all()

    async def after(self, revision: int) -> tuple[int, list[Change]] | None:
        """Wait for changes after `revision`: the new revision and each change once.

        None when they are not known any more.
        """
        async with self._news:
            await self._news.wait_for(lambda: self.revision > revision)
        count = self.revision - revision
        if revision < 0 or count > len(self._changes):
            return None
        recent = list(self._changes)[-count:]
        return self.revision, list(dict.fromkeys(recent))

    # --- what pages want -------------------------------------------------------------------------

    async def load(self, channel: Channel) -> None:
        """The latest messages of a channel, unless they are here. Raises `Refused`."""
        async with self._loading.setdefault(channel.id, asyncio.Lock()):
            if channel.loaded or channel.kind == 4:
                return
            path = f"/channels/{channel.id}/messages"
            found = await self.rest.get(path, limit=_HISTORY)
            reducer.learn(self.guild, channel, found)
            channel.complete = len(found) < _HISTORY
            channel.loaded = True

    async def older(self, channel: Channel, before: int) -> list[Payload]:
        """Up to 50 messages before this one, oldest first, kept in the model too."""
        known = [i for i in channel.messages if i < before]
        if len(known) < _HISTORY and not channel.complete:
            path = f"/channels/{channel.id}/messages"
            oldest = min([*known, before])
            found = await self.rest.get(path, limit=_HISTORY, before=oldest)
            reducer.learn(self.guild, channel, found)
            channel.complete = len(found) < _HISTORY
            known = [i for i in channel.messages if i < before]
        return [channel.messages[i] for i in known[-_HISTORY:]]

    def take_channel(self, payload: Payload) -> None:
        """A channel or thread that this person just opened: the gateway may tell it later."""
        if int(payload["id"]) not in self.guild.channels:
            event = "THREAD_CREATE" if "thread_metadata" in payload else "CHANNEL_CREATE"
            self.publish(reducer.apply(self.guild, event, payload, time.monotonic()))

    def forget(self, channel: Channel, message_id: int) -> None:
        """Show a private message no more."""
        message = channel.messages.get(message_id)
        if message is not None and is_private(message):
            del channel.messages[message_id]
            self.publish([Change("message", channel.id, message_id)])

    @property
    def known_commands(self) -> tuple[slash.Command, ...]:
        """The commands as far as they were asked for."""
        return self._index

    async def commands(self) -> tuple[slash.Command, ...]:
        """The guild's slash commands, a few seconds old at most. Raises `Refused`."""
        if time.monotonic() - self._index_at_s > _INDEX_FRESH_S:
            path = f"/guilds/{self.guild.id}/application-command-index"
            self._index = slash.read_index(await self.rest.get(path))
            self._index_at_s = time.monotonic()
        return self._index
