"""The guild's channels as one bot sees them: which it may see, and what it lacks there."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import discord

from bots.discord import condition
from bots.discord.config import DiscordConfig
from bots.messages import THREAD

#: permission's name in discord.py → as Discord's settings call it
_NEEDED = {
    "send_messages": "Send Messages",
    "read_message_history": "Read Message History",
    "add_reactions": "Add Reactions",
    "attach_files": "Attach Files",
}


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

    def guilds(self) -> list[discord.Guild]:
        """The guild that is served, or all that the bot is in."""
        client, wanted = self._client(), self._config.guild
        if client is None:
            return []
        return [g for g in client.guilds if not wanted or str(g.id) == wanted]

    def look(self) -> bool:
        """Whether any place came, went or got another name."""
        before, self.places = self.places, places_of(self.guilds())
        return before != self.places

    def missing(self) -> tuple[str, ...]:
        """Wanted names that no visible channel has."""
        return missing(self._config.wanted, self.places)

    def note(self, application_id: int | None) -> str:
        """What it cannot see or do, with the link that mends it; empty when all is well."""
        guilds = self.guilds()
        outside = condition.outside(
            self.missing(), has_guild=bool(guilds), application_id=application_id
        )
        return " ".join(part for part in (outside, lacking(guilds, self._config.wanted)) if part)


def places_of(guilds: Iterable[discord.Guild]) -> dict[str, Named]:
    """Record key (``channel:123``) → name, for every text channel and thread that we may see."""
    found: dict[str, Named] = {}
    for guild in guilds:
        if guild.unavailable:
            continue
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
    return may.view_channel and may.read_message_history


def missing(wanted: Sequence[str], places: Mapping[str, Named]) -> tuple[str, ...]:
    """Wanted names that no visible channel has."""
    seen = {place.channel.lower() for place in places.values() if not place.thread}
    return tuple(name for name in wanted if name.lower() not in seen)


def lacking(guilds: Iterable[discord.Guild], wanted: Sequence[str]) -> str:
    """What we may not do in the wanted channels that we see, in one sentence; empty when all."""
    names = {name.lower() for name in wanted}
    sentences = [
        lacks(
            [c for c in guild.text_channels if f"#{c.name}".lower() in names and _sees(c)], guild.me
        )
        for guild in guilds
    ]
    return " ".join(filter(None, sentences))


def lacks(channels: Iterable[discord.TextChannel], member: discord.Member) -> str:
    """What `member` may not do in these channels, in one sentence; empty when all."""
    troubles: list[str] = []
    for channel in channels:
        may = channel.permissions_for(member)
        needs = [said for held, said in _NEEDED.items() if not getattr(may, held)]
        if needs:
            troubles.append(f"{', '.join(needs)} in #{channel.name}")
    return f"It lacks the permission {'; '.join(troubles)}." if troubles else ""


def _sees(channel: discord.abc.GuildChannel) -> bool:
    me = channel.guild.me
    # Before our own membership has come nothing is known; a place too many does no harm.
    return me is None or channel.permissions_for(me).view_channel


def _key(channel: int) -> str:
    return f"channel:{channel}"
