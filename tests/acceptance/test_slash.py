"""Slash commands on the whole swarm, in the sandbox guild: real processes, a real supervisor."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest

from tests.acceptance.guild import Guest, Json
from tests.acceptance.stage import Swarm, until

Make = Callable[..., Swarm]
Enter = Callable[..., Awaitable[Guest]]
AGENTS = ("captain", "secretary", "auditor")
_LOADING = 1 << 7


@pytest.fixture
async def guest() -> AsyncIterator[Enter]:
    """`guest(swarm, name)`: somebody online in the swarm's guild, gone after the test."""
    entered: list[Guest] = []

    async def enter(swarm: Swarm, name: str = "you") -> Guest:
        entered.append(await Guest.enter(swarm, name))
        return entered[-1]

    yield enter
    for one in entered:
        await one.leave()


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


async def test_a_person_asks_and_an_operator_kills_and_resumes(swarm: Make, guest: Enter) -> None:
    one = swarm(agents=AGENTS, transports=("discord",))
    await one.up()
    you = await guest(one)
    owners = {(await command(you, n))["application_id"] for n in ("ask", "kill-autonomous")}
    assert len(owners) == 1

    await you.say("the mixer hums at 50 Hz")
    told = await use(you, "ask", agent="secretary", question="who mentioned the mixer?")
    assert told["content"] == "you asks secretary: who mentioned the mixer?"
    await you.hears("secretary", "the mixer hums")

    assert "You may steer, by discord:role:" in (await use(you, "whoami"))["content"]
    told = await use(you, "kill-autonomous", reason="a test")
    assert told["content"].startswith("Killed all: 3 of 3 have stopped")
    await one.becomes("killed")
    told = await use(you, "search", words="mixer")
    assert "captain was killed by you (discord:role:" in told["content"]
    assert "Everybody is killed, by you" in (await use(you, "status"))["content"]
    told = await use(you, "resume", agent="all", reason="the test goes on")
    assert told["content"] == "resumed all"
    await one.becomes("ready")
    told = await use(you, "audit")
    assert "the chain holds" in told["content"]
    assert "resumed all: done" in told["content"]
    await until(
        lambda: not one.rows("select 1 from inbox where state in ('queued', 'working')"),
        "nothing is owed any more",
    )
