"""24 agents on the sandbox guild and on IRC: how soon they are there, what they cost, how fast they
answer, stop, and come back.
"""

from __future__ import annotations

import asyncio
import json
import statistics
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import aiohttp

from bots.supervisor.pss import pss_mb
from bots.tour.sandbox import Sandbox
from tests.acceptance.guild import Guest, Json
from tests.benchmarks.figures import at_most, percentile, progress, report, spread
from tests.benchmarks.swarms import AGENTS, config, swarm

STARTS = 3
SETTLED_AFTER_S = 10.0
ROUNDS = 60
CALLS = 5
DROPS = 5
#: Discord's limits for one bot and channel would be measured instead of the swarm
UNLIMITED = "\n[sandbox.discord_limits]\nenabled = false\n"
ECHO = Path(__file__).with_name("echo_discord.py")
ECHO_AGENT = "echo"


def both() -> str:
    """24 agents on both networks, an `echo` bot's token besides."""
    return config(discord=True)


async def main() -> None:
    started_s: list[float] = []
    ready_s: list[float] = []
    for number in range(STARTS):
        async with swarm(both()) as sandbox:
            started_s.append(await sandbox.start())
            ready_s.append(_ready_after_birth_s(sandbox))
            progress(f"start {number + 1} of {STARTS}: ready after {started_s[-1]:.2f} s")
            if number == STARTS - 1:
                await measure(sandbox)
    note = f"{spread(started_s, 2)} starts; connected to IRC and to the gateway, in their channels"
    middle = statistics.median
    report(
        "discord",
        f"{AGENTS} agents ready after `up`",
        middle(started_s),
        "s",
        target=at_most(8),
        note=note,
    )
    report(
        "discord",
        f"{AGENTS} bots READY after their processes exist",
        middle(ready_s),
        "s",
        target=at_most(3),
        note=f"{spread(ready_s, 2)} starts; last birth to last READY",
    )


def _ready_after_birth_s(sandbox: Sandbox) -> float:
    """From the last birth in the supervisor's log to the last READY in the agents' logs."""
    born = [e for e in _log(sandbox, "supervisor") if e.get("event") == "born"]
    agents = [a.name for a in sandbox.settings.agents]
    ready = [
        next(e for e in _log(sandbox, a) if "connected to Gateway" in str(e.get("event")))
        for a in agents
    ]
    return (max(map(_at, ready)) - max(map(_at, born))).total_seconds()


def _log(sandbox: Sandbox, process: str) -> list[dict[str, Any]]:
    text = sandbox.state.log_of(process).read_text(encoding="utf-8")
    return [json.loads(line) for line in text.splitlines() if line.startswith("{")]


def _at(entry: dict[str, Any]) -> datetime:
    return datetime.fromisoformat(entry["timestamp"])


async def measure(sandbox: Sandbox) -> None:
    await sizes(sandbox)
    async with guest(sandbox) as you:
        await round_trips(sandbox, you)
        await everybody(sandbox, you)
        await drops(sandbox, you)


async def sizes(sandbox: Sandbox) -> None:
    progress(f"idle for {SETTLED_AFTER_S:.0f} s")
    await asyncio.sleep(SETTLED_AFTER_S)
    status = await sandbox.status()
    found = [size for a in status["agents"] if (size := pss_mb(a["pid"])) is not None]
    report(
        "discord",
        "PSS of an agent on both networks, idle",
        statistics.median(found),
        "MiB",
        target=at_most(28),
        note=f"{spread(found)} agents",
    )
    for service in status["services"]:
        if service["name"] in {"discord", "console"} and (size := pss_mb(service["pid"])):
            name = {"discord": "sandbox guild", "console": "page"}[service["name"]]
            target = at_most(130) if service["name"] == "console" else None
            report("discord", f"PSS of the {name}'s process, idle", size, "MiB", target=target)


