"""The moments at which a death hurts most: an agent's between sending and marking, and the guild
server's own.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from tests.acceptance.guild import Guest, Json
from tests.acceptance.outside import ALL_INTENTS, Outside, bot_token
from tests.acceptance.stage import Swarm, until
from tests.acceptance.traffic import chains_hold, reborn, service, settled

Make = Callable[..., Swarm]
Enter = Callable[..., Awaitable[Guest]]
AGENTS = ("captain", "secretary", "auditor")
#: from the guild server's death to an answer of everybody
BACK_WITHIN_S = 15.0


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


def answer_to(message: Json) -> Callable[[Json], bool]:
    return lambda m: (m.get("message_reference") or {}).get("message_id") == message["id"]


def said_after(message: Json, first: Json, agent: str) -> bool:
    return message["author"]["username"] == agent and int(message["id"]) > int(first["id"])


@contextmanager
def nobody_writes(swarm: Swarm) -> Iterator[None]:
    """The store's write lock is ours: whoever wants to write something down waits."""
    with closing(sqlite3.connect(swarm.database, timeout=10, isolation_level=None)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        yield


@pytest.mark.parametrize("channel", ["lobby", "@auditor"])
@pytest.mark.parametrize("arrived", [True, False], ids=["arrived", "on its way"])
async def test_killed_between_sending_and_marking_it_answers_once(
    swarm: Make, guest: Enter, channel: str, *, arrived: bool
) -> None:
    one = swarm(agents=AGENTS, transports=("discord",))
    await one.up()
    you = await guest(one)
    await you.asks("auditor", "who mentioned the tern?", channel)
    await settled(one)  # nobody is stopped in the middle of a write
    pid, server = await one.pid_of("auditor"), await service(one, "discord")

    # The server stands still from before the answer leaves until we say so.
    os.kill(pid, signal.SIGSTOP)
    asked = await you.say(f"{you.mention('auditor')} who mentioned the dunlin?", channel)
    # Told to us is told to the auditor's socket too.
    await you.sees("MESSAGE_CREATE", lambda m: m["id"] == asked["id"])
    os.kill(server, signal.SIGSTOP)
    os.kill(pid, signal.SIGCONT)
    await until(lambda: one.rows("select 1 from reply where state = 'sending'"), "a line leaves")
    if arrived:
        with nobody_writes(one):
            os.kill(server, signal.SIGCONT)
            await you.sees("MESSAGE_CREATE", answer_to(asked))
            os.kill(pid, signal.SIGKILL)
    else:
        os.kill(pid, signal.SIGKILL)
        os.kill(server, signal.SIGCONT)

    await reborn(one, "auditor", pid)
    await you.sees("MESSAGE_CREATE", answer_to(asked))
    await settled(one)
    await you.asks("auditor", "who mentioned the knot?", channel)
    [answer] = you.answers("auditor", asked)
    [(state, reply, proof)] = one.rows(
        "select i.state, r.state, r.proof from inbox i join message m on m.id = i.message_id "
        "join reply r on r.inbox_id = i.id where m.msgid = ?",
        asked["id"],
    )
    assert (state, reply) == ("answered", "sent")
    assert proof == f"id:{answer['id']}" or proof.startswith("record:")
    await chains_hold(one)


async def test_killed_between_two_parts_of_an_answer_it_says_the_rest_once(
    swarm: Make, guest: Enter, tmp_path: Path
) -> None:
    # The server makes everybody wait after two messages: the third part has not left yet.
    slow = {"limits": {"messages": 2, "messages_per_s": 1.5}}
    bots = dict.fromkeys(AGENTS, ALL_INTENTS)
    async with Outside(tmp_path / "guild", bots, slow) as outside:
        one = swarm(agents=AGENTS, transports=("discord",))
        outside.serve(one, {a: bot_token(a) for a in AGENTS})
        await one.up()
        people = [await guest(outside, name) for name in ("you", "guest1")]
        for number in range(18):
            await people[number % 2].say(f"line {number} " + f"it hums at {number} Hz, " * 20)
        you = people[0]
        pid = await one.pid_of("auditor")
        asked = await you.say(f"{you.mention('auditor')} the last 18 lines")
        first = await you.sees("MESSAGE_CREATE", answer_to(asked))
        await you.sees("MESSAGE_CREATE", lambda m: said_after(m, first, "auditor"))
        os.kill(pid, signal.SIGKILL)
        assert one.rows("select count(*) from reply where state = 'sending'") == [(3,)]
        await reborn(one, "auditor", pid)
        await settled(one)
        parts = [m for m in await you.history() if m["author"]["username"] == "auditor"]
        whole = "\n".join(part["content"] for part in parts)
        assert [whole.count(f"> line {n} ") for n in range(18)] == [1] * 18
        assert len(parts) == 3
        assert one.rows("select distinct state from reply") == [("sent",)]
        assert one.rows("select distinct state from inbox") == [("answered",)]


async def test_when_the_guild_server_dies_everybody_comes_back_by_themselves(
    swarm: Make, guest: Enter
) -> None:
    one = swarm(agents=AGENTS, transports=("discord",))
    await one.up()
    you = await guest(one)
    before = [await you.asks(a, f"who mentioned the {a}bird?") for a in AGENTS]
    loop = asyncio.get_running_loop()
    identities = [m["id"] for m in before]
    after = len(you.events)

    os.kill(await service(one, "discord"), signal.SIGKILL)
    died_s = loop.time()
    await you.sees("GUILD_CREATE", lambda _: True, after=after)
    # Who is not back yet finds this in the channel's history.
    asked = [await you.say(f"{you.mention(a)} who mentioned the {a}fish?") for a in AGENTS]
    for agent, message in zip(AGENTS, asked, strict=True):
        await until(
            lambda a=agent, m=message: you.answers(a, m),  # type: ignore[misc]
            f"the answer of {agent}",
            BACK_WITHIN_S,
        )
    print(f"everybody answered {loop.time() - died_s:.1f} s after the server's death")
    await one.becomes("ready")
    for agent in AGENTS:
        await you.asks(agent, "who mentioned the heron?")
    for agent, message in zip(AGENTS, asked, strict=True):
        assert len(you.answers(agent, message)) == 1
    again = [m for m in await you.history() if m["author"]["username"] in AGENTS]
    assert len(again) == 2 * len(AGENTS)
    assert not {m["id"] for m in again} & set(identities)
    await settled(one)
    await chains_hold(one)
