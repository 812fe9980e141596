"""The swarm on Discord: who is addressed answers, once, and nobody else; in the sandbox guild."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest

from tests.acceptance.guild import Guest
from tests.acceptance.stage import Swarm, until

Make = Callable[..., Swarm]
Enter = Callable[..., Awaitable[Guest]]
AGENTS = ("captain", "secretary", "auditor")


@pytest.fixture
async def guest() -> AsyncIterator[Enter]:
    """`guest(swarm, name)`: somebody online in the swarm's guild, gone after the test."""
    entered: list[Guest] = []

    async def enter(swarm: Swarm, name: str = "you") -> Guest:
        entered.append(await Guest.enter(swarm, name))
        return entered[-1]

    yield enter
    for one in entered:
        await one.leave()


def guild(swarm: Make, **more: str) -> Swarm:
    return swarm(agents=AGENTS, transports=("discord",), **more)


async def quiet(person: Guest, marker: str) -> None:
    """Everybody has handled what was said before: a question after it is answered."""
    for agent in AGENTS:
        await person.asks(agent, f"who mentioned {marker}{agent}?")


async def test_who_is_addressed_answers_once_and_nobody_else(swarm: Make, guest: Enter) -> None:
    one = guild(swarm)
    await one.up()
    you = await guest(one)

    await you.say("the mixer hums at 50 Hz")
    answer = await you.asks("secretary", "who mentioned the mixer?")
    assert "the mixer hums" in answer["content"]
    assert "offline brain" in answer["content"]
    assert answer["mentions"] == []

    await you.say("who are you?", "@auditor")
    private = await you.hears("auditor", "I am the auditor")
    assert private["channel_id"] == you.channel("@auditor")

    named = await you.say("captain: who is there?")
    await you.hears("captain", "3")
    for text in ("@everyone who is there?", "the secretary is asleep", "!status"):
        await you.say(text)
    await quiet(you, "owl")
    lobby = [m for m in await you.history() if m["author"]["username"] in AGENTS]
    assert [m["author"]["username"] for m in lobby] == ["secretary", "captain", *AGENTS]
    assert len(you.answers("captain", named)) == 1


async def test_a_persons_reply_is_an_address_and_a_pinging_bot_is_none(
    swarm: Make, guest: Enter
) -> None:
    one = guild(swarm)
    await one.up()
    you = await guest(one)
    first = await you.asks("secretary", "who mentioned the tern?")
    answering: dict[str, Any] = {"message_reference": {"message_id": first["id"]}}
    await you.say("not you", **answering, allowed_mentions={"parse": [], "replied_user": False})
    reply = await you.say("and the mixer?", **answering)
    await until(lambda: you.answers("secretary", reply), "the answer to the reply")
    await quiet(you, "heron")
    # The secretary's own answers were replies to a person; none of them called anybody.
    said = [m for m in await you.history() if m["author"]["username"] in AGENTS]
    assert len(said) == 2 + len(AGENTS)


async def test_what_was_said_while_the_agents_were_dead_is_answered_once(
    swarm: Make, guest: Enter
) -> None:
    one = guild(swarm)
    await one.up()
    you = await guest(one)
    await you.asks("secretary", "who mentioned the tern?")
    await you.say("hello", "@auditor")
    await you.hears("auditor", "", after=len(you.events))

    pids = [await one.pid_of(agent) for agent in AGENTS]
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    asked = [await you.say(f"{you.mention(a)} who mentioned the dunlin?") for a in AGENTS]
    hidden = await you.say("who are you?", "@auditor")
    for pid in pids:
        os.kill(pid, signal.SIGKILL)
    for agent, message in zip(AGENTS, asked, strict=True):
        await until(
            lambda a=agent, m=message: you.answers(a, m),  # type: ignore[misc]
            f"the answer of {agent}",
        )
    await until(lambda: you.answers("auditor", hidden), "the answer in private")
    await quiet(you, "knot")
    for agent, message in zip(AGENTS, asked, strict=True):
        assert len(you.answers(agent, message)) == 1


async def test_presence_is_health(swarm: Make, guest: Enter) -> None:
    one = guild(swarm)
    await one.up()
    you = await guest(one)
    auditor = you.mention("auditor").strip("<@>")

    def shows(status: str) -> Callable[[dict[str, object]], bool]:
        return lambda p: p["user"]["id"] == auditor and p["status"] == status  # type: ignore[index]

    after = len(you.events)
    await one.run("kill", "auditor", "--reason", "test")
    await you.sees("PRESENCE_UPDATE", shows("dnd"), after=after)
    killed = await you.say(f"{you.mention('auditor')} who are you?")
    await asyncio.gather(*(you.asks(a, "who is there?") for a in ("captain", "secretary")))
    assert you.answers("auditor", killed) == []
    after = len(you.events)
    await one.run("resume", "auditor", "--reason", "test")
    await you.sees("PRESENCE_UPDATE", shows("online"), after=after)


async def test_each_mention_has_a_thread_where_the_agent_goes_on_answering(
    swarm: Make, guest: Enter
) -> None:
    one = guild(swarm, more="[discord]\nthreads = true\n")
    await one.up()
    you = await guest(one)
    await you.say("the mixer hums at 50 Hz")
    asked = await you.say(f"{you.mention('secretary')} who mentioned the mixer?")
    thread = await you.sees("THREAD_CREATE", lambda t: t["id"] == asked["id"])
    assert thread["name"].startswith("secretary: who mentioned the mixer")
    answer = await you.hears("secretary", "the mixer hums")
    assert answer["channel_id"] == thread["id"]

    you.know_channel("thread", thread["id"])
    after = len(you.events)
    await you.say("and who mentioned the tern?", "thread")
    more = await you.hears("secretary", "tern", after=after)
    assert more["channel_id"] == thread["id"]
    lobby = [m for m in await you.history() if m["author"]["username"] in AGENTS and m["content"]]
    assert lobby == []


async def test_what_was_said_behind_a_closed_door_is_told_behind_it_only(
    swarm: Make, guest: Enter
) -> None:
    one = guild(swarm)
    await one.up("--sandbox-users", "1")
    you, stranger = await guest(one), await guest(one, "guest1")
    agents = [you.mention(a).strip("<@>") for a in AGENTS]
    see = 1 << 10
    closed = [
        {"id": you.guild, "type": 0, "deny": str(see), "allow": "0"},
        *({"id": a, "type": 1, "allow": str(see), "deny": "0"} for a in agents),
    ]
    path = f"/guilds/{you.guild}/channels"
    vault = await you.ask("POST", path, {"name": "vault", "permission_overwrites": closed})
    you.know_channel("vault", vault["id"])
    await you.say("the launch code is heron seven", "vault")
    inside = await you.asks("secretary", "who mentioned the launch code?", "vault")
    assert "heron seven" in inside["content"]

    for question in ("who mentioned the launch code?", "summarise #vault", "what did you say?"):
        outside = await stranger.asks("secretary", question)
        assert "heron" not in outside["content"]
        assert (
            "vault" not in outside["content"].replace("#vault", "", 1)
            or "I know no" in (outside["content"])
        )
