"""A scripted model, what it was shown, and tools that do what a test says."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any

from brain.loop import Limits, Loop
from brain.model import (
    Capabilities,
    Completion,
    Conversation,
    Message,
    Reader,
    Role,
    ToolCall,
)
from brain.tools.catalogue import TOOLS
from brain.tools.context import Context
from brain.tools.registry import Effects, Tool, Toolbox, ToolResult, tool
from tests.integration.brain.stage import Brain

CAPABILITIES = Capabilities(tools=True, streaming=True, json_schema=False, context_tokens=100_000)


@dataclass
class Scripted:
    """A model that says what it was given, one completion a query, and keeps what it was shown."""

    script: list[Completion | Exception]
    shown: list[Conversation] = field(default_factory=list)
    name: str = "scripted"
    label: str = "script"
    capabilities: Capabilities = CAPABILITIES

    async def query(self, conversation: Conversation, reader: Reader | None = None) -> Completion:
        self.shown.append(conversation)
        said = self.script[min(len(self.shown), len(self.script)) - 1]
        if isinstance(said, Exception):
            raise said
        if reader is not None:
            for word in said.text.split():
                reader.piece(f"{word} ")
        return said


def calls(*wanted: tuple[str, dict[str, Any]]) -> Completion:
    return Completion(
        tool_calls=tuple(
            ToolCall(id=f"c{n}", name=name, arguments=arguments)
            for n, (name, arguments) in enumerate(wanted)
        )
    )


def results(model: Scripted) -> list[Message]:
    return [m for m in model.shown[-1].messages if m.role is Role.TOOL]


@dataclass
class Eyes:
    """A reader that keeps what it was shown."""

    shown: list[str] = field(default_factory=list)
    times_anew: int = 0

    def piece(self, text: str) -> None:
        self.shown.append(text)

    def anew(self) -> None:
        self.shown.clear()
        self.times_anew += 1


def trial(effects: Effects, work: Any, name: str = "trial") -> Tool:
    """A tool that does `work`, a coroutine function without arguments."""

    async def function(context: Context) -> ToolResult:
        """Try something."""
        found = await work()
        return found if isinstance(found, ToolResult) else ToolResult(text=str(found))

    function.__name__ = name
    return tool(effects=effects, guard_class="trial")(function)


def loop_with(brain: Brain, model: Scripted, *tools: Tool, **more: Any) -> Loop:
    toolbox = Toolbox([*TOOLS, *tools], brain.toolbox().context)
    limits = more.pop("limits", Limits())
    return Loop(model, toolbox, brain.guard, limits, time.monotonic, **more)
