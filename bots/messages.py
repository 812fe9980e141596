"""What crosses the border between a transport and the swarm, typed, the same for every network."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from storage.tables import LineKind


class TargetError(ValueError):
    """A target must be typed, such as ``irc:#market`` or ``irc:nick:alice``; a bare name is
    refused.
    """


class Place(StrEnum):
    CHANNEL = "channel"
    NICK = "nick"


@dataclass(frozen=True)
class Target:
    """A typed address: ``irc:#market`` (a channel) or ``irc:nick:alice`` (a person in private)."""

    network: str
    place: Place
    name: str

    @classmethod
    def parse(cls, text: str) -> Target:
        network, colon, rest = text.partition(":")
        if not (network and colon and rest):
            raise TargetError(f"{text!r} is no target: write irc:#channel or irc:nick:NAME")
        if rest.startswith("nick:") and rest[5:]:
            return cls(network, Place.NICK, rest[5:])
        if rest[0] in "#&":
            return cls(network, Place.CHANNEL, rest)
        raise TargetError(f"{text!r} is no target: {rest!r} is neither #channel nor nick:NAME")

    def __str__(self) -> str:
        return f"{self.network}:{'nick:' if self.place is Place.NICK else ''}{self.name}"


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
    #: services account, only when the network vouches for it (account-tag, extended-join)
    account: str | None = None
    #: server-time, when the server gives one
    said_at: datetime | None = None
    msgid: str | None = None
    #: the network marks the sender as a bot (IRCv3 bot mode)
    is_bot: bool = False
    #: it came back to the one who said it (echo-message) or was said by this very connection
    is_own: bool = False


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


@dataclass(frozen=True, kw_only=True)
class Delivery:
    """What became of one outgoing line."""

    sent: bool
    #: ``pong``, ``echo``, ``msgid:…``: why we believe that it arrived; or the server's refusal
    proof: str
    #: the line may have arrived, but nothing proves it (the connection died meanwhile)
    unknown: bool = False
    #: it never left us, for want of a connection: another try may succeed
    unsaid: bool = False


@dataclass(frozen=True, kw_only=True)
class TransportHealth:
    """How a transport is doing, for `status`."""

    connected: bool
    #: the nick in use, which may differ from the wanted one after a collision
    nick: str | None = None
    #: channels it sits in, folded
    channels: tuple[str, ...] = field(default=())
    #: set when it has given up for good (464, 465, SASL refused), in one sentence
    fatal: str = ""
    #: something a person should know, in one sentence
    note: str = ""
