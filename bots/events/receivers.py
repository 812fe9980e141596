"""Which people and channels can be told of events, and where he is told. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from bots.messages import DISCORD, IRC, Target


class Unknown(ValueError):
    """Nothing vouches for who asks; the text says what would."""


@dataclass(frozen=True)
class Receiver:
    #: as subscriptions are kept: ``discord:user:45``, ``irc:account:alice``, ``irc:#reports``
    name: str
    #: typed
    address: str
    #: who may make and end its subscriptions
    made_by: str
    #: as a sentence begins
    told: str


def person_of(network: str, sender: str, account: str | None) -> Receiver:
    """Who says it, by what the network vouches for; raises `Unknown`.

    A nick is anybody's: on IRC the services account is the receiver, the nick only where it is
    said.
    """
    if network == DISCORD and account:
        name = f"{DISCORD}:user:{account}"
        return Receiver(name, name, name, "You")
    if network == IRC and account:
        name = f"{IRC}:account:{account.lower()}"
        return Receiver(name, f"{IRC}:nick:{sender}", name, "You")
    raise Unknown("nobody vouches for your name here; log in to an account, or ask on Discord")


def channel_of(network: str, channel: str, made_by: str) -> Receiver:
    """A channel, which an operator (`made_by`) has told."""
    name = str(Target.channel(network, channel.lower()))
    return Receiver(name, name, made_by, channel)
