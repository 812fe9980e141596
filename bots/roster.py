"""Which nick belongs to which agent at this moment."""

from __future__ import annotations

from collections.abc import Mapping

from bots.settings import Settings


class Roster:
    """Agents by name and by the nick they really hold; kept fresh from the agent rows.

    An agent that lost its nick is known by the one it holds now; whoever took the old one is a
    stranger, though people may still call the agent by its name.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._nicks = {a.name: a.nick for a in settings.agents}

    def refresh(self, nicks: Mapping[str, str | None]) -> None:
        """Take over the nicks in use: agent name → nick, None while unknown."""
        for name, nick in nicks.items():
            if nick and name in self._nicks:
                self._nicks[name] = nick

    def nick_of(self, agent: str) -> str:
        """The nick that this agent holds, as far as we know."""
        return self._nicks[agent]

    def agent_behind(self, nick: str) -> str | None:
        """The agent that speaks under this nick, None for everybody else."""
        folded = nick.lower()
        return next((name for name, held in self._nicks.items() if held.lower() == folded), None)

    def addressable(self, channel: str | None) -> dict[str, str]:
        """Folded nick or name → agent, for the agents in `channel` (all of them for None)."""
        found: dict[str, str] = {}
        for agent in self._settings.agents:
            here = [c.lower() for c in self._settings.channels_of(agent)]
            if channel is None or channel.lower() in here:
                found[agent.name.lower()] = agent.name
                found[self._nicks[agent.name].lower()] = agent.name
        return found
