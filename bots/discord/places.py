"""The guild's channels as one bot sees them: which it may see, and what it lacks there."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import discord

from bots.discord import condition, links
from bots.discord.config import DiscordConfig
from bots.discord.readable import one_line
from bots.messages import THREAD


@dataclass(frozen=True)
class Named:
    """What a channel is called."""

    #: with its ``#``; of a thread, the channel that it hangs below
    channel: str
    #: name of the thread, empty for a channel
    thread: str = ""
    #: record key of the channel that a thread hangs below, empty for a channel
    parent: str = ""
    #: every member of the guild may read it
    is_open: bool = field(default=False, compare=False)

    @property
    def name(self) -> str:
        return f"{self.channel}{THREAD}{self.thread}" if self.thread else self.channel


class Surroundings:
    """Where a bot is: `look` again whenever the guild changed."""

    def __init__(self, config: DiscordConfig, client: Callable[[], discord.Client | None]) -> None:
        self._config = config
        self._client = client
        #: record key (``channel:123``) → what that channel or thread is called
        self.places: dict[str, Named] = {}
        #: the guild that was served at the last look, and who looked
        self._served: discord.Guild | None = None
        self._looked: discord.Client | None = None

    @property
    def guild(self) -> discord.Guild | None:
        """The guild that is served: the named one, else the one that it serves already, else the
        one that it joined first, so that no invitation leads it away. Asked with every message.
        """
        if self._served is None or self._looked is not self._client():
            # Nobody has looked since a guild, or another login, came.
            return self._chosen()
        return self._served

    def look(self) -> bool:
        """Whether the guild is another one, or any place in it came, went or got another name."""
        before, guild_before = self.places, self._served
        self._served = guild = self._chosen()
        self._looked = self._client()
        self.places = places_of(guild) if guild is not None else {}
        return before != self.places or guild is not guild_before

    def knows(self, channel: discord.abc.MessageableChannel) -> bool:
        """Whether it was among what was seen at the last look."""
        return _key(channel.id) in self.places

    def many(self) -> str:
        """Which guild is served where there is a choice, and how to choose; else empty."""
        guild, guilds = self.guild, sorted(self._guilds(), key=lambda g: g.id)
        named = [(g.id, one_line(g.name)) for g in guilds]
        return condition.many_guilds(named, one_line(guild.name) if guild else "")

    def missing(self) -> tuple[str, ...]:
        """Wanted names that no visible channel has."""
        return missing(self._config.wanted, self.places)

    def note(self, application_id: int | None) -> str:
        """What it cannot see or do, with the link that mends it; empty when all is well."""
        guild = self.guild
        outside = condition.outside(
            self.missing(), has_guild=guild is not None, application_id=application_id
        )
        lacking_here = lacking(guild, self._config.wanted) if guild is not None else ""
        return " ".join(part for part in (outside, lacking_here, self.many()) if part)

    def _chosen(self) -> discord.Guild | None:
        served = self._served.id if self._served is not None else 0
        return min(self._guilds(), key=lambda g: (g.id != served, *_joined(g)), default=None)

    def _guilds(self) -> list[discord.Guild]:
        client, wanted = self._client(), self._config.guild
        if client is None:
            return []
        return [g for g in client.guilds if not wanted or str(g.id) == wanted]


def _joined(guild: discord.Guild) -> tuple[float, int]:
    """When we came in, Unix seconds; as long as that is not known, last."""
    joined = guild.me.joined_at if guild.me is not None else None
    return (joined.timestamp() if joined is not None else math.inf, guild.id)


def places_of(guild: discord.Guild) -> dict[str, Named]:
    """Record key (``channel:123``) → name, for every text channel and thread that we may see."""
    found: dict[str, Named] = {}
    if guild.unavailable:
        return found
    visible = {c.id for c in guild.text_channels if _sees(c)}
    visible |= {f.id for f in guild.forums if _sees(f)}
    for channel in guild.text_channels:
        if channel.id in visible:
            found[_key(channel.id)] = Named(f"#{channel.name}", is_open=_is_open(channel))
    for thread in guild.threads:
        if thread.parent_id in visible and thread.parent is not None and not thread.archived:
            above = _key(thread.parent_id)
            is_open = not thread.is_private() and _is_open(thread.parent)
            name = f"#{thread.parent.name}"
            found[_key(thread.id)] = Named(name, thread.name, above, is_open)
    return found


def _is_open(channel: discord.abc.GuildChannel) -> bool:
    everybody: discord.Role | None = channel.guild.default_role
    if everybody is None:
        return False
    may = channel.permissions_for(everybody)
    kept_out = any(
        overwrite.view_channel is False or overwrite.read_message_history is False
        for whom, overwrite in channel.overwrites.items()
        if whom.id != everybody.id
    )
    return may.view_channel and may.read_message_history and not kept_out


def missing(wanted: Sequence[str], places: Mapping[str, Named]) -> tuple[str, ...]:
    """Wanted names that no visible channel has."""
    seen = {place.channel.lower() for place in places.values() if not place.thread}
    return tuple(name for name in wanted if name.lower() not in seen)


def lacking(guild: discord.Guild, wanted: Sequence[str]) -> str:
    """What we may not do in the wanted channels that we see, in one sentence; empty when all."""
    names = {name.lower() for name in wanted}
    here = [c for c in guild.text_channels if f"#{c.name}".lower() in names and _sees(c)]
    return lacks(here, guild.me)


def lacks(
    channels: Iterable[discord.TextChannel],
    member: discord.Member,
    *,
    besides: Collection[str] = (),
) -> str:
    """What `member` may not do in these channels that it sees, each with its link, in one sentence;
    empty when it may do all (`besides` what was said already).
    """
    troubles: list[str] = []
    for channel in channels:
        may = channel.permissions_for(member)
        needs = [n for n in links.lacking(may.value) if n != links.SEE and n not in besides]
        if needs:
            where = links.channel(channel.guild.id, channel.id)
            troubles.append(
                f"{', '.join(needs)} in #{channel.name} (Edit Channel, Permissions: {where})"
            )
    return f"It lacks the permission {'; '.join(troubles)}." if troubles else ""


def _sees(channel: discord.abc.GuildChannel) -> bool:
    me = channel.guild.me
    # Before our own membership has come nothing is known; a place too many does no harm.
    return me is None or channel.permissions_for(me).view_channel


def _key(channel: int) -> str:
    return f"channel:{channel}"
