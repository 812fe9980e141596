"""24 agents on miniircd: how soon they are ready, and what they cost while nobody talks."""

from __future__ import annotations

import asyncio
import statistics
import time

from bots.supervisor.pss import pss_mb
from bots.tour.sandbox import Sandbox
from tests.benchmarks.figures import at_most, progress, report, spread
from tests.benchmarks.swarms import AGENTS, cpu_s, swarm

STARTS = 5
#: memory is measured once timers and first beats are over
SETTLED_AFTER_S = 10.0
IDLE_S = 30.0


async def main() -> None:
    started_s: list[float] = []
    for number in range(STARTS):
        async with swarm() as sandbox:
            started_s.append(await sandbox.start())
            progress(f"start {number + 1} of {STARTS}: ready after {started_s[-1]:.2f} s")
            if number == STARTS - 1:
                await idle(sandbox)
    report(
        "swarm",
        f"{AGENTS} agents ready after `up`",
        statistics.median(started_s),
        "s",
        target=at_most(5),
        note=f"{spread(started_s, 2)} starts; from the start of the command to the last `ready`",
    )


async def idle(sandbox: Sandbox) -> None:
    progress(f"idle for {SETTLED_AFTER_S + IDLE_S:.0f} s")
    await asyncio.sleep(SETTLED_AFTER_S)
    agents = [a["pid"] for a in (await sandbox.status())["agents"]]
    everything = sandbox.processes()
    before_s, began_s = cpu_s(everything), time.monotonic()
    await asyncio.sleep(IDLE_S)
    percent = (cpu_s(everything) - before_s) / (time.monotonic() - began_s) * 100
    report(
        "swarm",
        "idle CPU of the whole swarm",
        percent,
        "% of a core",
        target=at_most(5),
        note=f"{len(everything)} processes, servers and supervisor included, over {IDLE_S:.0f} s",
    )
    sizes = [size for pid in agents if (size := pss_mb(pid)) is not None]
    report(
        "swarm",
        "PSS of an agent, idle",
        statistics.median(sizes),
        "MiB",
        target=at_most(25),
        note=f"{spread(sizes)} agents",
    )
    whole = sum(size for pid in everything if (size := pss_mb(pid)) is not None)
    report("swarm", "PSS of the whole swarm, idle", whole, "MiB", note="every process of it")


if __name__ == "__main__":
    asyncio.run(main())
