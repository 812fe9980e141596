"""Where a result is said: typed addresses, and which agent can say it there.

A channel named without a network is that channel on each network that the swarm is on.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace

from bots.delegating.order import NotGiven, Order
from bots.messages import DISCORD, IRC, Place, Target, TargetError
from bots.settings import Settings
from brain.delegation.wording import destination_of

#: a result that is said on several networks has the id of its message on the first of these
_ORDER = (DISCORD, IRC)


@dataclass(frozen=True, kw_only=True)
class Destinations:
    agent: str
    settings: Settings
    #: networks that the swarm is on at this moment
    networks: Callable[[], Collection[str]]
    #: agents that have an account on a network
    agents_on: Callable[[str], Sequence[str]]
    #: typed addresses of the channels that this agent sits in now
    sits_in: Callable[[], Collection[str]]

    def named_in(self, order: Order) -> Order:
        """The order with typed addresses, or without any; raises `NotGiven` for what is none."""
        if order.deliver_to:
            return replace(order, deliver_to=self._typed(order.deliver_to, order.network))
        words, channel = destination_of(order.instruction)
        if not channel or not order.may_name_place:
            return order
        return replace(order, instruction=words, deliver_to=self._typed(channel, order.network))

    def speaker_for(self, target: str) -> str:
        """The agent that can say something there: this one if it sits there; empty: nobody."""
        parsed = Target.parse(target)
        if parsed.place is not Place.CHANNEL or parsed.name[:1] not in {"#", "&"}:
            # A person, or a channel by id: whoever is on that network may try.
            able = self.agents_on(parsed.network)
            return self.agent if self.agent in able else next(iter(able), "")
        if target.lower() in {place.lower() for place in self.sits_in()}:
            return self.agent
        wanted = parsed.name.lower()
        for agent in self.settings.agents:
            there = {channel.lower() for channel in self.settings.channels_of(agent)}
            if wanted in there and parsed.network in agent.transports:
                return agent.name
        return ""

    def is_mute(self, target: str) -> bool:
        """Nothing is said there: it is only listened to."""
        return self.settings.listen_only(Target.parse(target).name)

    def _typed(self, text: str, network: str) -> str:
        """One or more addresses, a blank between them; raises `NotGiven` where nobody could say
        anything.
        """
        if text[:1] in {"#", "&"}:
            networks = [network] if network else [n for n in _ORDER if n in self.networks()]
            wanted = [f"{name}:{text}" for name in networks]
        else:
            wanted = text.split()
        try:
            targets = [Target.parse(one) for one in wanted]
        except TargetError as error:
            raise NotGiven(str(error)) from error
        if any(self.is_mute(str(target)) for target in targets):
            raise NotGiven(f"{text} is only listened to: nothing is said there")
        able = [str(target) for target in targets if self.speaker_for(str(target))]
        if not able:
            raise NotGiven(f"no agent sits in {text}: name a channel of swarm.toml")
        return " ".join(able)
