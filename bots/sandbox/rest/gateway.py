"""gateway and gateway/bot: where the gateway is, and how often a bot may still begin a session."""

from __future__ import annotations

from typing import Any

from bots.sandbox.errors import refusal
from bots.sandbox.rest.call import Call
from bots.sandbox.rest.table import Table

table = Table()


def _url(call: Call) -> str:
    return call.world.base_url.replace("http", "ws", 1) + "/gateway"


@table.route("GET", "/gateway", open=True)
async def get_gateway(call: Call) -> Any:
    return {"url": _url(call)}


@table.route("GET", "/gateway/bot")
async def get_gateway_for_bot(call: Call) -> Any:
    if not call.user.bot:
        raise refusal(20002)
    return {
        "url": _url(call),
        "shards": 1,
        "session_start_limit": call.world.starts.limit(call.user.id),
    }
