"""One agent's Discord transport, by the names that the swarm uses.

On Discord a channel is its id; the record, the settings and people call it by name. Here, and
nowhere else, one becomes the other.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
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
from bots.messages import (
    DISCORD,
    THREAD,
    Delivery,
    Heard,
    Mark,
    Place,
    Target,
    TransportHealth,
)
from bots.state import StateFolder
from storage.acts import Permit
from storage.tables import AgentState


class GuildTransport:
    """As `DiscordTransport`, but channels are ``#lobby`` and ``#lobby / thread``."""

    def __init__(
        self, spec: AgentSpec, state: StateFolder, events: Events, log: FilteringBoundLogger
    ) -> None:
        self._agents = spec.discord_agents
        self._events = events
        #: what an agent is called by
        self._called = {
            name.lower(): a.name for a in spec.settings.agents for name in (a.name, a.nick)
        }
        #: channel or thread ↔ the one name that it has in the record
        self._names: dict[str, str] = {}
        self._keys: dict[str, str] = {}
        self.inner = DiscordTransport(
            discord_config(spec, state),
            on_heard=self._heard,
            on_change=self._changed,
            on_ready=lambda: events.began(DISCORD),
            on_interaction=events.interaction,
            on_places=self._look_around,
            named=lambda name: self._keys.get(name, "").removeprefix("channel:") or None,
            veto=events.veto,
            rng=random.Random(),
            log=log,
        )

    @property
    def network(self) -> str:
        return DISCORD

    @property
    def has_replies(self) -> bool:
        return True

    @property
    def knows_keys(self) -> bool:
        return True

    @property
    def health(self) -> TransportHealth:
        health = self.inner.health
        names = (self.name_of(key) for key in health.channels)
        return replace(health, channels=tuple(names))

    async def run(self) -> None:
        await self.inner.run()

    async def stop(self, farewell: str) -> None:
        await self.inner.stop(farewell)

    def hush(self) -> None:
        self.inner.hush()

    def show(self, state: AgentState) -> None:
        self.inner.show(state)

    def fold(self, name: str) -> str:
        return name.lower()

    def is_open(self, channel: str) -> bool:
        named = self.inner.places().get(self._keys.get(channel, ""))
        return named is not None and named.is_open

    def split(self, target: Target, text: str) -> list[str]:
        return self.parts(text)

    def parts(self, text: str) -> list[str]:
        """`text` as messages, none of which calls an agent because it was cut there."""
        return parts_to_nobody(text, self._calls)

    def _calls(self, part: str) -> bool:
        return bool(gate.addressees(part, self._called, by_agent=True).agents)

    async def say(
        self,
        target: Target,
        parts: Sequence[str],
        permit: Permit,
        *,
        keys: Sequence[str],
        answers: str | None = None,
    ) -> list[Delivery]:
        return await self.inner.say(target, parts, permit, keys=keys, answers=answers)

    async def mark(self, target: Target, message: str, mark: Mark, permit: Permit) -> None:
        await self.inner.mark(target, message, mark, permit)

    async def typing(self, target: Target, permit: Permit) -> None:
        await self.inner.typing(target, permit)

    async def open_thread(
        self, target: Target, message: str, name: str, permit: Permit
    ) -> Target | None:
        return await self.inner.open_thread(target, message, name, permit)

    async def fetch_missed(self, channel: str, after: str | datetime) -> None:
        await self.inner.fetch_missed(self._keys.get(channel, channel), after)

    def name_of(self, key: str) -> str:
        """``channel:123`` as people call it; a channel that we do not see keeps its id."""
        return self._names.get(key, key)

    def _heard(self, heard: Heard) -> None:
        where = heard.where
        if where.place is Place.CHANNEL:
            where = Target(DISCORD, Place.CHANNEL, self.name_of(where.key))
        # Our bots have names of their own on Discord; the swarm knows them as agents.
        sender = self._agents.get(heard.account or "", heard.sender)
        self._events.heard(replace(heard, where=where, sender=sender))

    def _changed(self, health: TransportHealth) -> None:
        self._events.changed(DISCORD, self.health)

    def _look_around(self) -> None:
        self._names = names_of(self.inner.places())
        self._keys = {name: key for key, name in self._names.items()}


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
