"""What a turn has done that cannot be done again: noted before the first such tool runs."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from brain.model import ToolSpec
from brain.tools.context import Context
from brain.tools.registry import AnyTool, Effects, ToolResult
from storage.acts import Permit


@dataclass
class Deeds:
    """Of one turn; `note` writes it down."""

    note: Callable[[], Awaitable[None]]
    begun: bool = False

    def watched(self, tools: Iterable[AnyTool]) -> list[AnyTool]:
        """The same tools; what happens through them is noted first."""
        acting = (Effects.WRITES, Effects.SENDS)
        return [_Watched(tool, self) if tool.effects in acting else tool for tool in tools]

    async def begin(self) -> None:
        """Raises `StorageError`: then nothing may be done."""
        if not self.begun:
            await self.note()
            self.begun = True


@dataclass(frozen=True)
class _Watched:
    """As `brain.tools.registry.AnyTool`."""

    tool: AnyTool
    deeds: Deeds

    @property
    def name(self) -> str:
        return self.tool.name

    @property
    def effects(self) -> Effects:
        return self.tool.effects

    @property
    def guard_class(self) -> str:
        return self.tool.guard_class

    @property
    def spec(self) -> ToolSpec:
        return self.tool.spec

    def is_at_hand(self, context: Context) -> bool:
        return self.tool.is_at_hand(context)

    def is_shown(self, context: Context) -> bool:
        return self.tool.is_shown(context)

    async def run(
        self, context: Context, arguments: Mapping[str, Any], permit: Permit
    ) -> ToolResult:
        await self.deeds.begin()
        return await self.tool.run(context, arguments, permit)
