"""The Discord transport of one agent: stays connected, hears, and says what has a permit."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from datetime import datetime

import discord
from structlog.typing import FilteringBoundLogger

from bots.clock import utc_now
from bots.discord import condition
from bots.discord.avatars import Avatar, Picture
from bots.discord.client import Events
from bots.discord.config import DiscordConfig
from bots.discord.directs import Directs
from bots.discord.hearing import Ears
from bots.discord.life import Life
from bots.discord.listening import Listening
from bots.discord.places import Named, Surroundings
from bots.discord.presence import Presence
from bots.discord.speech import Unsayable
from bots.discord.voice import Voice
from bots.messages import Heard, Target, TransportHealth
from storage.acts import Permit
from storage.tables import AgentState

__all__ = ["DiscordConfig", "DiscordTransport", "Named"]


class DiscordTransport(Voice):
    """`run` until `stop`; what it learns goes to the callbacks, which must not raise or wait.

    `on_ready` follows every READY that is not a RESUME: there may be a gap, see `fetch_missed`.
    `on_interaction` gets every interaction before anything else happens to it.
    """

    keeps_history = True

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
        self._directs = Directs()
        super().__init__(
            config,
            client=lambda: self._life.client,
            directs=self._directs,
            named=named,
            veto=veto,
            log=log,
        )
        self._config = config
        self._on_change = on_change
        self._on_ready = on_ready
        self._on_places = on_places
        self._log = log
        self._surroundings = Surroundings(config, lambda: self._life.client)
        self._listening = Listening(
            config,
            serves=self._serves,
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
        shown = config.identify_file.with_suffix(".avatar.json")
        avatar = Avatar(config.avatar, shown, clock)
        self._picture = Picture(avatar, lambda: self._life.client, log)
        self._connected = False
        self._trouble = ""
        #: which of several guilds is served, as it was last said
        self._choice = ""
        self._health = TransportHealth(connected=False)

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
            self._picture.close()
            await self._presence.close()
            await self._listening.close()
        self._trouble = ""
        self._changed()

    async def stop(self, farewell: str) -> None:
        """Leave; `run` returns soon after. Discord has no farewells: nobody hears it."""
        await self._life.stop()

    def show(self, state: AgentState) -> None:
        """Show how the agent is: online, idle or do not disturb."""
        self._presence.show(state)

    # --- hearing ----------------------------------------------------------------------------------

    async def fetch_missed(self, channel: str, after: str | datetime) -> None:
        """Hand over, oldest first and with `missed` set, what was said in ``channel:123`` (or to us
        by ``user:45``) after the message, or the moment, `after`; what cannot be had is logged.
        """
        client = self._life.client
        if client is not None:
            await self._listening.fetch_missed(client, self.guild, channel, after)

    def is_open(self, channel: str) -> bool:
        named = self.places().get(channel)
        return named is not None and named.is_open

    async def attachment(self, target: Target, message: str, name: str) -> str | None:
        """As `bots.transport.Transport.attachment`."""
        try:
            client, channel = await self._speech.channel(target)
        except Unsayable:
            return None
        return await self._listening.attachment(client, channel, message, name)

    # --- what happens -----------------------------------------------------------------------------

    def _know_ourselves(self, user: discord.ClientUser) -> None:
        agents = {str(user.id): self._config.agent} | dict(self._config.agents)
        self._listening.ears = Ears(self._config.network, str(user.id), agents, self._directs)

    def _ready(self) -> None:
        self._connected, self._trouble = True, ""
        self._look_around()
        self._presence.identified()
        self._picture.begin()
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

    def _serves(self, message: discord.Message) -> bool:
        """Whether it was said in our guild, and where in it is known: a line without a place would
        be another one than the same line with its place, and would be answered once more.
        """
        guild = message.guild
        if guild is None or guild != self._surroundings.guild:
            return False
        known = self._surroundings.knows(message.channel)
        if not known and isinstance(message.channel, discord.TextChannel | discord.Thread):
            # discord.py tells of a guild a moment after it has come: a line may be quicker.
            self._look_around()
        # As long as the guild has not come, we are not there yet: it is among what was missed.
        return self._surroundings.knows(message.channel) or not guild.unavailable

    def _look_around(self) -> None:
        if self._surroundings.look():
            self._on_places()
        before, self._choice = self._choice, self._surroundings.many()
        if self._choice not in ("", before):
            self._log.warning("discord_many_guilds", why=self._choice)
        self._changed()

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
