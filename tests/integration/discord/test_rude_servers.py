"""What becomes of a line when Discord, or the way to it, fails in the middle."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bots.messages import Target
from tests.integration.discord.rude import Rude
from tests.integration.discord.stage import Agent, permit
from tests.integration.sandbox.stage import Sandbox


@pytest.fixture
async def rude(sandbox: Sandbox) -> AsyncIterator[Rude]:
    async with Rude(sandbox) as between:
        yield between


async def _said(sandbox: Sandbox, lobby: Target) -> list[str]:
    return [m["content"] for m in reversed(await sandbox.person().history(lobby.name))]


@pytest.mark.parametrize("deeds", [["cut"], ["swallow"], ["swallow", "cut"], ["429"], ["500"]])
async def test_a_passing_failure_is_overcome_and_nothing_is_doubled(
    sandbox: Sandbox, rude: Rude, tmp_path: Path, deeds: list[str]
) -> None:
    async with Agent(sandbox, tmp_path, api_base=rude.api_base) as agent:
        await agent.ready()
        lobby = agent.target("#lobby")
        rude.script.extend(deeds)
        deliveries = await agent.transport.say(
            lobby, ["one", "two"], permit(lobby), keys=["r1.0", "r1.1"]
        )
        assert [d.sent for d in deliveries] == [True, True]
        assert await _said(sandbox, lobby) == ["one", "two"]
        assert rude.asked == 2 + len(deeds)
        assert [line.text for line in await agent.lines(2)] == ["one", "two"]


async def test_what_may_have_arrived_is_unknown_and_the_rest_unsaid(
    sandbox: Sandbox, rude: Rude, tmp_path: Path
) -> None:
    async with Agent(sandbox, tmp_path, api_base=rude.api_base) as agent:
        await agent.ready()
        lobby = agent.target("#lobby")
        rude.script.extend(["swallow"] * 3)
        first, second = await agent.transport.say(
            lobby, ["one", "two"], permit(lobby), keys=["r1.0", "r1.1"]
        )
        assert (first.sent, first.unknown, first.unsaid) == (False, True, False)
        assert (second.sent, second.unknown, second.unsaid) == (False, False, True)
        assert await _said(sandbox, lobby) == ["one"]


async def test_a_long_429_bars_all_that_follows_without_another_request(
    sandbox: Sandbox, rude: Rude, tmp_path: Path
) -> None:
    async with Agent(sandbox, tmp_path, api_base=rude.api_base) as agent:
        await agent.ready()
        lobby = agent.target("#lobby")
        rude.retry_after = "90"
        rude.script.append("429")
        for key in ("a", "b"):
            delivery = (await agent.transport.say(lobby, ["one"], permit(lobby), keys=[key]))[0]
            assert delivery.unsaid
            assert not delivery.unknown
        assert "wants it to wait" in delivery.proof
        assert rude.asked == 1
        assert await _said(sandbox, lobby) == []


async def test_a_slow_server_ends_in_unknown(sandbox: Sandbox, rude: Rude, tmp_path: Path) -> None:
    async with Agent(sandbox, tmp_path, api_base=rude.api_base, send_s=0.3) as agent:
        await agent.ready()
        lobby = agent.target("#lobby")
        rude.script.append("500")  # discord.py waits a second before it asks again
        delivery = (await agent.transport.say(lobby, ["one"], permit(lobby), keys=["a"]))[0]
        assert delivery.unknown
        assert delivery.proof == "Discord gave no answer in time"


async def test_a_server_that_is_gone_leaves_it_unsaid(sandbox: Sandbox, tmp_path: Path) -> None:
    async with Rude(sandbox) as rude:
        agent = Agent(sandbox, tmp_path, api_base=rude.api_base)
        await agent.__aenter__()
        await agent.ready()
        lobby = agent.target("#lobby")
    delivery = (await agent.transport.say(lobby, ["one"], permit(lobby), keys=["a"]))[0]
    assert delivery.unsaid
    await agent.__aexit__()


async def test_the_veto_is_asked_before_every_part(
    sandbox: Sandbox, rude: Rude, tmp_path: Path
) -> None:
    async with Agent(sandbox, tmp_path, api_base=rude.api_base) as agent:
        await agent.ready()
        lobby = agent.target("#lobby")
        rude.after_one = lambda: agent.vetoes.append("killed by you")
        deliveries = await agent.transport.say(
            lobby, ["one", "two", "three"], permit(lobby), keys=["a", "b", "c"]
        )
        assert [(d.sent, d.proof) for d in deliveries[1:]] == [(False, "killed by you")] * 2
        assert await _said(sandbox, lobby) == ["one"]
