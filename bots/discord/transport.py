"""The Discord transport of one agent: stays connected, hears, and says what has a permit."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

import discord
from structlog.typing import FilteringBoundLogger

from bots.clock import utc_now
from bots.discord import condition
from bots.discord.avatars import Avatar
from bots.discord.client import Events
from bots.discord.config import DiscordConfig
from bots.discord.courtesies import Courtesies
from bots.discord.directs import Directs
from bots.discord.hearing import Ears
from bots.discord.life import Life
from bots.discord.listening import Listening
from bots.discord.places import Named, Surroundings
from bots.discord.presence import Presence
from bots.discord.speech import Speech, Unsayable
from bots.discord.splitting import split_message
from bots.discord.streaming import Draft
from bots.discord.threads import Threads
from bots.messages import Delivery, Heard, Mark, Target, TransportHealth
from bots.transport import PartBegun
from storage.acts import Permit
from storage.tables import AgentState

#: Discord takes two pictures within ten minutes
_PICTURE_AGAIN_S = 660.0

__all__ = ["DiscordConfig", "DiscordTransport", "Named"]


class DiscordTransport:
    """`run` until `stop`; what it learns goes to the callbacks, which must not raise or wait.

    `on_ready` follows every READY that is not a RESUME: there may be a gap, see `fetch_missed`.
    `on_interaction` gets every interaction before anything else happens to it.
    """

    def __init__(
        self,
        config: DiscordConfig,
        *,
        on_heard: Callable[[Heard], None],
        on_change: Callable[[TransportHealth], None],
        on_ready: Callable[[], None],
        on_interaction: Callable[[discord.Interaction], None],
        on_places: Callable[[], None],
        named: Callable[[str], str | None] = lambda _: None,
        rng: random.Random,
        log: FilteringBoundLogger,
        veto: Callable[[Permit], str],
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        """`veto` is asked before every single part: why it may not be sent, empty when it may.
        `named` finds the id of a channel that a target calls by name.
        """
        self._config = config
        self._on_change = on_change
        self._on_ready = on_ready
        self._on_places = on_places
        self._log = log
        self._directs = Directs()
        self._surroundings = Surroundings(config, lambda: self._life.client)
        self._listening = Listening(
            config,
            serves=lambda guild: guild == self._surroundings.guild,
            on_heard=on_heard,
            directs=self._directs,
            clock=clock,
            log=log,
        )
        events = Events(
            ready=self._ready,
            resumed=self._resumed,
            lost=self._lost,
            out_of_identifies=self._out_of_identifies,
            message=self._listening.message,
            interaction=on_interaction,
            places=self._look_around,
        )
        self._presence = Presence(lambda: self._life.client, log)
        self._life = Life(
            config,
            events,
            before_login=self._presence.dress,
            after_login=self._know_ourselves,
            clock=clock,
            rng=rng,
            log=log,
        )
        self._avatar = Avatar(
            config.avatar, config.identify_file.with_suffix(".avatar.json"), clock
        )
        self._speech = Speech(
            config,
            client=lambda: self._life.client,
            directs=self._directs,
            named=named,
            veto=veto,
        )
        self._courtesies = Courtesies(self._speech, log)
        self._threads = Threads(self._speech, log)
        self._connected = False
        self._trouble = ""
        #: which of several guilds is served, as it was last said
        self._choice = ""
        self._health = TransportHealth(connected=False)
        #: sees to the picture
        self._dressing: asyncio.Task[None] | None = None

    # --- what it is -------------------------------------------------------------------------------

    @property
    def network(self) -> str:
        return self._config.network

    @property
    def health(self) -> TransportHealth:
        return self._health

    @property
    def application_id(self) -> int | None:
        """Id of the bot's application, None before the first login."""
        return self._life.application_id

    @property
    def client(self) -> discord.Client | None:
        """discord.py's client, for slash commands and cards; None while nobody is logged in."""
        return self._life.client

    @property
    def speech(self) -> Speech:
        """Its mouth: whatever else says something under a permit leaves by it, so that a kill
        meets it as well.
        """
        return self._speech

    @property
    def guild(self) -> discord.Guild | None:
        """The guild that it serves; None until it is known."""
        return self._surroundings.guild

    def places(self) -> Mapping[str, Named]:
        """Record key (``channel:123``) → what that channel or thread is called."""
        return self._surroundings.places

    # --- its life ---------------------------------------------------------------------------------

    async def run(self) -> None:
        """Log in and stay connected until `stop`, or until it makes no sense any more."""
        try:
            await self._life.run()
        finally:
            self._connected = False
            if self._dressing is not None:
                self._dressing.cancel()
            await self._presence.close()
            await self._listening.close()
        self._trouble = ""
        self._changed()

    async def stop(self, farewell: str) -> None:
        """Leave; `run` returns soon after. Discord has no farewells: nobody hears it."""
        await self._life.stop()

    def hush(self) -> None:
        """A kill came: take back what has not left yet."""
        self._speech.hush()

    def show(self, state: AgentState) -> None:
        """Show how the agent is: online, idle or do not disturb."""
        self._presence.show(state)

    # --- hearing and speaking ---------------------------------------------------------------------

    async def fetch_missed(self, channel: str, after: str | datetime) -> None:
        """Hand over, oldest first and with `missed` set, what was said in ``channel:123`` (or to us
        by ``user:45``) after the message, or the moment, `after`; what cannot be had is logged.
        """
        client = self._life.client
        if client is not None:
            await self._listening.fetch_missed(client, self.guild, channel, after)

    @property
    def has_replies(self) -> bool:
        return True

    @property
    def keeps_history(self) -> bool:
        return True

    @property
    def can_edit(self) -> bool:
        return True

    @property
    def knows_keys(self) -> bool:
        return True

    def is_open(self, channel: str) -> bool:
        named = self.places().get(channel)
        return named is not None and named.is_open

    def split(self, target: Target, text: str) -> list[str]:
        """Parts of at most 2,000 characters, code blocks kept whole or opened again."""
        return split_message(text)

    async def say(
        self,
        target: Target,
        parts: Sequence[str],
        permit: Permit,
        *,
        keys: Sequence[str],
        answers: str | None = None,
    ) -> list[Delivery]:
        """As `bots.transport.Transport.say`; the proof is ``id:<message id>``."""
        return await self._speech.say(target, parts, permit, keys=keys, answers=answers)

    async def send_file(
        self,
        target: Target,
        name: str,
        data: bytes,
        permit: Permit,
        *,
        key: str,
        text: str = "",
        answers: str | None = None,
    ) -> Delivery:
        """Attach a file, size-capped; permit (verb ``send``) and refusals as in `say`."""
        return await self._speech.send_file(
            target, name, data, permit, key=key, text=text, answers=answers
        )

    def draft(
        self, target: Target, permit: Permit, *, begun: PartBegun, answers: str | None = None
    ) -> Draft:
        """As `bots.transport.Transport.draft`."""
        return self._speech.draft(
            target,
            permit,
            begun=begun,
            split=lambda text: self.split(target, text),
            answers=answers,
        )

    async def mark(self, target: Target, message: str, mark: Mark, permit: Permit) -> None:
        """As `bots.transport.Transport.mark`; 👀 goes when ✅ or ❌ comes."""
        await self._courtesies.mark(target, message, mark, permit)

    async def react(self, target: Target, message: str, emoji: str, permit: Permit) -> bool:
        """As `bots.transport.Transport.react`."""
        return await self._courtesies.react(target, message, emoji, permit)

    async def attachment(self, target: Target, message: str, name: str) -> str | None:
        """As `bots.transport.Transport.attachment`."""
        try:
            client, channel = await self._speech.channel(target)
        except Unsayable:
            return None
        return await self._listening.attachment(client, channel, message, name)

    async def typing(self, target: Target, permit: Permit) -> None:
        """As `bots.transport.Transport.typing`; it shows for ten seconds."""
        await self._courtesies.typing(target, permit)

    async def open_thread(
        self, target: Target, message: str, name: str, permit: Permit
    ) -> Target | None:
        """The thread below `message`, see `Threads.open` (verb ``thread``)."""
        return await self._threads.open(target, message, name, permit)

    # --- what happens -----------------------------------------------------------------------------

    def _know_ourselves(self, user: discord.ClientUser) -> None:
        agents = {str(user.id): self._config.agent} | dict(self._config.agents)
        self._listening.ears = Ears(self._config.network, str(user.id), agents, self._directs)

    def _ready(self) -> None:
        self._connected, self._trouble = True, ""
        self._look_around()
        self._presence.identified()
        if self._dressing is not None:
            self._dressing.cancel()
        self._dressing = asyncio.get_running_loop().create_task(self._show_avatar())
        self._on_ready()

    def _resumed(self) -> None:
        self._connected, self._trouble = True, ""
        self._presence.resumed()
        self._changed()

    def _lost(self, why: str, wait_s: float) -> None:
        self._connected = False
        self._listening.lost()
        self._trouble = f"{why} Trying again in {wait_s:.1f} s."
        self._log.warning("discord_disconnected", why=why, again_in_s=round(wait_s, 1))
        self._changed()

    def _out_of_identifies(self, wait_s: float) -> None:
        self._trouble = condition.out_of_identifies(
            self._config.identifies_a_day - self._config.identifies_kept, wait_s
        )
        self._log.warning("discord_out_of_identifies", wait_s=round(wait_s))
        self._changed()

    def _look_around(self) -> None:
        if self._surroundings.look():
            self._on_places()
        before, self._choice = self._choice, self._surroundings.many()
        if self._choice not in ("", before):
            self._log.warning("discord_many_guilds", why=self._choice)
        self._changed()

    async def _show_avatar(self) -> None:
        """A bot without its picture is as well as one with it: it is tried again, and logged."""
        while (client := self._life.client) is not None:
            missing = await self._avatar.show(client)
            if missing is None:
                return
            if missing.waits:
                self._log.info("discord_picture_waits", why=missing.why)
            else:
                self._log.warning("discord_picture_missing", why=missing.why)
            await asyncio.sleep(_PICTURE_AGAIN_S)

    def _changed(self) -> None:
        health = self._health_now()
        if health != self._health:
            self._health = health
            self._on_change(health)

    def _health_now(self) -> TransportHealth:
        client, fatal = self._life.client, self._life.fatal
        if not self._connected or client is None or client.user is None:
            note = "" if fatal else self._trouble
            return TransportHealth(connected=False, fatal=fatal, note=note)
        return TransportHealth(
            connected=True,
            nick=client.user.name,
            channels=tuple(self._surroundings.places),
            note=self._surroundings.note(self.application_id),
            missing=self._surroundings.missing(),
        )
