"""24 agents on the sandbox guild and on IRC: how soon they are there, what they cost, how fast they
answer, stop, and come back.
"""

from __future__ import annotations

import asyncio
import json
import re
import statistics
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import aiohttp

from bots.cli.project import ROOT
from bots.sandbox.snowflake import named
from bots.supervisor.leash import leashed
from bots.supervisor.pss import pss_mb
from bots.tour.sandbox import Sandbox
from tests.acceptance.guild import Guest, Json
from tests.acceptance.guild_commands import command, use
from tests.acceptance.outside import ALL_INTENTS, Outside, bot_token
from tests.benchmarks.figures import at_most, percentile, progress, report, spread
from tests.benchmarks.swarms import AGENTS, config, swarm

STARTS = 3
SETTLED_AFTER_S = 10.0
ROUNDS = 60
CALLS = 5
DROPS = 3
#: who is dropped again sooner waits longer, as it should
STEADY_S = 31.0
KILLS = 20
ECHO = Path(__file__).with_name("echo_discord.py")
ECHO_BOT = "echo"
_SLOWEST = re.compile(r"slowest after (\d+) ms")


async def main() -> None:
    started_s: list[float] = []
    ready_s: list[float] = []
    for number in range(STARTS):
        async with swarm(config(discord=True)) as sandbox:
            started_s.append(await sandbox.start())
            ready_s.append(_ready_after_birth_s(sandbox))
            progress(f"start {number + 1} of {STARTS}: ready after {started_s[-1]:.2f} s")
            if number == STARTS - 1:
                await sizes(sandbox)
    note = f"{spread(started_s, 2)} starts; connected to IRC and to the gateway, in their channels"
    report(
        "discord",
        f"{AGENTS} agents ready after `up`",
        statistics.median(started_s),
        "s",
        target=at_most(8),
        note=note,
    )
    report(
        "discord",
        f"{AGENTS} bots READY after their processes exist",
        statistics.median(ready_s),
        "s",
        target=at_most(3),
        note=f"{spread(ready_s, 2)} starts; last birth to last READY",
    )
    await in_a_guild_without_limits()


async def in_a_guild_without_limits() -> None:
    """The rest needs a guild that lets one person say more than a message a second."""
    async with swarm(config(discord=True)) as written:
        names = [a.name for a in written.settings.agents]
        rooms = sorted({c.lstrip("#") for a in written.settings.agents for c in a.channels})
        outside = Outside(
            written.folder / "guild",
            bots=dict.fromkeys([*names, ECHO_BOT], ALL_INTENTS),
            more={
                "limits": {"enabled": False},
                "channels": [{"name": name} for name in ["lobby", *rooms]],
            },
        )
        async with outside:
            outside.serve(written, {name: bot_token(name) for name in names})
            operator = f'[operators]\ndiscord_users = ["{named("user", "you")}"]\n'
            text = operator + written.config.read_text(encoding="utf-8")
            sandbox = Sandbox(written.folder, text)
            try:
                await sandbox.start()
                async with guest(outside) as you:
                    await round_trips(sandbox, outside, you)
                    await everybody(sandbox, you)
                    await kills(sandbox, you)
                    await drops(sandbox, outside, you)
            finally:
                await sandbox.stop()


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
async def guest(outside: Outside) -> AsyncIterator[Guest]:
    you = await Guest.enter(outside)
    try:
        yield you
    finally:
        await you.leave()


async def round_trips(sandbox: Sandbox, outside: Outside, you: Guest) -> None:
    """A message to its answer, in turns, so that a busy moment meets all of them."""
    words = [
        *(sys.executable, str(ECHO), *outside.addresses.values()),
        *(bot_token(ECHO_BOT), str(sandbox.folder / "echo.sqlite")),
    ]
    echo = await asyncio.create_subprocess_exec(*leashed(words), cwd=ROOT)
    kinds = {
        "bare discord.py echo": (ECHO_BOT, "ping"),
        "bare echo and eight bare commits": (ECHO_BOT, "commit"),
        "an agent's ping": ("bot01", "ping"),
    }
    took_ms: dict[str, list[float]] = {kind: [] for kind in kinds}
    try:
        for agent in (ECHO_BOT, "bot01"):
            await _until_it_answers(you, agent)
        for _ in range(ROUNDS):
            for kind, (agent, text) in kinds.items():
                began_s = time.monotonic()
                await you.asks(agent, text)
                took_ms[kind].append((time.monotonic() - began_s) * 1000)
    finally:
        echo.kill()
        await echo.wait()
    bare_ms = statistics.median(took_ms["bare echo and eight bare commits"])
    for kind, values in took_ms.items():
        target = at_most(bare_ms) if kind == "an agent's ping" else None
        for percent in (50, 95):
            report(
                "discord",
                f"{kind}, p{percent}",
                percentile(values, percent),
                "ms",
                target=target if percent == 50 else None,
                note=f"{spread(values)} rounds",
            )


