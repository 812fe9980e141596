"""Which nick, and which bot, belongs to which agent at this moment."""

from __future__ import annotations

from collections.abc import Mapping

from bots.messages import DISCORD, IRC, Heard, channel_of
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

    def addressable(self, channel: str | None, network: str = IRC) -> dict[str, str]:
        """Folded nick or name → agent, for the agents in `channel` (all of them for None).

        A thread has the agents of its channel. On Discord a bot hears whatever it may see, whether
        the channel is one of its own or not.
        """
        if network == DISCORD:
            channel = None
        found: dict[str, str] = {}
        place = None if channel is None else channel_of(channel).lower()
        for agent in self._settings.agents:
            here = [c.lower() for c in self._settings.channels_of(agent)]
            if place is None or place in here:
                found[agent.name.lower()] = agent.name
                found[self._nicks[agent.name].lower()] = agent.name
        return found
