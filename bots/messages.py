"""What crosses the border between a transport and the swarm, typed, the same for every network."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from storage.tables import LineKind

IRC = "irc"
DISCORD = "discord"


#: between a channel and a thread in it, as the record names it
THREAD = " / "


def channel_of(name: str) -> str:
    """The channel that a thread hangs below; a channel is its own."""
    return name.partition(THREAD)[0]


def owner_of(channel: str) -> str:
    """The agent whose thread this is, as the title that it gave says (``#lobby / secretary: …``);
    empty for a channel and for other threads.
    """
    title = channel.partition(THREAD)[2]
    return title.partition(":")[0] if ":" in title else ""


class TargetError(ValueError):
    """A target must be typed, such as ``irc:#market`` or ``discord:user:45``; a bare name is
    refused.
    """


class Place(StrEnum):
    CHANNEL = "channel"
    #: a person on IRC, in private
    NICK = "nick"
    #: a person on Discord, in private
    USER = "user"


@dataclass(frozen=True)
class Target:
    """A typed address: ``irc:#market``, ``irc:nick:alice``, ``discord:channel:123`` (a thread is a
    channel too) or ``discord:user:45`` (a person in private).

    The guild's channels have names as well, which the record keeps: ``discord:#market``.
    """

    network: str
    place: Place
    name: str

    @classmethod
    def parse(cls, text: str) -> Target:
        network, _, rest = text.partition(":")
        if network and rest[:1] in {"#", "&"}:
            return cls(network, Place.CHANNEL, rest)
        place, _, name = rest.partition(":")
        if network and name and place in set(Place):
            return cls(network, Place(place), name)
        raise TargetError(
            f"{text!r} is no target: write irc:#channel, irc:nick:NAME, discord:channel:ID or "
            "discord:user:ID"
        )

    @classmethod
    def channel(cls, network: str, key: str) -> Target:
        """The channel that the record knows as `key`: ``#lobby``, on Discord too."""
        return cls(network, Place.CHANNEL, key.removeprefix("channel:"))

    @classmethod
    def person(cls, network: str, sender: str, account: str | None) -> Target:
        """Who said a line, in private: by user id on Discord, by nick on IRC."""
        if network == DISCORD:
            return cls(network, Place.USER, account or "")
        return cls(network, Place.NICK, sender)

    @property
    def is_private(self) -> bool:
        return self.place is not Place.CHANNEL

    @property
    def key(self) -> str:
        """How the record names it on its network."""
        named = self.place is Place.CHANNEL and self.name[:1] in {"#", "&"}
        return self.name if named else f"{self.place}:{self.name}"

    def __str__(self) -> str:
        return f"{self.network}:{self.key}"


@dataclass(frozen=True, kw_only=True)
class Heard:
    """One line that a socket read, before anybody decided anything about it."""

    network: str
    #: where it was said, folded: a channel, or the speaker's nick in private
    where: Target
    sender: str
    kind: LineKind
    text: str
    heard_at: datetime
    #: ``user@host`` as the server shows it
    userhost: str = ""
    #: services account, only when the network vouches for it (account-tag, extended-join); on
    #: Discord the user id
    account: str | None = None
    #: server-time, when the server gives one
    said_at: datetime | None = None
    msgid: str | None = None
    #: the network marks the sender as a bot (IRCv3 bot mode)
    is_bot: bool = False
    #: it came back to the one who said it (echo-message) or was said by this very connection
    is_own: bool = False
    #: the agent whose line it answers, where a person used the network's own reply
    answers: str | None = None
    #: it was fetched after a gap, not heard when it was said
    missed: bool = False


@dataclass(frozen=True, kw_only=True)
class Outgoing:
    """What an agent wants to say; the transport splits it into lines and paces them."""

    target: Target
    text: str
    #: hops of what it answers plus one
    hops: int
    trace_id: str
    #: inbox row it answers, None for lines nobody asked for
    inbox_id: int | None = None
    #: delegation whose result it says
    delegation_id: int | None = None
    #: network's id of the line that it answers, for networks with replies
    answers: str | None = None


@dataclass(frozen=True, kw_only=True)
class Delivery:
    """What became of one outgoing line."""

    sent: bool
    #: ``pong``, ``echo``, ``msgid:…``, ``id:…``: why we believe that it arrived; or the refusal
    proof: str
    #: the line may have arrived, but nothing proves it (the connection died meanwhile)
    unknown: bool = False
    #: it never left us, for want of a connection: another try may succeed
    unsaid: bool = False


@dataclass(frozen=True, kw_only=True)
class TransportHealth:
    """How a transport is doing, for `status`."""

    connected: bool
    #: the name in use, which may differ from the wanted one after a collision
    nick: str | None = None
    #: channels it sits in, as the record names them
    channels: tuple[str, ...] = field(default=())
    #: set when it has given up for good (a password or token refused), in one sentence
    fatal: str = ""
    #: something a person should know, in one sentence
    note: str = ""
    #: names of channels that it should sit in and does not
    missing: tuple[str, ...] = field(default=())


class Mark(StrEnum):
    """How an agent shows that it has seen a line, on networks with reactions."""

    SEEN = "👀"
    DONE = "✅"
    FAILED = "❌"
