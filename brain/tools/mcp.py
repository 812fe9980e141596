"""MCP servers whose tools an agent may use. Imported only where some agent uses one: the library
weighs more than an agent.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from brain.errors import BadArguments, ToolError
from brain.model import ToolSpec
from brain.prompting.fencing import label
from brain.tools.context import Context
from brain.tools.mcp_connection import Connection, ServerSpec
from brain.tools.mcp_translation import effects_of, fit_name, is_allowed, spec_of
from brain.tools.registry import Effects, ToolResult, target_of
from storage.acts import Act, Permit

__all__ = ["McpTool", "ServerSpec", "Servers"]

#: characters of one call's arguments
_LONGEST_ARGUMENTS = 100_000
#: how long a turn waits for servers that are just starting, and for those that failed before
_PATIENCE_S = 10.0
_SHORT_PATIENCE_S = 2.0


def _nobody(_where: str, _why: str) -> None:
    return None


@dataclass(frozen=True, kw_only=True)
class McpTool:
    """A tool of somebody else's server, as a model can call it."""

    name: str
    spec: ToolSpec
    effects: Effects
    #: as the server calls it
    remote_name: str
    connection: Connection
    guard_class: str = "mcp"

    def is_at_hand(self, context: Context) -> bool:
        return True

    def is_shown(self, context: Context) -> bool:
        return True

    async def run(
        self, context: Context, arguments: Mapping[str, Any], permit: Permit
    ) -> ToolResult:
        """Raises `ToolError`, `PermitRefused`. The text is the server's, not ours."""
        permit.check("tool", target_of(self.name), now_s=context.monotonic())
        size = len(json.dumps(dict(arguments), default=str))
        if size > _LONGEST_ARGUMENTS:
            raise BadArguments(f"{self.name}: {size:,} characters of arguments are too many")
        return await self.connection.call(self.remote_name, arguments)


class Servers:
    """The MCP servers of one agent. `allowed` names servers, or single tools as ``server.tool``;
    `permit` is the guard's, `monotonic` reads seconds, `tell` is told once of what cannot be used
    and why, as in `troubles`.
    """

    def __init__(
        self,
        specs: Sequence[ServerSpec],
        allowed: Collection[str],
        *,
        agent: str,
        permit: Callable[[Act], Awaitable[Permit]],
        monotonic: Callable[[], float],
        tell: Callable[[str, str], None] = _nobody,
    ) -> None:
        self._allowed = frozenset(allowed)
        used = {name.partition(".")[0] for name in allowed}
        self._connections = [
            Connection(spec, agent, permit, monotonic, tell) for spec in specs if spec.name in used
        ]
        self._tell = tell
        #: server or ``server.tool`` → why it cannot be used
        self._left_out: dict[str, str] = {}

    @property
    def troubles(self) -> dict[str, str]:
        """What cannot be used and why: server or ``server.tool`` → a sentence's end."""
        return {c.spec.name: c.trouble for c in self._connections if c.trouble} | self._left_out

    @property
    def trouble(self) -> str:
        """The same for people, in one line; empty while all is well. That the guard lets nobody
        start anything is no server's trouble.
        """
        ailing = {c.spec.name: c.trouble for c in self._connections if not c.is_refused}
        told = (ailing | self._left_out).items()
        return "; ".join(f"MCP {name}: {why}" for name, why in told if why)

    def start(self) -> None:
        """Start those that are not there, so that the first turn need not wait for them."""
        for connection in self._connections:
            connection.start()

    async def tools(self) -> tuple[McpTool, ...]:
        """The tools of servers that have been there; one that has ended meanwhile is started again
        by the next call of a tool.
        """
        new = [c for c in self._connections if not c.tools]
        await asyncio.gather(*[self._wake(connection) for connection in new])
        known, self._left_out = self._left_out, {}
        taken: dict[str, McpTool] = {}
        for connection in self._connections:
            for found in self._of(connection, taken):
                taken[found.name] = found
        for where, why in self._left_out.items():
            if known.get(where) != why:
                self._tell(where, why)
        return tuple(taken.values())

    def kill(self) -> None:
        """End every program at once, with whatever it started."""
        for connection in self._connections:
            connection.kill()

    async def close(self) -> None:
        await asyncio.gather(*[connection.close() for connection in self._connections])

    async def _wake(self, connection: Connection) -> None:
        try:
            await connection.wake(_SHORT_PATIENCE_S if connection.trouble else _PATIENCE_S)
        except ToolError:
            # `troubles` tells; a turn goes on without these tools.
            return

    def _of(self, connection: Connection, taken: Collection[str]) -> list[McpTool]:
        server = connection.spec.name
        found: dict[str, McpTool] = {}
        for tool in connection.tools:
            if not is_allowed(self._allowed, server, tool.name):
                continue
            name = fit_name(server, tool.name, {*taken, *found})
            spec = spec_of(server, name, tool)
            if isinstance(spec, str):
                self._left_out[f"{server}.{label(tool.name)}"] = spec
                continue
            found[name] = McpTool(
                name=name,
                spec=spec,
                effects=effects_of(tool),
                remote_name=tool.name,
                connection=connection,
            )
        return list(found.values())