async def _until_it_answers(you: Guest, agent: str) -> None:
    """A bot that is still on its way hears nothing."""
    for _ in range(20):
        with suppress(TimeoutError):
            async with asyncio.timeout(1):
                await you.asks(agent, "ping")
                return
    raise SystemExit(f"{agent} does not answer")


async def kills(sandbox: Sandbox, you: Guest) -> None:
    """``/kill-autonomous`` as a person uses it, to the last confirmation and to its answer."""
    told_ms: list[float] = []
    seen_ms: list[float] = []
    await command(you, "kill-autonomous")
    for number in range(KILLS):
        began_s = time.monotonic()
        answer = await use(you, "kill-autonomous", reason=f"drill {number}")
        seen_ms.append((time.monotonic() - began_s) * 1000)
        found = _SLOWEST.search(answer["content"])
        if found is None or f"{AGENTS} of {AGENTS}" not in answer["content"]:
            raise SystemExit(f"kill {number}: {answer['content']}")
        told_ms.append(float(found[1]))
        await sandbox.post("/control/resume", {"scope": "all", "reason": "drill over"})
        await sandbox.until_all("ready", 20)
    for name, values in (("to last confirmation", told_ms), ("to its answer", seen_ms)):
        report(
            "discord",
            f"/kill-autonomous {name}, p99",
            percentile(values, 99),
            "ms",
            target=at_most(250),
            note=f"{spread(values)} kills of {AGENTS} agents, a resume after each",
        )


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


async def drops(sandbox: Sandbox, outside: Outside, you: Guest) -> None:
    """All sockets cut at once while a person goes on talking."""
    root = outside.addresses["api"].removesuffix("/api/v10")
    names = [a.name for a in sandbox.settings.agents]
    progress(f"sockets are dropped {DROPS} times, {STEADY_S:.0f} s apart")
    await asyncio.sleep(STEADY_S)
    resumed_ms: list[float] = []
    answered_ms: list[float] = []
    wrong = 0
    for number in range(DROPS):
        async with aiohttp.ClientSession(headers={"Authorization": you.token}) as http:
            began, began_s = datetime.now(UTC), time.monotonic()
            order = {"do": "drop", "bot": "all"}
            async with http.post(f"{root}/sandbox/chaos", json=order) as done:
                done.raise_for_status()
        said = await you.say(f"{you.mention(*names)} who mentioned dunlin{number}?")
        answers: Counter[str] = Counter()

        def all_back(message: Json, said: Json = said, answers: Counter[str] = answers) -> bool:
            if (message.get("message_reference") or {}).get("message_id") == said["id"]:
                answers[message["author"]["username"]] += 1
            return len(answers) == len(names)

        await you.sees("MESSAGE_CREATE", all_back, within_s=30)
        answered_ms.append((time.monotonic() - began_s) * 1000)
        # A second answer would come soon.
        await asyncio.sleep(STEADY_S)
        wrong += len(names) - len(answers) + sum(answers.values()) - len(answers)
        back = max(_resumed_at(sandbox, name, began) for name in names)
        resumed_ms.append((back - began).total_seconds() * 1000)
    report(
        "discord",
        f"all sockets dropped: all {AGENTS} resumed",
        statistics.median(resumed_ms),
        "ms",
        target=at_most(2000),
        note=f"{spread(resumed_ms, 0)} drops; by the agents' logs",
    )
    report(
        "discord",
        "all sockets dropped: the last of all answers to a line said then",
        statistics.median(answered_ms),
        "ms",
        note=f"{spread(answered_ms, 0)} drops",
    )
    report("discord", "answers lost or doubled over all drops", wrong, "answers", target=at_most(0))


def _resumed_at(sandbox: Sandbox, agent: str, since: datetime) -> datetime:
    """When this agent's session went on, by its log."""
    moments = [
        _at(entry)
        for entry in _log(sandbox, agent)
        if "RESUMED" in str(entry.get("event")) and _at(entry) >= since
    ]
    if not moments:
        raise SystemExit(f"{agent} did not resume")
    return moments[-1]


if __name__ == "__main__":
    asyncio.run(main())
