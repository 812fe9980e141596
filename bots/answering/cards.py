"""What the agents of a swarm tell about each other."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from bots.roster import Roster
from bots.settings import Settings
from brain import souls
from brain.errors import SoulMissing
from brain.souls import Soul
from brain.tools.context import AgentCard


class Cards:
    """Made of settings, souls and the nicks of the moment."""

    def __init__(self, settings: Settings, prompts: Path, roster: Roster) -> None:
        self._settings = settings
        self._roster = roster
        self._folder = prompts / "souls"
        self._descriptions: dict[str, str] = {}
        for agent in settings.agents:
            # Another agent's missing soul is that one's trouble.
            with suppress(SoulMissing):
                self._descriptions[agent.name] = self.soul_of(agent.name).description

    def soul_of(self, name: str) -> Soul:
        """Raises `SoulMissing`."""
        return souls.load(self._folder, self._settings.agent(name).soul or name)

    def __call__(self) -> Sequence[AgentCard]:
        return [
            AgentCard(
                name=a.name,
                role=a.role,
                capabilities=a.capabilities,
                description=self._descriptions.get(a.name, a.role),
                nick=self._roster.nick_of(a.name),
            )
            for a in self._settings.agents
        ]
