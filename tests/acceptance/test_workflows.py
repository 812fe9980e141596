"""Workflows on the whole swarm: started from a shell, gated, over its death, to the end."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from tests.acceptance.guild import Guest, Json
from tests.acceptance.stage import Swarm, kill_process, until
from tests.acceptance.test_approvals import card_of, press

Make = Callable[..., Swarm]
Enter = Callable[..., Awaitable[Guest]]
ROOMS = "".join(
    f'[[channels]]\nname = "#{name}"\neverybody = true\n'
    for name in ("ceo-office", "task-board", "reports")
)
WORKFLOW = """\
name: careful
description: Asks first
inputs:
  who: {required: true}
steps:
  - id: look
    agent: secretary
    do: "When was {{ inputs.who }} last seen?"
    timeout_s: 60
  - id: others
    for_each: ["mixer", "amplifier"]
    agent: auditor
    do: "What was said about the {{ item }}?"
  - id: approval
    needs: [look, others]
    gate: {title: "Tell about {{ inputs.who }}?", expires_s: 600}
  - id: tell
    agent: secretary
    needs: [approval]
    do: "Who are you?"
    post_to: "#reports"
output: "{{ steps.approval.result }}. {{ steps.tell.result }}"
"""


@pytest.fixture
async def guest() -> AsyncIterator[Enter]:
    """`guest(swarm)`: the operator in the swarm's guild, gone after the test."""
    entered: list[Guest] = []

    async def enter(swarm: Swarm) -> Guest:
        entered.append(await Guest.enter(swarm))
        return entered[-1]

    yield enter
    for one in entered:
        await one.leave()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "workflows"
    made.mkdir()
    (made / "careful.yaml").write_text(WORKFLOW)
    return made


async def card_in(person: Guest, channel: str, code: str) -> Json:
    """The card, whether it was posted before this person came or comes yet."""
    async with asyncio.timeout(60):
        while True:
            for message in await person.history(channel):
                if card_of(message, code):
                    return message
            await asyncio.sleep(0.2)  # a look, not a hope: the deadline decides


async def state_of(swarm: Swarm, code: str) -> Json:
    done = await swarm.run("workflow status", code, "--json")
    found: Json = json.loads(done.out)
    return found


async def test_a_run_waits_at_its_gate_over_a_restart_of_the_swarm_and_ends_on_a_press(
    swarm: Make, guest: Enter, folder: Path
) -> None:
    one = swarm(transports=("irc", "discord"), more=ROOMS)
    await one.up()
    you = await guest(one)
    begun = await one.run("workflow run", "careful", "--folder", str(folder), "-i", "who=alice")
    assert (begun.code, begun.out) == (0, "WF-1\n"), begun.err
    # The captain dies over it; its next process goes on.
    captain = await one.pid_of("captain")
    kill_process(captain)
    board = await you.sees(
        "MESSAGE_CREATE",
        lambda m: m["channel_id"] == you.channel("task-board") and "WF-1" in m["content"],
        within_s=60,
    )
    await you.sees("MESSAGE_CREATE", lambda m: card_of(m, "AP-1"), within_s=60)
    if "**gated**" not in board["content"]:
        # One message all along: it is edited.
        await you.sees(
            "MESSAGE_UPDATE",
            lambda m: m["id"] == board["id"] and "**gated**" in m["content"],
            within_s=60,
        )
    before = await state_of(one, "WF-1")
    assert before["state"] == "gated"
    assert {s["doer"] for s in before["steps"] if s["state"] == "done"} >= {"secretary", "auditor"}

    await one.run("down")
    await one.up()
    # The sandbox's guild has forgotten everything; the card is there again.
    you = await guest(one)
    card = await card_in(you, "ceo-office", "AP-1")
    await press(you, card, "Approve")
    await you.hears("secretary", "secretary", within_s=60)
    over = await until_over(one, "WF-1")
    assert over["state"] == "done", over
    assert over["output"].startswith("approved by you. ")
    # Each attempt of each step was one delegation.
    keys = [key for (key,) in one.rows("select idempotency_key from delegation order by id")]
    assert sorted(keys) == [
        "workflow:WF-1:look:-1:1",
        "workflow:WF-1:others:0:1",
        "workflow:WF-1:others:1:1",
        "workflow:WF-1:tell:-1:1",
    ]
    drawn = await one.run("workflow graph", "WF-1")
    assert "class s_look,s_others,s_approval,s_tell done" in drawn.out


async def until_over(swarm: Swarm, code: str) -> Json:
    states = ("done", "failed", "cancelled", "skipped")
    await until(
        lambda: swarm.rows("select 1 from workflow_run where state in (?, ?, ?, ?)", *states),
        "the run is over",
        60,
    )
    return await state_of(swarm, code)
