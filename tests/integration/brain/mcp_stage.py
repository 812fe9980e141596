"""Real MCP servers around an agent's brain."""

from __future__ import annotations

import asyncio
import os
import sys
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from brain.tools.mcp import McpTool, Servers, ServerSpec
from brain.tools.registry import Toolbox, ToolResult, target_of
from storage.acts import Act
from tests.integration.brain.stage import Brain

PROGRAM = str(Path(__file__).with_name("mcp_server.py"))
STDIO = (sys.executable, PROGRAM, "stdio")
Serve = Callable[..., Servers]


@pytest.fixture
async def serve(brain: Brain) -> AsyncIterator[Serve]:
    """Servers of an agent, closed at the end; by default one program on standard streams."""
    opened: list[Servers] = []

    def start(
        *specs: ServerSpec,
        allowed: tuple[str, ...] = ("odd",),
        tell: Callable[[str, str], None] = lambda _where, _why: None,
        **more: Any,
    ) -> Servers:
        servers = Servers(
            specs or [spec(**more)],
            allowed,
            agent="captain",
            permit=brain.guard.permit,
            monotonic=time.monotonic,
            tell=tell,
        )
        opened.append(servers)
        return servers

    yield start
    for servers in opened:
        await servers.close()


def spec(**more: Any) -> ServerSpec:
    given: dict[str, Any] = {
        "name": "odd",
        "command": STDIO,
        "environment": {"PATH": os.environ["PATH"]},
        "call_timeout_s": 20.0,
    }
    return ServerSpec(**(given | more))


async def tools(servers: Servers) -> dict[str, McpTool]:
    """The tools, once a server that takes longer than a turn waits is there too."""
    async with asyncio.timeout(20):
        while not (found := await servers.tools()):
            assert not servers.troubles
    return {tool.name: tool for tool in found}


async def use(brain: Brain, tool: McpTool, /, **arguments: Any) -> ToolResult:
    act = Act(
        agent="captain", verb="tool", target=target_of(tool.name), reason="a test", trace_id="t"
    )
    permit = await brain.guard.permit(act)
    return await Toolbox([tool], brain.toolbox().context).call(tool.name, arguments, permit)


async def written(marker: Path, text: str = "") -> str:
    """What a tool wrote into `marker`, once it begins with `text`."""
    async with asyncio.timeout(10):
        # Another process writes it: there is no event of ours to wait for.
        while not (marker.exists() and marker.read_text().startswith(text)):  # noqa: ASYNC110
            await asyncio.sleep(0.005)
    return marker.read_text()


async def pids_of(marker: Path) -> list[int]:
    return [int(pid) for pid in (await written(marker)).split()]
