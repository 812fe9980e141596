"""The MCP servers that one agent may use, out of its spec."""

from __future__ import annotations

import importlib
import time
from typing import TYPE_CHECKING

from structlog.typing import FilteringBoundLogger

from bots.agent.spec import AgentSpec
from bots.settings import child_environment
from bots.supervisor.leash import leashed
from brain.guard import Guard

if TYPE_CHECKING:
    from brain.tools.mcp import Servers


def servers_of(spec: AgentSpec, guard: Guard, log: FilteringBoundLogger) -> Servers | None:
    """None where the agent uses none; the library is imported only where it does. What cannot be
    used is logged.
    """
    if not spec.agent.mcp:
        return None
    connection = importlib.import_module("brain.tools.mcp_connection")
    specs = [
        connection.ServerSpec(
            name=name,
            command=tuple(leashed([*server.command])) if server.command else (),
            url=server.url,
            environment=child_environment(**_secrets(spec, name)),
            is_leashed=True,
        )
        for name, server in spec.settings.mcp.items()
    ]
    servers: Servers = importlib.import_module("brain.tools.mcp").Servers(
        specs,
        spec.agent.mcp,
        agent=spec.name,
        permit=guard.permit,
        monotonic=time.monotonic,
        tell=lambda where, why: log.warning("mcp.unusable", what=where, why=why),
    )
    return servers


def _secrets(spec: AgentSpec, name: str) -> dict[str, str]:
    wanted = spec.settings.mcp[name].secrets
    return {
        variable: spec.mcp_secrets[reference].get_secret_value()
        for variable, reference in wanted.items()
        if reference in spec.mcp_secrets
    }
