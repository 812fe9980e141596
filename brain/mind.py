"""One agent's brain put together: glue between a question, the loop, the tools and the guard."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from brain.guard import Guard
from brain.loop import Answer, Limits, Loop, Question
from brain.model import Model
from brain.prompt import SystemPrompt
from brain.tools.catalogue import TOOLS
from brain.tools.context import AgentCard, Context
from brain.tools.registry import Toolbox, ToolResult, target_of
from storage.acts import Act
from storage.latch import Latch
from storage.store import Store


@dataclass(frozen=True, kw_only=True)
class Mind:
    """Answers questions by its model, and commands by the same tools without one."""

    model: Model
    prompt: SystemPrompt
    guard: Guard
    store: Store
    network: str
    roster: Callable[[], Sequence[AgentCard]]
    latch: Callable[[str], Latch | None]
    #: aware UTC
    now: Callable[[], datetime]
    #: seconds
    monotonic: Callable[[], float]
    limits: Limits
    command_prefix: str = "!"

    async def answer(self, question: Question) -> Answer:
        """What the model says; raises `Refused`, `ModelFailed`, `StorageError`."""
        system = self.prompt.render(question, self.roster(), self.now())
        toolbox = self._toolbox(question)
        loop = Loop(self.model, toolbox, self.guard, self.limits, self.monotonic, system=system)
        return await loop.run(question)

    async def command(
        self, tool: str, arguments: Mapping[str, Any], question: Question
    ) -> ToolResult:
        """One tool for a ``!`` command, without the model. Raises `ToolError`, `Refused`,
        `StorageError`.
        """
        toolbox = self._toolbox(question)
        toolbox.find(tool)
        permit = await self.guard.permit(
            Act(
                agent=question.agent,
                verb="tool",
                target=target_of(tool),
                reason=f"{question.asker} gave a command in {question.place}",
                trace_id=question.trace_id,
                details={
                    "command": tool,
                    "text_sha256": hashlib.sha256(question.text.encode()).hexdigest(),
                },
            )
        )
        return await toolbox.call(tool, arguments, permit)

    def _toolbox(self, question: Question) -> Toolbox:
        return Toolbox(
            TOOLS,
            Context(
                store=self.store,
                agent=question.agent,
                network=self.network,
                channel=question.channel,
                asker=question.asker,
                asked=question.text,
                now=self.now,
                monotonic=self.monotonic,
                roster=self.roster,
                latch=self.latch,
                command_prefix=self.command_prefix,
            ),
        )
