"""Answers that are streamed, by a whole swarm on a guild: how soon people see the first words, and
how soon a vendor is hung up on. The stub runs in this process, so that it tells the moments.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

from bots.sandbox.snowflake import named
from bots.tour.sandbox import Sandbox
from tests.acceptance.guild import Guest, Json
from tests.acceptance.guild_commands import command, use
from tests.acceptance.outside import ALL_INTENTS, Outside, bot_token
from tests.benchmarks.figures import at_most, percentile, progress, report, spread
from tests.benchmarks.swarms import config, swarm
from tests.benchmarks.thinking import AGENT, KEY, MODELS, StubProcess, agent, models_toml, rich
from tests.vendors.script import Asked, Say, Script, Slow, Step
from tests.vendors.server import Stub, serving

AGENTS = 8
ROUNDS = 40
STOPS = 20
BETWEEN_S = 0.05
#: after the first words, before anything is stopped
UNDISTURBED_S = 0.2
_SHORT = "these words come one by one and then there is an end"
_LONG = "word " * 400


async def in_a_swarm() -> None:
    async with (
        serving(Script(choose=_spoken, keys=[KEY])) as stub,
        swarm(config(AGENTS, discord=True)) as written,
        _guild(written, stub) as (sandbox, you),
    ):
        progress(f"{AGENTS} agents stream in a guild without limits")
        await first_words(stub, you)
        await hung_up(stub, sandbox, you)


async def cancelled(folder: Path) -> None:
    """The time between the cancellation of a turn and the end of its connection, without a swarm
    around it.
    """
    async with serving(Script(choose=_spoken, keys=[KEY])) as stub:
        for provider in MODELS:
            address = StubProcess(stub.url, stub.openai_url)
            async with agent(folder / f"cancelled-{provider}", address, provider) as one:
                took_ms = []
                for _ in range(STOPS):
                    work = await one.asked("go on for long")
                    turn = asyncio.create_task(one.think(work, "go on for long"))
                    asked = await _begun(stub, stub.script.count)
                    began_s = time.perf_counter()
                    turn.cancel()
                    took_ms.append(await _closed_after_ms(asked, began_s))
                    await one.finish(work, None)
            _report_closed(f"a turn is cancelled, {provider}: its socket is closed", took_ms)


def _spoken(asked: Asked) -> Step:
    return Slow(Say(_LONG if "go on for long" in asked.said else _SHORT), between_s=BETWEEN_S)


@asynccontextmanager
async def _guild(written: Sandbox, stub: Stub) -> AsyncIterator[tuple[Sandbox, Guest]]:
    """The swarm, started, in a guild that lets one person say more than a message a second."""
    names = [a.name for a in written.settings.agents]
    rooms = sorted({c.lstrip("#") for a in written.settings.agents for c in a.channels})
    outside = Outside(
        written.folder / "guild",
        bots=dict.fromkeys(names, ALL_INTENTS),
        more={
            "limits": {"enabled": False},
            "channels": [{"name": name} for name in ["lobby", *rooms]],
        },
    )
    key = written.folder / "key"
    key.touch(mode=0o600)
    key.write_text(KEY)
    async with outside:
        outside.serve(written, {name: bot_token(name) for name in names})
        head = (
            "[budget]\nusd_per_day = 1000000\n"
            f'[operators]\ndiscord_users = ["{named("user", "you")}"]\n'
            f"{models_toml(stub.url, stub.openai_url, f'file:{key}')}"
            '[defaults]\nbrain = "anthropic"\n[heartbeat]\nevery_s = 0\n'
        )
        text = written.config.read_text(encoding="utf-8")
        sandbox = Sandbox(written.folder, head + rich(text))
        try:
            await sandbox.start()
            you = await Guest.enter(outside)
            try:
                yield sandbox, you
            finally:
                await you.leave()
        finally:
            await sandbox.stop()


async def first_words(stub: Stub, you: Guest) -> None:
    seen_ms: list[float] = []
    changed_ms: list[float] = []
    for number in range(ROUNDS):
        before = len(you.events)
        count = stub.script.count
        await you.say(f"{you.mention(AGENT)} question {number}")
        await _begun(stub, count)
        began_s = time.perf_counter()
        shown = await you.sees("MESSAGE_CREATE", _by_the_agent, after=before)
        seen_ms.append((time.perf_counter() - began_s) * 1000)
        if not shown["content"].endswith("…"):
            raise SystemExit(f"that was no stream: {shown['content']}")
        edit = await you.sees("MESSAGE_UPDATE", partial(_is, shown), after=before)
        changed_ms.append((time.perf_counter() - began_s) * 1000)
        if edit["content"].endswith("…"):
            await you.sees("MESSAGE_UPDATE", partial(_is_whole, shown), after=before)
    for percent in (50, 95):
        report(
            "brains",
            f"first token written to first words seen in the guild, p{percent}",
            percentile(seen_ms, percent),
            "ms",
            target=at_most(300),
            note=f"{spread(seen_ms)} streams; the first edit after that: {spread(changed_ms, 0)}",
        )


async def hung_up(stub: Stub, sandbox: Sandbox, you: Guest) -> None:
    await command(you, "kill-autonomous")

    async def stop() -> None:
        await you.asks(AGENT, "stop")

    async def kill() -> None:
        answer = await use(you, "kill-autonomous", reason="drill")
        if f"{AGENTS} of {AGENTS}" not in answer["content"]:
            raise SystemExit(answer["content"])

    for name, end in (("`stop` is said", stop), ("/kill-autonomous is used", kill)):
        took_ms: list[float] = []
        for _ in range(STOPS):
            took_ms.append(await _ended(stub, you, end))
            if end is kill:
                await sandbox.post("/control/resume", {"scope": "all", "reason": "drill over"})
                await sandbox.until_all("ready", 20)
        _report_closed(f"{name}: the vendor's socket is closed", took_ms)


async def _ended(stub: Stub, you: Guest, end: Callable[[], Coroutine[Any, Any, None]]) -> float:
    """Milliseconds from before the person's request until the stub's socket closed."""
    count, before = stub.script.count, len(you.events)
    await you.say(f"{you.mention(AGENT)} go on for long")
    asked = await _begun(stub, count)
    await you.sees("MESSAGE_CREATE", _by_the_agent, after=before)
    # discord.py 2 leaves a bucket without rate limit headers barred for 30 s when it is cancelled
    # at the very end of a request; Discord sends headers, this guild does not.
    await asyncio.sleep(UNDISTURBED_S)
    began_s = time.perf_counter()
    ending = asyncio.create_task(end())
    took_ms = await _closed_after_ms(asked, began_s)
    await ending
    return took_ms


def _by_the_agent(message: Json) -> bool:
    return bool(message["author"]["username"] == AGENT)


def _is(one: Json, message: Json) -> bool:
    return bool(message["id"] == one["id"])


def _is_whole(one: Json, message: Json) -> bool:
    return _is(one, message) and not message["content"].endswith("…")


async def _begun(stub: Stub, count: int) -> Asked:
    """The request after the first `count`, when its first token was written."""
    async with asyncio.timeout(20):
        asked = await stub.script.asked(count + 1)
        await asked.begun.wait()
    return asked


async def _closed_after_ms(asked: Asked, began_s: float) -> float:
    async with asyncio.timeout(10):
        await asked.closed.wait()
    assert asked.closed_at is not None
    return (asked.closed_at - began_s) * 1000


def _report_closed(figure: str, took_ms: list[float]) -> None:
    for percent in (50, 95):
        report(
            "brains",
            f"{figure}, p{percent}",
            percentile(took_ms, percent),
            "ms",
            target=at_most(50),
            note=f"{spread(took_ms)} streams",
        )
