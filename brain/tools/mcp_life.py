"""One start of an MCP server, until it ends or is ended."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

from mcp import Client

from brain.tools.mcp_stdio import Child


@dataclass
class Life:
    """`ready` gives whom to talk to, or why nobody is there."""

    ready: asyncio.Future[Client]
    ending: asyncio.Event = field(default_factory=asyncio.Event)
    task: asyncio.Task[None] | None = None
    child: Child | None = None
    #: calls under way
    calls: int = 0
    #: ends it when it takes too long to begin
    limit: asyncio.TimerHandle | None = None

    def end(self) -> None:
        """Its program is killed at once; the rest follows."""
        if self.child is not None:
            self.child.kill()
        self.ending.set()
        if not self.ready.done() and self.task is not None:
            self.task.cancel()
