"""Supervisors end with everything they started, share nothing by mistake, and mend what hangs."""

from __future__ import annotations

import asyncio
import os
import pty
import signal
import socket
import sys
from collections.abc import Callable
from contextlib import closing
from functools import partial

import psutil

from tests.acceptance.stage import ROOT, Swarm, until
from tests.acceptance.traffic import (
    answers_to,
    chains_hold,
    family,
    gone,
    pid_now,
    reborn,
    settled,
    states,
)

Make = Callable[..., Swarm]


async def test_nothing_outlives_a_supervisor_however_it_ends(swarm: Make) -> None:
    one = swarm(more="[limits]\ncoalesce_s = 0.7\n")
    await one.up()
    alice = await one.person("alice")
    alice.say("secretary: who mentioned teal?")
    alice.say("captain: who mentioned teal?")
    await until(lambda: len(one.rows("select 1 from inbox")) == 2, "both are owed")
    everything = family(one)
    os.kill(one.supervisor["pid"], signal.SIGKILL)
    await gone(everything, within_s=5)
    assert not one.processes()

    await one.up()
    await settled(one)
    sent = one.rows("select agent, count(*) from reply where state = 'sent' group by agent")
    assert sorted(sent) == [("captain", 1), ("secretary", 1)]

    everything = family(one)
    bob = await one.person("bob")
    os.kill(one.supervisor["pid"], signal.SIGTERM)
    await bob.sees(r":secretary!.* QUIT :.*until later")
    await gone(everything, within_s=10)
    assert not one.processes()
    assert (await one.run("status")).code == 3
    assert (await one.run("down")).code == 3

    terminal = await _up_in_a_terminal(one)
    await until(lambda: states(one) == {"ready"}, "the swarm in the terminal is ready")
    everything = family(one)
    os.killpg(terminal.pid, signal.SIGINT)
    async with asyncio.timeout(15):
        code = await terminal.wait()
    assert code in (0, 130)
    await gone(everything, within_s=1)
    assert not one.processes()
    rows = one.rows("select distinct state, holder from agent")
    assert rows == [("stopped", None)]
    await chains_hold(one)


def _is_another(one: Swarm, pid: int) -> bool:
    return pid_now(one, "captain") != pid


async def _up_in_a_terminal(one: Swarm) -> asyncio.subprocess.Process:
    """`up` in the foreground of a terminal of its own."""
    facts = one.folder / ".parley/supervisor.json"
    ours, theirs = pty.openpty()
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, str(ROOT / "run.py"), "up", "--config", str(one.folder / "swarm.toml")),
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
    )
    os.close(theirs)
    # A terminal whose output nobody reads would stop who writes.
    asyncio.get_running_loop().add_reader(ours, os.read, ours, 65536)
    await until(facts.exists, "it tells how to reach it")
    asyncio.get_running_loop().remove_reader(ours)
    asyncio.get_running_loop().add_reader(ours, _drain, ours)
    return process


def _drain(terminal: int) -> None:
    try:
        os.read(terminal, 65536)
    except OSError:  # the other side is closed
        asyncio.get_running_loop().remove_reader(terminal)
        os.close(terminal)


async def test_two_supervisors_never_run_one_agent(swarm: Make) -> None:
    one = swarm(agents=("captain", "secretary"))
    await one.up()
    assert (await one.run("up", "--detach")).code == 5
    assert (await one.run("up")).code == 5

    # Another state folder, the same database.
    other = swarm(
        agents=("captain", "secretary"),
        swarm_table=f'[swarm]\nname = "test"\ndatabase_url = "sqlite:///{one.database}"\n',
    )
    done = await other.run("up", "--detach")
    assert done.code == 1
    assert "captain" in done.err
    told = (await other.status())["agents"]
    assert {a["state"] for a in told} == {"failed"}
    assert all("is run by" in a["reason"] for a in told)
    assert states(one) == {"ready"}

    before = one.rows("select max(epoch) from agent")
    assert (await one.run("down")).code == 0
    await other.becomes("ready", within_s=15)
    assert one.rows("select max(epoch) from agent") > before
    alice = await other.person("alice")
    await alice.asks("secretary: who mentioned veery?", r":secretary!.*alice: .*veery")


async def test_what_hangs_is_replaced_and_what_keeps_crashing_is_given_up(swarm: Make) -> None:
    with closing(socket.socket()) as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        one = swarm(
            more="[limits]\ncrashes = 2\n"
            f'[[agents]]\nname = "usher"\nrole = "x"\nsoul = "secretary"\nhook_port = {port}\n'
            'transports = ["irc"]\n'
            '[[agents]]\nname = "guest"\ntransports = ["irc"]\nrole = "x"\nsoul = "secretary"\n'
            'irc.password = "file:absent"\n'
            '[[agents]]\nname = "ghost"\ntransports = ["irc"]\nrole = "x"\nsoul = "nobody"\n'
        )
        done = await one.run("up", "--detach")
        assert done.code == 1
        assert "usher" in done.err
        others = ("captain", "secretary", "auditor")
        await one.becomes("ready", *others)
        hung = await one.pid_of("auditor")
        os.kill(hung, signal.SIGSTOP)
        stopped_at = asyncio.get_running_loop().time()

        await one.becomes("failed", "usher", "guest", "ghost")
        reasons = {a["name"]: a["reason"] for a in (await one.status())["agents"]}
        assert str(port) in reasons["usher"]
        assert "absent" in reasons["guest"]
        assert "gave up after too many crashes" in reasons["ghost"]

    # The captain crashes three times, then not any more.
    for _ in range(3):
        pid = await until(lambda: pid_now(one, "captain"), "the captain has a process")
        os.kill(pid, signal.SIGKILL)
        await gone([pid], within_s=5)
        await until(partial(_is_another, one, pid), "its death is known")
    await one.becomes("failed", "captain")
    assert "signal 9" in (await one.agent("captain"))["reason"]
    await one.becomes("ready", "secretary")

    await one.becomes("hung", "auditor", within_s=10)
    # Its last word was at most a second old.
    assert 3.9 < asyncio.get_running_loop().time() - stopped_at < 9
    for name in ("captain", "usher"):
        assert (await one.run("restart", name)).code == 0
        await one.becomes("ready", name)
    await reborn(one, "auditor", hung)
    assert asyncio.get_running_loop().time() - stopped_at < 20
    assert not psutil.pid_exists(hung)
    alice = await one.person("alice")
    await alice.asks("auditor: who mentioned wigeon?", r":auditor!.*alice: .*wigeon")
    assert len(answers_to(alice, "wigeon")) == 1
