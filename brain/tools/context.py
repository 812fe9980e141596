"""What a tool knows about the swarm and about the question it helps to answer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from storage.latch import Latch
from storage.store import Store


@dataclass(frozen=True, kw_only=True)
class AgentCard:
    """A member of the swarm as the others know it."""

    name: str
    role: str
    capabilities: tuple[str, ...]
    #: the soul's one-line description
    description: str
    #: nick in use
    nick: str


@dataclass(frozen=True, kw_only=True)
class Context:
    store: Store
    #: the agent that thinks
    agent: str
    network: str
    #: folded name of the channel the question was asked in, None in private
    channel: str | None
    #: nick of the person who asks
    asker: str
    #: the question as it was asked: its own words are never found by its own search
    asked: str
    #: aware UTC
    now: Callable[[], datetime]
    #: seconds, to tell whether a permit is still fresh
    monotonic: Callable[[], float]
    roster: Callable[[], Sequence[AgentCard]]
    #: the latch that kills an agent, None while it may act
    latch: Callable[[str], Latch | None]
    #: what begins a command in channels
    command_prefix: str = "!"
    #: everybody on a network may read this channel: network, channel → yes or no
    is_open: Callable[[str, str], bool] = lambda _network, _channel: True

    def may_quote(self, network: str, channel: str) -> bool:
        """What was said there may be repeated where this question was asked."""
        if not channel.startswith(("#", "&")):
            # Private talk with an agent is nobody else's to find.
            return False
        return (network, channel) == (self.network, self.channel) or self.is_open(network, channel)
