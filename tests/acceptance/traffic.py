"""Talk in #lobby, and what must be true of it afterwards: stored once, in order, answered at most
once.
"""

from __future__ import annotations

import asyncio
import os
import re
import signal
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

from storage import audit
from storage.store import Store
from tests.acceptance.stage import Person, Swarm, until

_SAID = re.compile(r"^:([^!\s]+)!\S+ PRIVMSG #lobby :(.*)$")

Talk = Counter[tuple[str, str]]


def delivered(control: Person) -> Talk:
    """What the server delivered to this client, who never speaks: (nick, text) with its count."""
    return Counter((m[1], m[2]) for line in control.lines if (m := _SAID.match(line)))


def stored(swarm: Swarm) -> Talk:
    """What the record has of #lobby."""
    rows = swarm.rows("select sender, text from message where channel = '#lobby' and kind = 'said'")
    return Counter((sender, text) for sender, text in rows)


def difference(have: Talk, want: Talk) -> str:
    """Empty when both are equal, else what is missing and what is too much."""
    missing, extra = want - have, have - want
    return f"missing {dict(missing)}, too much {dict(extra)}" if missing or extra else ""


async def all_stored(swarm: Swarm, control: Person, *speakers: Person) -> None:
    """Wait until the record has exactly what `control` was told, each line as often as it was said.

    Everything that `speakers` have said so far is among it.
    """
    for person in (*speakers, control):
        await person.barrier()
    last = ""

    def same() -> bool:
        nonlocal last
        last = difference(stored(swarm), delivered(control))
        return not last

    try:
        await until(same, "the record equals what was said")
    except AssertionError:
        raise AssertionError(f"the record is not what was said: {last}") from None


def of(talk: Talk, *nicks: str) -> Talk:
    """What these nicks said."""
    return Counter({key: count for key, count in talk.items() if key[0] in nicks})


def out_of_order(swarm: Swarm, sender: str, said: Iterable[str]) -> str:
    """Empty when the record tells `sender`'s lines in the order in which they were said."""
    rows = swarm.rows(
        "select text, id, heard_by, heard_at from message "
        "where channel = '#lobby' and kind = 'said' and sender = ? order by said_at, id",
        sender,
    )
    for number, (want, row) in enumerate(zip(said, rows, strict=True)):
        if row[0] != want:
            near = "\n".join(str(r) for r in rows[max(number - 6, 0) : number + 6])
            return f"line {number} is not {want!r}:\n{near}"
    return ""


def answers_to(person: Person, word: str, nick: str = "") -> list[str]:
    """Lines of agents to this person (in the channel or in private) that carry `word`."""
    by = re.escape(nick) if nick else r"[^!]+"
    return person.answers(
        rf"^:{by}!\S+ PRIVMSG (#lobby :{person.nick}: |{person.nick} :).*{re.escape(word)}"
    )


async def settled(swarm: Swarm, within_s: float = 30) -> None:
    """Wait until nobody owes anything and nothing is being sent."""
    try:
        await until(lambda: not unsettled(swarm), "everything that is owed is settled", within_s)
    except AssertionError as error:
        raise AssertionError(f"{error}: {unsettled(swarm)}") from None


def unsettled(swarm: Swarm) -> list[tuple[object, ...]]:
    """What somebody owes or is sending, with the epochs that tell which process does."""
    owed = swarm.rows(
        "select i.id, i.agent, i.state, i.epoch, a.epoch, m.sender, m.text from inbox i "
        "join message m on m.id = i.message_id join agent a on a.name = i.agent "
        "where i.state in ('queued', 'working')"
    )
    sending = swarm.rows(
        "select id, agent, inbox_id, target, text from reply where state = 'sending'"
    )
    return [*owed, *sending]


def listener(swarm: Swarm) -> str:
    """The agent that keeps #lobby's record at present."""
    [(holder,)] = swarm.rows("select holder from lease where name = 'listener:irc:#lobby'")
    return str(holder)


def states(swarm: Swarm) -> set[str]:
    """The states that agents are in at this moment."""
    return {a["state"] for a in swarm._status()["agents"]}


def pid_now(swarm: Swarm, agent: str) -> int | None:
    """This agent's process id, None while it has no process."""
    pid: int | None = next(a["pid"] for a in swarm._status()["agents"] if a["name"] == agent)
    return pid


async def service(swarm: Swarm, name: str) -> int:
    """Process id of the server program itself, without the guard that may stand before it."""
    services = (await swarm.status())["services"]
    pid: int = next(s["pid"] for s in services if s["name"] == name)
    children = psutil.Process(pid).children()
    return int(children[0].pid) if children else pid


def fork_server(swarm: Swarm) -> int:
    supervisor = psutil.Process(swarm.supervisor["pid"])
    named = (c.pid for c in supervisor.children() if "forkserver" in " ".join(c.cmdline()))
    return int(next(named))


@contextmanager
def stopped(pid: int) -> Iterator[None]:
    """SIGSTOP for as long as the block lasts."""
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        if psutil.pid_exists(pid):
            os.kill(pid, signal.SIGCONT)


def unread(server: int, client: int) -> int:
    """Bytes that the process `client` has sent to the process `server`, and that one not read."""
    ports = {one.laddr.port for one in psutil.Process(client).net_connections("tcp")}
    held = {one.raddr.port for one in psutil.Process(server).net_connections("tcp") if one.raddr}
    size = 0
    for line in Path("/proc/net/tcp").read_text(encoding="ascii").splitlines()[1:]:
        _, _, remote, _, queues, *_ = line.split()
        if int(remote.partition(":")[2], 16) in ports & held:
            size += int(queues.partition(":")[2], 16)
    return size


async def gone(pids: Iterable[int], within_s: float) -> None:
    """Wait until none of these processes is left, zombies aside."""
    await until(lambda: not living(pids), "every process is gone", within_s)


def living(pids: Iterable[int]) -> list[str]:
    found = []
    for pid in pids:
        try:
            process = psutil.Process(pid)
            if process.status() != psutil.STATUS_ZOMBIE:
                found.append(f"{pid} {process.name()}")
        except psutil.NoSuchProcess:
            continue
    return found


def family(swarm: Swarm) -> list[int]:
    """Process ids of the supervisor and of everything below it."""
    supervisor = psutil.Process(swarm.supervisor["pid"])
    return [supervisor.pid, *(c.pid for c in supervisor.children(recursive=True))]


async def chains_hold(swarm: Swarm) -> None:
    """Every audit chain verifies."""
    store = await Store.open(f"sqlite:///{swarm.database}")
    try:
        async with store.reading() as unit:
            for agent in await audit.agents_audited(unit):
                assert await audit.verify(unit, agent) is None, agent
    finally:
        await store.close()


async def reborn(swarm: Swarm, agent: str, before: int, within_s: float = 20) -> None:
    """Wait until `agent` has another process than `before`, and that one is ready."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + within_s
    while True:
        now = await swarm.agent(agent)
        if now["pid"] not in (before, None) and now["state"] == "ready":
            return
        assert loop.time() < deadline, f"{agent} is not back: {now}"
        await asyncio.sleep(0.02)  # a look, not a hope: the deadline decides
