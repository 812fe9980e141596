"""Slash commands as a person uses them, by the same requests as a real client."""

from __future__ import annotations

import secrets
from typing import Any

from tests.acceptance.guild import Guest, Json

#: flag of an answer that is still being made
_LOADING = 1 << 7


async def command(person: Guest, name: str) -> Json:
    """The command of this name, as soon as somebody registered it."""

    async def find() -> list[Json]:
        path = f"/guilds/{person.guild}/application-command-index"
        index = await person.ask("GET", path)
        return [c for c in index["application_commands"] if c["name"] == name]

    found = await find()
    while not found:
        found = await find()
    return found[0]


async def use(person: Guest, name: str, **options: Any) -> Json:
    """Run a command in the lobby; its answer."""
    one = await command(person, name)
    types = {o["name"]: o["type"] for o in one.get("options", ())}
    ready = await person.sees("READY", lambda _: True)
    nonce = secrets.token_hex(8)
    seen = len(person.events)
    given = [{"name": n, "type": types[n], "value": v} for n, v in options.items()]
    body = {
        "type": 2,
        "application_id": one["application_id"],
        "guild_id": person.guild,
        "channel_id": person.channel("lobby"),
        "session_id": ready["session_id"],
        "nonce": nonce,
        "data": {
            "id": one["id"],
            "version": one["version"],
            "name": name,
            "type": 1,
            "options": given,
        },
    }
    await person.ask("POST", "/interactions", body)
    shown = await person.sees("MESSAGE_CREATE", lambda m: m.get("flags", 0) & _LOADING, after=seen)
    return await person.sees("MESSAGE_UPDATE", lambda m: m["id"] == shown["id"], after=seen)
