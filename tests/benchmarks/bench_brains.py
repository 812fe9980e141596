"""What thinking with a model costs beside the model: time, memory, money that is not on the bill.

The vendors are stubs on this machine that answer at once (see tests/vendors).
"""

from __future__ import annotations

import asyncio
import gc
import shutil
import statistics
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import psutil
from anthropic import AsyncAnthropic
from openai import AsyncOpenAI

from tests.benchmarks.figures import at_most, progress, report, spread
from tests.benchmarks.money import the_ledger
from tests.benchmarks.streams import cancelled, in_a_swarm
from tests.benchmarks.thinking import KEY, MODELS, Agent, StubProcess, agent, stub_process

ROUNDS = 100
WARM_UP = 10
TURNS = 5_000
#: what is loaded and cached once is loaded by then
STEADY_AFTER = 1_000
SESSIONS = 20
QUESTION = "call the tool now {}"


async def main() -> None:
    folder = Path(tempfile.mkdtemp(prefix="parley-bench-"))
    try:
        async with stub_process() as stub:
            # First: what was freed after anything large would hide how much it grows.
            await memory(folder, stub)
            for provider in MODELS:
                async with agent(folder / provider, stub, provider) as one:
                    await overhead(one, stub, provider)
        await cancelled(folder)
        await the_ledger(folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    await in_a_swarm()


async def overhead(one: Agent, stub: StubProcess, provider: str) -> None:
    """A turn with one tool call beside the SDK's own time for the same two requests, in turns."""
    for _ in range(WARM_UP):
        await turn(one, keep=True)
    # From here on the session stays as long as it is, so that all bodies are alike.
    bodies = (await stub.bodies())[-2:]
    took: dict[str, list[float]] = {"turn": [], "raw": []}
    async with raw(provider, stub) as ask:
        for _ in range(WARM_UP):
            await both(ask, bodies)
        for _ in range(ROUNDS):
            took["turn"].append(await turn(one))
            took["raw"].append(await both(ask, bodies))
    own = [t - r for t, r in zip(took["turn"], took["raw"], strict=True)]
    note = f"{spread(own)} turns; the turn {spread(took['turn'])}, raw {spread(took['raw'])}"
    report("brains", f"raw SDK, both calls, {provider}, p50", statistics.median(took["raw"]), "ms")
    report(
        "brains",
        f"own overhead of a turn, {provider}, p50",
        statistics.median(own),
        "ms",
        target=at_most(25),
        note=note,
    )


async def turn(one: Agent, channel: str = "#lobby", *, keep: bool = False) -> float:
    """One turn in the milliseconds from the claimed question to the answer; whether it is kept in
    its session.
    """
    work = await one.asked(QUESTION, channel)
    began_s = time.perf_counter()
    exchanged = await one.think(work, QUESTION)
    took_ms = (time.perf_counter() - began_s) * 1000
    if exchanged.answer.steps != 2 or exchanged.answer.notes:
        raise SystemExit(f"no whole turn: {exchanged.answer}")
    await one.finish(work, exchanged if keep else None)
    return took_ms


Ask = Callable[[Mapping[str, Any]], Awaitable[None]]


@asynccontextmanager
async def raw(provider: str, stub: StubProcess) -> AsyncIterator[Ask]:
    """The vendor's SDK by itself; it sends a body as it is, and reads the stream to its end."""
    if provider == "anthropic":
        claude = AsyncAnthropic(api_key=KEY, base_url=stub.anthropic, max_retries=0)
        client: AsyncAnthropic | AsyncOpenAI = claude
        create: Callable[..., Awaitable[Any]] = claude.messages.create
    else:
        gpt = AsyncOpenAI(api_key=KEY, base_url=stub.openai, max_retries=0)
        client = gpt
        create = gpt.responses.create if provider == "openai" else gpt.chat.completions.create

    async def ask(body: Mapping[str, Any]) -> None:
        async for _ in await create(**body):
            pass

    async with client:
        yield ask


async def both(ask: Ask, bodies: list[dict[str, Any]]) -> float:
    began_s = time.perf_counter()
    for body in bodies:
        await ask(body)
    return (time.perf_counter() - began_s) * 1000


async def memory(folder: Path, stub: StubProcess) -> None:
    """Whole turns in one process, over many sessions that are made shorter as they grow."""
    process = psutil.Process()
    sizes: list[float] = []
    async with agent(folder / "memory", stub, "anthropic") as one:
        began_s = time.monotonic()
        for number in range(STEADY_AFTER + TURNS + 1):
            if number >= STEADY_AFTER and (number - STEADY_AFTER) % 1_000 == 0:
                gc.collect()
                sizes.append(process.memory_info().rss / 2**20)
                progress(f"{number} turns: {sizes[-1]:.1f} MiB")
            await turn(one, f"#room{number % SESSIONS}", keep=True)
        took_s = time.monotonic() - began_s
    steps = ", ".join(f"{size:.1f}" for size in sizes)
    report(
        "brains",
        f"RSS growth over {TURNS:,} turns",
        sizes[-1] - sizes[0],
        "MiB",
        target=at_most(5),
        note=f"after {STEADY_AFTER:,} turns that are not counted, each 1,000: {steps} MiB; "
        f"{SESSIONS} sessions, one tool call a turn, {took_s:.0f} s in all; one process with the "
        "whole agent and both SDKs",
    )


if __name__ == "__main__":
    asyncio.run(main())
