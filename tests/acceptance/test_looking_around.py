"""Agents that look around by themselves, in a swarm of real processes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from tests.acceptance.stage import SWARM, Swarm
from tests.vendors.script import Asked, Call, Say, Script, Slow, Step
from tests.vendors.server import Stub, serving

Make = Callable[..., Swarm]
KEY = "sk-a-key-of-the-tests-that-is-no-key"
TIP = "It hums because of the cable."


def looks(asked: Asked) -> bool:
    return "this is your own look around" in str(asked.body)


def answer(asked: Asked) -> Step:
    """Who looks around posts what it knows of humming, and is slow where somebody speaks of it."""
    if not looks(asked):
        return Say("I was asked.")
    if "slowly" in str(asked.body):
        return Slow(Say("SILENT"), before_s=60)
    if asked.has_result or "hum?" not in str(asked.body):
        return Say("SILENT")
    return Say(tools=(Call("post", {"target": "irc:#lobby", "text": TIP}),))


@pytest.fixture
async def stub() -> AsyncIterator[Stub]:
    async with serving(Script(choose=answer, keys=[KEY])) as running:
        yield running


def looking(swarm: Make, folder: Path, stub: Stub, pause_s: float) -> Swarm:
    """Two agents that think with the stub."""
    key = folder / "key"
    key.write_text(KEY)
    key.chmod(0o600)
    more = (
        f'[models.stub]\nprovider = "compatible"\nmodel = "qwen3"\nkeys = ["file:{key}"]\n'
        f'base_url = "{stub.openai_url}"\nprice = {{ input = 1, output = 1 }}\n'
        'context_tokens = 32000\n[defaults]\nbrain = "stub"\n'
        f"[heartbeat]\nevery_s = 0.5\nproactive_every_s = {pause_s}\n"
    )
    return swarm(agents=("captain", "secretary"), more=more, swarm_table=SWARM)


async def test_each_says_once_what_is_missing_and_agents_leave_it_at_that(
    swarm: Make, stub: Stub, tmp_path: Path
) -> None:
    one = looking(swarm, tmp_path, stub, pause_s=1800)
    await one.up()
    alice = await one.person("alice", "#lobby")
    alice.say("why does the mixer hum?")
    for agent in ("captain", "secretary"):
        await alice.sees(rf":{agent}!.* PRIVMSG #lobby :{TIP}")
    # Each is asked before and after its post.
    await stub.script.asked(4)
    alice.say("why does it still hum?")
    # Three looks of each: that nothing comes can be known by waiting only.
    await asyncio.sleep(1.8)
    assert stub.script.count == 4, "who may say nothing there is not asked"
    assert len(alice.answers(TIP)) == 2
    assert not alice.answers("SILENT")
    await alice.asks("secretary: hello", "I was asked")


async def test_a_kill_hangs_up_on_the_model_of_a_look(
    swarm: Make, stub: Stub, tmp_path: Path
) -> None:
    one = looking(swarm, tmp_path, stub, pause_s=0)
    await one.up()
    alice = await one.person("alice", "#lobby")
    alice.say("everything goes slowly today")
    asked = await stub.script.asked(1)
    assert looks(asked)
    done = await one.run("kill", "all", "--reason", "test")
    assert done.code == 0
    async with asyncio.timeout(20):
        await asyncio.gather(*(each.closed.wait() for each in stub.script.requests))
