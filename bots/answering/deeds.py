"""What a turn has done that cannot be done again: noted before the first such tool runs."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from brain.model import ToolSpec
from brain.tools.context import Context
from brain.tools.registry import AnyTool, Effects, ToolResult
from storage import inbox
from storage.acts import Permit
from storage.errors import LeaseLost
from storage.inbox import Work
from storage.store import Store

#: on an inbox row: whoever finds it without an answer must not do it again
DEED_BEGUN: Final = "a tool that changes something was begun"


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


async def note_deed(store: Store, work: Work, epoch: int) -> None:
    """Raises `LeaseLost` when the row is ours no more, and `StorageError`."""
    ours = await store.write(
        lambda unit: inbox.annotate(unit, work.inbox_id, work.agent, epoch, DEED_BEGUN)
    )
    if not ours:
        raise LeaseLost(f"Inbox row {work.inbox_id} is not {work.agent}'s to work on any more.")


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

    async def run(
        self, context: Context, arguments: Mapping[str, Any], permit: Permit
    ) -> ToolResult:
        await self.deeds.begin()
        return await self.tool.run(context, arguments, permit)
