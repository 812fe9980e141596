"""REST v10, a file a part of it. `routes` is all of it, ready to be mounted."""

from __future__ import annotations

from aiohttp import web

from bots.sandbox.limits import Limiter
from bots.sandbox.rest import (
    applications,
    channels,
    commands,
    gateway,
    guilds,
    interactions,
    messages,
    reactions,
    threads,
    users,
    webhooks,
)
from bots.sandbox.rest.table import Table, around
from bots.sandbox.world import World

#: the first route that fits an address answers it
_TABLES: tuple[Table, ...] = (
    messages.table,
    reactions.table,
    threads.table,
    channels.table,
    guilds.table,
    users.table,
    commands.table,
    applications.table,
    gateway.table,
    interactions.table,
    webhooks.table,
)
#: the version is optional in an address ("Reference", "API Versioning")
_PREFIXES = ("/api/v10", "/api")


def routes(world: World, limiter: Limiter | None = None) -> list[web.RouteDef]:
    """Every route of the API."""
    limiter = limiter or Limiter()
    endpoints = [endpoint for table in _TABLES for endpoint in table.endpoints]
    return [
        web.RouteDef(e.method, prefix + e.path, around(world, limiter, e), {})
        for prefix in _PREFIXES
        for e in endpoints
    ]
