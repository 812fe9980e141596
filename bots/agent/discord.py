"""One agent's Discord transport, by the names that the swarm uses.

On Discord a channel is its id; the record, the settings and people call it by name. Here, and
nowhere else, one becomes the other.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime

from structlog.typing import FilteringBoundLogger

from bots.agent.networks import Events
from bots.agent.spec import AgentSpec
from bots.discord.config import DiscordConfig
from bots.discord.places import Named
from bots.discord.splitting import parts_to_nobody
from bots.discord.transport import DiscordTransport
from bots.hearing import gate
from bots.messages import DISCORD, THREAD, Heard, Place, Target, TransportHealth
from bots.state import StateFolder


class GuildTransport(DiscordTransport):
    """As `DiscordTransport`, but channels are ``#lobby`` and ``#lobby / thread``."""

    def __init__(
        self, spec: AgentSpec, state: StateFolder, events: Events, log: FilteringBoundLogger
    ) -> None:
        self._agents = spec.discord_agents
        self._hear = events.heard
        #: what an agent is called by
        self._called = {
            name.lower(): a.name for a in spec.settings.agents for name in (a.name, a.nick)
        }
        #: channel or thread ↔ the one name that it has in the record
        self._names: dict[str, str] = {}
        self._keys: dict[str, str] = {}
        #: the same by names in small letters
        self._keys_in_small: dict[str, str] = {}
        #: told when the guild, or a place in it, is another one
        self.on_moved: Callable[[], None] = _nobody_asks
        super().__init__(
            discord_config(spec, state),
            on_heard=self._heard,
            on_change=lambda health: events.changed(DISCORD, health),
            on_ready=lambda: events.began(DISCORD),
            on_interaction=events.interaction,
            on_places=self._name_places,
            named=lambda name: self._key_of(name).removeprefix("channel:") or None,
            veto=events.veto,
            rng=random.Random(),
            log=log,
        )

    def is_open(self, channel: str) -> bool:
        return super().is_open(self._key_of(channel))

    def split(self, target: Target, text: str) -> list[str]:
        return self.parts(text)

    def parts(self, text: str) -> list[str]:
        """`text` as messages, none of which calls an agent because it was cut there."""
        return parts_to_nobody(text, self._calls)

    async def fetch_missed(self, channel: str, after: str | datetime) -> None:
        await super().fetch_missed(self._key_of(channel) or channel, after)

    def name_of(self, key: str) -> str:
        """``channel:123`` as people call it; a channel that we do not see keeps its id."""
        return self._names.get(key, key)

    def _key_of(self, name: str) -> str:
        """``channel:123`` of what is called so, empty for nothing; settings may write with capitals
        what Discord writes in small letters.
        """
        return self._keys.get(name) or self._keys_in_small.get(name.lower(), "")

    def _calls(self, part: str) -> bool:
        return bool(gate.addressees(part, self._called, by_agent=True).agents)

    def _heard(self, heard: Heard) -> None:
        where = heard.where
        if where.place is Place.CHANNEL:
            where = Target(DISCORD, Place.CHANNEL, self.name_of(where.key))
        # Our bots have names of their own on Discord; the swarm knows them as agents.
        sender = self._agents.get(heard.account or "", heard.sender)
        self._hear(replace(heard, where=where, sender=sender))

    def _health_now(self) -> TransportHealth:
        health = super()._health_now()
        return replace(health, channels=tuple(self.name_of(key) for key in health.channels))

    def _name_places(self) -> None:
        self._names = names_of(self.places())
        self._keys = {name: key for key, name in self._names.items()}
        # The oldest comes first in it, and keeps its name here too.
        newest_first = reversed(self._keys.items())
        self._keys_in_small = {name.lower(): key for name, key in newest_first}
        self.on_moved()


def _nobody_asks() -> None:
    return None


def names_of(places: Mapping[str, Named]) -> dict[str, str]:
    """Each place's name in the record, no two alike: on Discord several threads, and channels, may
    be called the same. The oldest keeps the plain name, so that no newer one gets its answers.
    """
    names: dict[str, str] = {}
    taken: set[str] = set()
    for key in sorted(places, key=_age):
        named = places[key]
        name = named.channel
        if named.thread:
            name = f"{names.get(named.parent, named.channel)}{THREAD}{named.thread}"
        while name in taken:
            name = f"{name} ({key.removeprefix('channel:')})"
        names[key] = name
        taken.add(name)
    return names


def _age(key: str) -> int:
    """Snowflakes grow with time."""
    return int(key.removeprefix("channel:"))


def discord_config(spec: AgentSpec, state: StateFolder) -> DiscordConfig:
    """What the Discord transport needs to know, from the spec."""
    assert spec.discord_token is not None
    settings = spec.settings
    avatar = spec.prompts_folder / "avatars" / f"{spec.agent.soul or spec.name}.png"
    return DiscordConfig(
        agent=spec.name,
        network=DISCORD,
        token=spec.discord_token,
        api_base=spec.discord_api,
        gateway=spec.discord_gateway,
        guild=spec.discord_guild,
        wanted=settings.channels_of(spec.agent),
        agents=spec.discord_agents,
        identify_file=state.identifies_of(spec.name),
        avatar=avatar if avatar.is_file() else None,
        attachments_bytes=settings.discord.attachment_bytes,
    )
