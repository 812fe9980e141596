"""Where a result is said: typed addresses, and which agent can say it there.

A channel named without a network is that channel on each network that the swarm is on.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, replace

from bots.delegating.order import NotGiven, Order
from bots.messages import DISCORD, IRC, Place, Target, TargetError
from bots.settings import Settings
from brain.delegation.wording import destination_of


@dataclass(frozen=True, kw_only=True)
class Destinations:
    agent: str
    settings: Settings
    #: networks that the swarm is on at this moment
    networks: Callable[[], Collection[str]]
    #: typed addresses of the channels that this agent sits in now
    sits_in: Callable[[], Collection[str]]

    def named_in(self, order: Order) -> Order:
        """The order with typed addresses, or without any; raises `NotGiven` for what is none."""
        if order.deliver_to:
            return replace(order, deliver_to=self._typed(order.deliver_to, order.network))
        words, channel = destination_of(order.instruction)
        if not channel:
            return order
        return replace(order, instruction=words, deliver_to=self._typed(channel, order.network))

    def speaker_for(self, target: str) -> str:
        """The agent that can say something there: this one if it sits there; empty: nobody."""
        parsed = Target.parse(target)
        if parsed.place is not Place.CHANNEL or parsed.name[:1] not in {"#", "&"}:
            # A person, or a channel by id: whoever is on that network may try.
            return self.agent if parsed.network in self.networks() else ""
        if target.lower() in {place.lower() for place in self.sits_in()}:
            return self.agent
        wanted = parsed.name.lower()
        for agent in self.settings.agents:
            there = {channel.lower() for channel in self.settings.channels_of(agent)}
            if wanted in there and parsed.network in agent.transports:
                return agent.name
        return ""

    def _typed(self, text: str, network: str) -> str:
        """One or more addresses, a blank between them."""
        if text[:1] not in {"#", "&"}:
            try:
                return " ".join(str(Target.parse(one)) for one in text.split())
            except TargetError as error:
                raise NotGiven(str(error)) from error
        networks = [network] if network else [n for n in (DISCORD, IRC) if n in self.networks()]
        typed = [f"{name}:{text}" for name in networks]
        able = [one for one in typed if self.speaker_for(one)]
        if not able:
            raise NotGiven(f"no agent sits in {text}: name a channel of swarm.toml")
        if any(self.settings.listen_only(Target.parse(one).name) for one in able):
            raise NotGiven(f"{text} is only listened to: nothing is said there")
        return " ".join(able)
