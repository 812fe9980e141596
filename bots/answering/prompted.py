"""What a language model is told before it is asked: templates, fences, history and talk as far as
they fit. Imported by agents that think with a model only.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from bots.answering.matter import Matter
from bots.answering.opening import Opened
from bots.messages import DISCORD, THREAD, channel_of
from bots.roster import Roster
from bots.settings import Settings
from brain.model import Capabilities
from brain.prompting.assembling import Assembler
from brain.prompting.scene import Asked, Look, Persona, Place
from brain.prompting.tokens import estimate, windows
from brain.souls import Soul
from brain.tools.context import AgentCard
from storage import sessions
from storage.sessions import History
from storage.store import Store
from storage.tables import Message
from storage.unit import Unit

#: what one line, or message, holds for people
_IRC_CHARACTERS: Final = 400
_DISCORD_CHARACTERS: Final = 1_900
_DISCORD_LINES: Final = 25


@dataclass(frozen=True)
class PromptedOpenings:
    """For language models: templates, fences, history and talk as far as they fit."""

    agent: str
    settings: Settings
    store: Store
    soul: Soul
    cards: Callable[[], Sequence[AgentCard]]
    roster: Roster
    assembler: Assembler
    capabilities: Capabilities
    clock: Callable[[], datetime]

    async def of(self, work: Matter, text: str) -> Opened:
        fits = windows(self.capabilities.context_tokens, has_tools=self.capabilities.tools)
        in_channel = not work.channel.startswith("nick:")

        async def remembered(unit: Unit) -> tuple[History, Sequence[Message]]:
            history = await sessions.window(
                unit, self.agent, work.session, tokens=fits.history, size=estimate
            )
            if not in_channel:
                return history, ()
            talk = await sessions.unmentioned(
                unit,
                self.agent,
                work.network,
                work.channel,
                tokens=fits.talk,
                size=estimate,
                before_id=work.message_id,
            )
            return history, talk

        # Who asks in a channel reads it anyway.
        history, talk = await self.store.read(remembered)
        asked = Asked(
            text=text,
            asker=work.sender,
            by_agent=work.said_by is not None,
            now=self.clock(),
            topic=self.settings.channel(work.channel).topic if in_channel else "",
            history=history,
            talk=talk,
        )
        made = self.assembler.question(self.persona(), self._place(work), asked)
        return Opened(system=made.system, messages=made.messages, reference=made.reference)

    def look(self, look: Look) -> Opened:
        """For a turn that nobody asked for; raises `PromptMissing`."""
        made = self.assembler.look(self.persona(), look)
        return Opened(system=made.system, messages=made.messages, reference=made.reference)

    def persona(self) -> Persona:
        return Persona(
            name=self.agent,
            nick=self.roster.nick_of(self.agent),
            role=self.settings.agent(self.agent).role,
            swarm=self.settings.swarm.name,
            soul=self.soul,
            peers=self.cards(),
            has_tools=self.capabilities.tools,
        )

    def _place(self, work: Matter) -> Place:
        on_discord = work.network == DISCORD
        in_private = work.channel.startswith("nick:")
        return Place(
            network=work.network,
            channel=None if in_private else channel_of(work.channel),
            thread="" if in_private else work.channel.partition(THREAD)[2],
            line_characters=_DISCORD_CHARACTERS if on_discord else _IRC_CHARACTERS,
            lines=_DISCORD_LINES if on_discord else self.settings.limits.lines_in_channel,
            has_markdown=on_discord,
        )
