"""Which nick, and which bot, belongs to which agent at this moment."""

from __future__ import annotations

from collections.abc import Mapping

from bots.messages import DISCORD, Heard, channel_of
from bots.settings import Settings


class Roster:
    """Agents by name and by the nick they really hold; kept fresh from the agent rows.

    An agent that lost its nick is known by the one it holds now; whoever took the old one is a
    stranger, though people may still call the agent by its name.
    """

    def __init__(self, settings: Settings, bots: Mapping[str, str] | None = None) -> None:
        """`bots`: Discord user id → agent."""
        self._settings = settings
        self._nicks = {a.name: a.nick for a in settings.agents}
        self._bots = dict(bots or {})
        self._channels = {
            a.name: {c.lower() for c in settings.channels_of(a)} for a in settings.agents
        }

    def refresh(self, nicks: Mapping[str, str | None]) -> None:
        """Take over the nicks in use: agent name → nick, None while unknown."""
        for name, nick in nicks.items():
            if nick and name in self._nicks:
                self._nicks[name] = nick

    def nick_of(self, agent: str) -> str:
        """The nick that this agent holds, as far as we know."""
        return self._nicks[agent]

    def speaker(self, heard: Heard) -> str | None:
        """The agent that said a line, None for everybody else."""
        if heard.network == DISCORD:
            return self._bots.get(heard.account or "")
        return self.agent_behind(heard.sender)

    def agent_behind(self, nick: str) -> str | None:
        """The agent that speaks under this nick, None for everybody else."""
        folded = nick.lower()
        return next((name for name, held in self._nicks.items() if held.lower() == folded), None)

    def addressable(self, network: str, channel: str | None = None) -> dict[str, str]:
        """Folded nick or name → agent, for the agents that hear `channel` of a network (in private,
        without one: all that are on it).

        A thread has the agents of its channel. On Discord a bot hears whatever it may see, whether
        the channel is one of its own or not.
        """
        if network == DISCORD:
            return self._called(set(self._bots.values()))
        place = None if channel is None else channel_of(channel).lower()
        return self._called(
            {
                agent.name
                for agent in self._settings.agents
                if network in agent.transports
                and (place is None or place in self._channels[agent.name])
            }
        )

    def everybody(self) -> dict[str, str]:
        """Folded nick or name → agent."""
        return self._called({agent.name for agent in self._settings.agents})

    def _called(self, agents: set[str]) -> dict[str, str]:
        found: dict[str, str] = {}
        # In the order of the settings: of two agents that hold one name, the later is called.
        for agent in self._settings.agents:
            if agent.name in agents:
                found[agent.name.lower()] = agent.name
                found[self._nicks[agent.name].lower()] = agent.name
        return found
