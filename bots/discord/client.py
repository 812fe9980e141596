"""discord.py's client with small caches and a connection loop of our own.

discord.py ends when the first connection fails or when one event cannot be read, and counts no
IDENTIFYs; this loop goes on, resumes whenever there is something to resume, and keeps the budget.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import aiohttp
import discord
import yarl
from discord.gateway import DiscordWebSocket, ReconnectWebSocket
from discord.http import HTTPClient, Ratelimit, Route
from structlog.typing import FilteringBoundLogger

from bots.discord.config import DiscordConfig
from bots.discord.identify import IdentifyBudget
from bots.irc.backoff import delay_s

#: close codes after which another try ends the same way
#: (https://discord.com/developers/docs/topics/opcodes-and-status-codes#gateway)
FATAL_CODES = frozenset({4004, 4010, 4011, 4012, 4013, 4014})
#: what discord.py's parsers raise for an event that is not as they expect it
_UNREADABLE = (AttributeError, LookupError, TypeError, ValueError, AssertionError)
# There is no voice here, so nobody needs to hear that its libraries are missing.
discord.VoiceClient.warn_nacl = discord.VoiceClient.warn_dave = False
#: so many vain tries to resume, and a new session is asked for at the front door
_MOST_UNOPENED = 5
#: a long pause for the budget looks at the clock this often
_LOOK_EVERY_S = 60.0


def point_at(api_base: str, gateway: str = "") -> None:
    """Tell discord.py which server to use (empty: what it has): it keeps that in its classes, once
    for a process.
    """
    if api_base:
        Route.BASE = api_base.rstrip("/")
    if gateway:
        DiscordWebSocket.DEFAULT_GATEWAY = yarl.URL(gateway)


class _Bucket(Ratelimit):
    """discord.py gives up on every bucket whose window is longer than we wait, though requests are
    left in it: threads, for one, come in windows of minutes.
    """

    async def acquire(self) -> None:
        most_s = self._max_ratelimit_timeout
        if self.remaining > 0:
            # Nothing is waited for, so nobody else is here meanwhile.
            self._max_ratelimit_timeout = None
        try:
            await super().acquire()
        finally:
            self._max_ratelimit_timeout = most_s


class _Http(HTTPClient):
    def get_ratelimit(self, key: str) -> Ratelimit:
        known = self._buckets.get(key)
        if known is None:
            self._buckets[key] = known = _Bucket(self.max_ratelimit_timeout)
            self._try_clear_expired_ratelimits()
        return known


@dataclass(frozen=True, kw_only=True)
class Events:
    """What the transport wants to know of the connection; nothing here may raise or wait."""

    #: READY has come with its guilds (not after a RESUME)
    ready: Callable[[], None]
    resumed: Callable[[], None]
    #: the connection is gone, why, and when the next one is tried
    lost: Callable[[str, float], None]
    #: no IDENTIFY is left for so many seconds
    out_of_identifies: Callable[[float], None]
    message: Callable[[discord.Message], None]
    interaction: Callable[[discord.Interaction], None]
    #: channels, threads, roles or the guild itself changed
    places: Callable[[], None]


@dataclass
class _Resumption:
    session: str | None = None
    sequence: int | None = None
    gateway: yarl.URL | None = None


class SwarmClient(discord.Client):
    """One login: `start` until `close`; raises what makes no sense to try again."""

    def __init__(
        self,
        config: DiscordConfig,
        events: Events,
        budget: IdentifyBudget,
        *,
        clock: Callable[[], datetime],
        rng: random.Random,
        log: FilteringBoundLogger,
    ) -> None:
        super().__init__(
            intents=_intents(),
            max_messages=None,
            member_cache_flags=discord.MemberCacheFlags.none(),
            chunk_guilds_at_startup=False,
            allowed_mentions=discord.AllowedMentions.none(),
            heartbeat_timeout=config.heartbeat_timeout_s,
            guild_ready_timeout=config.guilds_s,
            max_ratelimit_timeout=30.0,
        )
        # discord.py makes it itself, and hands it on before anybody can give it another.
        self.http.__class__ = _Http
        self._config = config
        self._events = events
        self._budget = budget
        self._clock = clock
        self._rng = rng
        self._log = log
        self._failures = 0
        self._unopened = 0

    # --- the connection ---------------------------------------------------------------------------

    async def connect(self, *, reconnect: bool = True) -> None:
        """Stay connected until `close`; raises `discord.ConnectionClosed` for a fatal code."""
        asking = asyncio.create_task(self._ask_when_quiet())
        try:
            await self._stay_connected()
        finally:
            asking.cancel()
            await asyncio.wait({asking})

    async def _stay_connected(self) -> None:
        known = _Resumption()
        while not self.is_closed():
            began_s = time.monotonic()
            before = self.ws
            why = ""
            try:
                await self._open(known)
                while True:
                    await self._poll()
            except ReconnectWebSocket as error:
                why = "Discord closed the connection." if error.resume else "The session ended."
                self._learn(known, before, resumable=error.resume)
            except discord.ConnectionClosed as error:
                if error.code in FATAL_CODES:
                    raise
                why = f"Discord closed the connection (code {error.code})."
                self._learn(known, before)
            except _UNREADABLE as error:
                # Its number is known, so a RESUME goes on behind it.
                why = f"An event could not be read ({type(error).__name__})."
                self._log.warning("discord_unreadable", error=repr(error))
                self._learn(known, before)
                await self._abandon()
            except (OSError, aiohttp.ClientError, discord.DiscordException) as error:
                why = f"No connection to Discord ({type(error).__name__})."
                self._learn(known, before)
            if not self.is_closed():
                await self._pause(why, began_s, is_new=known.session is None)

    async def _open(self, known: _Resumption) -> None:
        if known.session is None:
            await self._wait_for_budget()
        async with asyncio.timeout(self._config.connect_s):
            self.ws = await DiscordWebSocket.from_client(
                self,
                initial=True,
                gateway=known.gateway,
                session=known.session,
                sequence=known.sequence,
                resume=known.session is not None,
            )

    async def _poll(self) -> None:
        """One event. discord.py would wait half a minute for a dead socket to say goodbye."""
        config = self._config
        async with asyncio.timeout(config.heartbeat_timeout_s + config.close_s):
            await self.ws.poll_event()

    async def _ask_when_quiet(self) -> None:
        """A heartbeat of our own after each silence: its acknowledgement tells a quiet guild from a
        dead socket. discord.py's own come at Discord's interval, so a timeout below that would end
        every connection where nobody talks.
        """
        every_s = self._config.heartbeat_timeout_s / 2
        while True:
            beating = self.ws._keep_alive if self.ws is not None else None  # noqa: SLF001
            quiet_s = 0.0
            if beating is not None:
                quiet_s = time.perf_counter() - beating._last_recv  # noqa: SLF001 - nowhere else
            if beating is not None and quiet_s >= every_s:
                quiet_s = 0.0
                # Who reads notices a socket that is gone.
                with suppress(OSError, aiohttp.ClientError, discord.DiscordException):
                    await self.ws.send_heartbeat(beating.beat())
            await asyncio.sleep(every_s - quiet_s)

    async def _abandon(self) -> None:
        """Close a socket that still works, without ending its session."""
        if self.ws is not None:
            with suppress(OSError, aiohttp.ClientError):
                async with asyncio.timeout(self._config.close_s):
                    await self.ws.close()

    def _learn(
        self, known: _Resumption, before: DiscordWebSocket, *, resumable: bool = True
    ) -> None:
        """What the next connection may resume."""
        self._unopened = self._unopened + 1 if self.ws is before else 0
        if not resumable or self._unopened >= _MOST_UNOPENED:
            # The host that a session is resumed at may be gone for good.
            known.session = known.sequence = known.gateway = None
        elif self.ws is not before:
            known.session, known.sequence = self.ws.session_id, self.ws.sequence
            known.gateway = self.ws.gateway

    async def _pause(self, why: str, began_s: float, *, is_new: bool) -> None:
        config = self._config
        held = time.monotonic() - began_s >= config.steady_s
        self._failures = 0 if held else self._failures + 1
        # A session that ends for the first time is taken up at once.
        wait_s = 0.0
        if self._failures > 1 or self.ws is None:
            wait_s = delay_s(
                self._failures - 1,
                first_s=config.reconnect_first_s,
                most_s=config.reconnect_most_s,
                rng=self._rng,
            )
        if is_new and self.ws is not None:
            wait_s = max(wait_s, self._rng.uniform(*config.reidentify_s))
        self._events.lost(why, wait_s)
        await asyncio.sleep(wait_s)

    async def _wait_for_budget(self) -> None:
        while (wait_s := self._budget.wait_s(self._clock())) > 0:
            self._events.out_of_identifies(wait_s)
            await asyncio.sleep(min(wait_s, _LOOK_EVERY_S))

    async def before_identify_hook(self, shard_id: int | None, *, initial: bool = False) -> None:
        """Called by discord.py right before an IDENTIFY leaves."""
        try:
            self._budget.spend(self._clock())
        except OSError as error:
            self._log.warning("discord_identify_uncounted", error=str(error))

    # --- events -----------------------------------------------------------------------------------

    async def on_ready(self) -> None:
        self._events.ready()

    async def on_resumed(self) -> None:
        self._events.resumed()

    async def on_message(self, message: discord.Message) -> None:
        self._events.message(message)

    async def on_interaction(self, interaction: discord.Interaction) -> None:
        self._events.interaction(interaction)

    async def _on_place(self, *_changed: object) -> None:
        self._events.places()

    on_guild_available = on_guild_unavailable = on_guild_update = _on_place
    on_guild_join = on_guild_remove = _on_place
    on_guild_channel_create = on_guild_channel_delete = on_guild_channel_update = _on_place
    on_guild_role_update = on_guild_role_delete = on_member_update = _on_place
    on_thread_create = on_thread_join = on_thread_remove = on_thread_update = _on_place
    on_raw_thread_delete = on_raw_thread_update = _on_place

    async def on_error(self, event_method: str, /, *args: Any, **kwargs: Any) -> None:
        """An event handler raised; discord.py calls this inside its `except`."""
        self._log.warning("discord_event_failed", method=event_method, exc_info=True)


def _intents() -> discord.Intents:
    """Message Content is privileged: without it a listener is deaf."""
    return discord.Intents(guilds=True, guild_messages=True, dm_messages=True, message_content=True)
