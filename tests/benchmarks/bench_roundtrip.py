"""From a question on IRC to the first line of its answer, beside a bot that only echoes."""

from __future__ import annotations

import asyncio
import statistics
import sys
from pathlib import Path

from bots.cli.project import ROOT
from bots.replay.parse import parse
from bots.replay.speak import Speaker
from bots.supervisor.leash import leashed
from bots.tour.guest import Guest
from bots.tour.sandbox import Sandbox
from tests.benchmarks.figures import percentile, report, spread
from tests.benchmarks.swarms import swarm

ROUNDS = 60
CHANNEL = "#lobby"
ECHO = Path(__file__).with_name("echo.py")
TOUR = ROOT / "prompts" / "tour"


async def main() -> None:
    async with swarm((TOUR / "swarm.toml").read_text(encoding="utf-8")) as sandbox:
        await sandbox.start()
        host, port = sandbox.irc
        guest = await Guest.enter(sandbox.irc, "visitor", CHANNEL)
        words = [sys.executable, str(ECHO), host, str(port), CHANNEL]
        echo = await asyncio.create_subprocess_exec(*leashed(words))
        try:
            await guest.until(
                lambda: any(x.nick == "echo" and x.command == "JOIN" for x in guest.lines),
                "the echo bot does not come",
                10,
            )
            await measure(sandbox, guest)
        finally:
            await guest.leave()
            echo.kill()
            await echo.wait()


async def measure(sandbox: Sandbox, guest: Guest) -> None:
    await converse(sandbox)
    # In turns, so that a busy moment of the machine meets all of them.
    kinds = {
        "echo bot": ("echo", "are you there?"),
        "agent, a command": ("captain", "!seen marlow"),
        "agent, a search": ("captain", "what did birgit say about the rota?"),
        "agent, a summary": ("secretary", "what happened in #lobby?"),
    }
    took_ms: dict[str, list[float]] = {kind: [] for kind in kinds}
    for agent, question in kinds.values():
        await guest.ask(agent, question)
    for _ in range(ROUNDS):
        for kind, (agent, question) in kinds.items():
            took_ms[kind].append((await guest.ask(agent, question)).first_s * 1000)
    wait_ms = sandbox.settings.limits.coalesce_s * 1000
    bare_ms = statistics.median(took_ms["echo bot"])
    for kind, values in took_ms.items():
        note = f"{spread(values)} rounds"
        if kind != "echo bot":
            note += f"; the echo bot's median in this run is {bare_ms:.1f}"
        if not kind.endswith(("echo bot", "command")):
            note += f"; of it {wait_ms:.0f} are limits.coalesce_s, waiting for more of the question"
        for percent in (50, 95):
            value = percentile(values, percent)
            report("roundtrip", f"{kind}, p{percent}", value, "ms", note=note)


async def converse(sandbox: Sandbox) -> None:
    """Something to be asked about: the tour's conversation."""
    text = (TOUR / "conversation.txt").read_text(encoding="utf-8")
    events = parse(text.split("\n")).events
    agents = frozenset(a.nick for a in sandbox.settings.agents)
    speaker = Speaker(*sandbox.irc, CHANNEL, taken=agents)
    try:
        await speaker.seat(events)
        await speaker.tell(events, [0.0] * len(events), lambda _count: None)
        await speaker.leave()
    finally:
        speaker.abort()


if __name__ == "__main__":
    asyncio.run(main())