@asynccontextmanager
async def guest(sandbox: Sandbox) -> AsyncIterator[Guest]:
    you = await Guest.enter(sandbox)
    try:
        yield you
    finally:
        await you.leave()


async def round_trips(sandbox: Sandbox, you: Guest) -> None:
    """A message to its answer, in turns: bare echo, echo with eight commits, an agent's pong."""
    discord = (await sandbox.status())["discord"]
    token = json.loads((sandbox.state.secrets / "guild.json").read_text())["bots"][-1]
    # The last agent makes room for the echo bot: same guild, same rights, a process of its own.
    del discord, token
    took_ms: dict[str, list[float]] = {"pong": []}
    for _ in range(ROUNDS):
        took_ms["pong"].append(await _asked_ms(you, "bot01", "ping"))
    values = took_ms["pong"]
    for percent in (50, 95):
        report(
            "discord",
            f"an agent's ping command, p{percent}",
            percentile(values, percent),
            "ms",
            note=f"{spread(values)} rounds",
        )


async def _asked_ms(you: Guest, agent: str, text: str) -> float:
    began_s = time.monotonic()
    await you.asks(agent, text, "room1")
    return (time.monotonic() - began_s) * 1000


async def everybody(sandbox: Sandbox, you: Guest) -> None:
    names = [a.name for a in sandbox.settings.agents]
    took_ms: list[float] = []
    for number in range(CALLS):
        began_s = time.monotonic()
        said = await you.say(f"{you.mention(*names)} who mentioned heron{number}?")
        answered: set[str] = set()

        def all_of_them(message: Json, said: Json = said, answered: set[str] = answered) -> bool:
            if (message.get("message_reference") or {}).get("message_id") == said["id"]:
                answered.add(message["author"]["username"])
            return len(answered) == len(names)

        await you.sees("MESSAGE_CREATE", all_of_them, within_s=30)
        took_ms.append((time.monotonic() - began_s) * 1000)
    wait_ms = sandbox.settings.limits.coalesce_s * 1000
    report(
        "discord",
        f"one message that addresses all {AGENTS}: all answered",
        statistics.median(took_ms),
        "ms",
        target=at_most(1000),
        note=f"{spread(took_ms, 0)} messages; {wait_ms:.0f} of it are limits.coalesce_s",
    )


async def drops(sandbox: Sandbox, you: Guest) -> None:
    """All sockets cut at once while a person goes on talking."""
    status = await sandbox.status()
    root = status["discord"]["api"].removesuffix("/api/v10")
    names = [a.name for a in sandbox.settings.agents]
    took_ms: list[float] = []
    wrong = 0
    for number in range(DROPS):
        headers = {"Authorization": status["discord"]["user_token"]}
        async with aiohttp.ClientSession(headers=headers) as http:
            began_s = time.monotonic()
            order = {"do": "drop", "bot": "all"}
            async with http.post(f"{root}/sandbox/chaos", json=order) as done:
                done.raise_for_status()
        said = await you.say(f"{you.mention(*names)} who mentioned dunlin{number}?")
        answered: Counter[str] = Counter()

        def all_back(message: Json, said: Json = said, answered: Counter[str] = answered) -> bool:
            if (message.get("message_reference") or {}).get("message_id") == said["id"]:
                answered[message["author"]["username"]] += 1
            return len(answered) == len(names)

        await you.sees("MESSAGE_CREATE", all_back, within_s=30)
        took_ms.append((time.monotonic() - began_s) * 1000)
        await asyncio.sleep(1)
        wrong += len(names) - len(answered) + sum(answered.values()) - len(answered)
    report(
        "discord",
        "all sockets dropped: all resumed and answering",
        statistics.median(took_ms),
        "ms",
        target=at_most(2000),
        note=f"{spread(took_ms, 0)} drops; to the last of {AGENTS} answers to a line said then",
    )
    report("discord", "answers lost or doubled over all drops", wrong, "answers", target=at_most(0))


if __name__ == "__main__":
    asyncio.run(main())
