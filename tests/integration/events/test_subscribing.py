"""`/subscribe` and its sisters on a guild, and the direct message that comes of them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from bots.agent.captaincy import Captaincy
from bots.clock import utc_now
from bots.commands.asked import Asked
from bots.sandbox.server import build
from storage import audit, delegating, delegations, deliveries, events
from storage.delegating import Outcome
from storage.delegation_tables import DelegationState
from storage.delegations import NewDelegation
from tests.integration.discord.swarm import LOG, Member, client, member
from tests.integration.discord.test_commands import answered
from tests.integration.sandbox.interacting import Client
from tests.integration.sandbox.stage import GUEST, Sandbox, config, serving

PATIENCE_S = 30.0


@pytest.fixture
async def sandbox() -> AsyncIterator[Sandbox]:
    async with serving(build(config())) as running:
        yield running


@pytest.fixture
async def captain(sandbox: Sandbox, tmp_path: Path) -> AsyncIterator[Member]:
    operators = {"irc_accounts": ["alice"]}
    async with member(sandbox, tmp_path, operators=operators) as one:
        await one.synced()
        yield one


async def direct(person: Client, word: str) -> str:
    """The direct message with this word in it."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            try:
                said = await person.ear.until("MESSAGE_CREATE")
            except TimeoutError:
                # It waits for company longer than the guild's ear waits for a frame.
                continue
            if "guild_id" not in said and word in said["content"]:
                return str(said["content"])


def works(captain: Member) -> None:
    """The captain's process does what only it does."""

    async def recovered() -> None:
        await captain.parts.recovery.look()

    async def nobody(_: dict[str, Any]) -> str:
        return ""

    made = Captaincy(
        captain.spec, captain.store, captain.parts, switch=captain.switch, ask=nobody, log=LOG
    )
    captain.tasks.start(recovered(), *made.work())


def new(name: str) -> NewDelegation:
    return NewDelegation(
        code=f"D-{name}",
        sender="captain",
        agent="rook",
        instruction="do it",
        chain=(),
        issued_at=utc_now(),
        expires_at=utc_now() + timedelta(hours=1),
        asked_by="shell",
        priority=20,
        tries=3,
        trace_id="t",
    )


async def say(captain: Member, name: str, account: str | None, **given: str) -> str:
    """The answer to a command on IRC."""
    asked = Asked(
        sender="Alice_",
        account=account,
        network="irc",
        channel="#lobby",
        session="irc:#lobby",
        trace_id="t",
        text=f"!{name}",
        words=name,
        heard_at=utc_now(),
    )
    command = captain.parts.commands.get(name)
    assert command is not None
    return await captain.parts.desk.answer(command, asked, given)


async def test_who_subscribes_is_told_in_private_of_what_happens_to_delegations(
    captain: Member, sandbox: Sandbox
) -> None:
    works(captain)
    guest = await client(sandbox, GUEST)
    await guest.use("subscribe", topic="Delegation.failed")
    told = await answered(guest)
    assert told["flags"] & 64, "for the asker's eyes alone"
    assert told["content"] == "You will be told of delegation.failed."
    async with captain.store.writing() as unit:
        for name, state in (("first", DelegationState.DONE), ("second", DelegationState.FAILED)):
            made, _ = await delegations.add(unit, new(name))
            held = await delegating.claim(unit, made.id or 0, "rook", 1, utc_now())
            assert held is not None
            assert await delegating.finish(unit, held, Outcome(state=state), utc_now())
    said = await direct(guest, "delegation.failed")
    assert "what captain gave rook has failed [delegation:D-second]" in said
    assert "D-first" not in said


async def test_what_is_wrong_is_said(captain: Member, sandbox: Sandbox) -> None:
    guest = await client(sandbox, GUEST)
    wrong: tuple[tuple[dict[str, Any], str], ...] = (
        ({"topic": "delegaton"}, "did you mean delegation?"),
        ({"topic": "kill", "quiet": "22-7"}, "write 22:00-07:00"),
        ({"topic": "kill", "channel": "#lobby"}, "only an operator may do that"),
    )
    for given, words in wrong:
        await guest.use("subscribe", **given)
        assert words in (await answered(guest))["content"]
    await guest.use("unsubscribe", topic="kill")
    assert "no subscription to 'kill'" in (await answered(guest))["content"]


async def test_what_one_has_is_listed_read_and_ended(captain: Member, sandbox: Sandbox) -> None:
    guest = await client(sandbox, GUEST)
    await guest.use("subscribe", topic="kill", quiet="00:00-23:59 Europe/Berlin")
    assert "but not from 00:00-23:59 Europe/Berlin" in (await answered(guest))["content"]
    async with captain.store.writing() as unit:
        await events.record(unit, topic="kill", agent="supervisor", text="killed!", at=utc_now())
        await events.hand_out(unit, utc_now())
    await guest.use("subscriptions")
    listed = (await answered(guest))["content"]
    assert "kill: quiet 00:00-23:59 Europe/Berlin; 1 event unread" in listed
    await guest.use("unsubscribe", topic="kill")
    assert "not be told of kill any more" in (await answered(guest))["content"]
    await guest.use("unread")
    assert "killed!" in (await answered(guest))["content"]
    await guest.use("unread")
    assert "nothing unread" in (await answered(guest))["content"]
    async with captain.store.reading() as unit:
        verbs = [entry.verb for entry in await audit.entries(unit, "captain")]
    assert [verb for verb in verbs if "subscribe" in verb] == ["subscribe", "unsubscribe"]


async def test_on_irc_the_account_counts_not_the_nick(captain: Member) -> None:
    assert "log in to an account" in await say(captain, "subscribe", None, topic="kill")
    assert await say(captain, "subscribe", "alice", topic="kill") == "You will be told of kill."
    assert "no subscriptions" in await say(captain, "subscriptions", "mallory")
    said = await say(captain, "subscribe", "mallory", topic="kill", channel="#lobby")
    assert said.startswith("No: only an operator")
    said = await say(captain, "subscribe", "alice", topic="kill", channel="#Lobby")
    assert said == "#Lobby will be told of kill."
    async with captain.store.writing() as unit:
        await events.record(unit, topic="kill", agent="supervisor", text="killed!", at=utc_now())
        await events.hand_out(unit, utc_now())
        waiting = await deliveries.waiting(unit, utc_now())
    assert {one.subscription.address for one in waiting} == {"irc:nick:Alice_", "irc:#lobby"}
