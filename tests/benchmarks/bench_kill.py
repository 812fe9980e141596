"""How fast 24 agents stop, and what becomes of one that cannot answer."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from typing import Any

from bots.tour.sandbox import Sandbox, lives
from tests.benchmarks.figures import at_most, percentile, progress, report, spread
from tests.benchmarks.swarms import AGENTS, swarm

KILLS = 40
AGENT = "bot07"
_LOOK_EVERY_S = 0.02


async def main() -> None:
    async with swarm() as sandbox:
        await sandbox.start()
        await kills(sandbox)
        await stopped_then_killed(sandbox)
    async with swarm() as sandbox:
        await sandbox.start()
        await stopped(sandbox)


async def kills(sandbox: Sandbox) -> None:
    """Kill and resume again and again through the supervisor's door, as `run.py kill` does."""
    seen_ms: list[float] = []
    told_ms: list[float] = []
    for number in range(KILLS):
        began_s = time.monotonic()
        answer = await sandbox.post("/control/kill", {"scope": "all", "reason": f"drill {number}"})
        seen_ms.append((time.monotonic() - began_s) * 1000)
        told_ms.append(max(answer["confirmed_ms"].values()))
        if len(answer["confirmed_ms"]) != AGENTS or answer["forced"]:
            raise SystemExit(f"kill {number}: not everybody confirmed: {answer['sentence']}")
        await sandbox.post("/control/resume", {"scope": "all", "reason": "drill over"})
        await sandbox.until_all("ready", 10)
    for name, values in (
        ("as the supervisor reports it", told_ms),
        ("as the caller sees it", seen_ms),
    ):
        report(
            "kill",
            f"kill to last confirmation, {name}, p99",
            percentile(values, 99),
            "ms",
            target=at_most(250),
            note=f"{spread(values)} kills of {AGENTS} agents, a resume after each",
        )


async def stopped_then_killed(sandbox: Sandbox) -> None:
    """An agent under SIGSTOP confirms nothing: it has to be ended by force."""
    pid = await _pid(sandbox)
    os.kill(pid, signal.SIGSTOP)
    began_s = time.monotonic()
    asked = asyncio.create_task(sandbox.post("/control/kill", {"scope": "all", "reason": "drill"}))
    while lives(pid):  # noqa: ASYNC110 - another process
        await asyncio.sleep(_LOOK_EVERY_S)
    dead_s = time.monotonic() - began_s
    report(
        "kill",
        "a SIGSTOPped agent is dead after the kill",
        dead_s,
        "s",
        target=at_most(3),
        note="one run; " + (await asked)["sentence"],
    )


async def stopped(sandbox: Sandbox) -> None:
    """The same without a kill: the supervisor notices by itself."""
    pid = await _pid(sandbox)
    progress("one agent is stopped; waiting for its replacement")
    os.kill(pid, signal.SIGSTOP)
    began_s = time.monotonic()
    hung_s = 0.0
    while True:
        agent = await _agent(sandbox)
        if agent["state"] == "hung" and not hung_s:
            hung_s = time.monotonic() - began_s
        if agent["state"] == "ready" and agent["pid"] not in (None, pid):
            break
        await asyncio.sleep(_LOOK_EVERY_S * 5)
    report(
        "kill",
        "a SIGSTOPped agent is replaced without a kill",
        time.monotonic() - began_s,
        "s",
        target=at_most(20),
        note=f"one run; shown as hung after {hung_s:.1f} s; until its replacement was ready",
    )


async def _agent(sandbox: Sandbox) -> dict[str, Any]:
    agents = (await sandbox.status())["agents"]
    found: dict[str, Any] = next(a for a in agents if a["name"] == AGENT)
    return found


async def _pid(sandbox: Sandbox) -> int:
    pid = (await _agent(sandbox))["pid"]
    assert isinstance(pid, int)
    return pid


if __name__ == "__main__":
    asyncio.run(main())
