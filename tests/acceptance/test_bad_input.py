"""What cannot work is said in a sentence, harms nothing else, and mends itself where it can."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import socket
import sqlite3
import subprocess
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, closing, contextmanager
from pathlib import Path

import pytest

from tests.acceptance.stage import Swarm, until
from tests.acceptance.traffic import (
    all_stored,
    answers_to,
    out_of_order,
    service,
    settled,
    states,
    stopped,
)

Make = Callable[..., Swarm]


async def test_a_swarm_that_cannot_start_says_why_and_leaves_nothing_running(swarm: Make) -> None:
    with closing(socket.socket()) as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        one = swarm(agents=("captain",), more=f"[sandbox]\nirc_port = {port}\n")
        for words in (("up",), ("up", "--detach")):
            done = await one.run(*words)
            assert done.code == 1
            assert f"port {port} (sandbox.irc_port in swarm.toml) is in use" in done.err
        assert not one.processes()

    newer = swarm(agents=("captain",))
    newer.database.parent.mkdir()
    with closing(sqlite3.connect(newer.database)) as connection:
        connection.execute("create table alembic_version (version_num varchar(32) not null)")
        connection.execute("insert into alembic_version values ('v9999')")
        connection.commit()
    done = await newer.run("up", "--detach")
    assert done.code == 1
    assert "schema v9999, which this Parley does not know" in done.err
    assert "Traceback" not in done.err + done.out
    assert not newer.processes()

    wrong = swarm(agents=("captain",), more="[limits]\nmax_hop = 3\n")
    done = await wrong.run("up")
    assert done.code == 2
    assert re.search(r"limits\.max_hop: no such key.*'max_hops'", done.err, re.DOTALL)


@asynccontextmanager
async def refusing_server() -> AsyncIterator[tuple[int, list[str]]]:
    """An IRC server that wants a password and takes none; its port, and who knocked."""
    knocked: list[str] = []

    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while line := (await reader.readline()).decode():
            if line.startswith("NICK"):
                knocked.append(line.split()[1])
                writer.write(b":there 464 * :Password incorrect, ask root\r\n")
                writer.write(b"ERROR :Closing link\r\n")
                break
        writer.close()

    server = await asyncio.start_server(refuse, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1], knocked


async def test_a_refused_password_is_told_and_not_tried_again(swarm: Make) -> None:
    async with refusing_server() as (port, knocked):
        one = swarm(
            agents=("captain", "secretary"),
            more=f'[irc]\nhost = "127.0.0.1"\nport = {port}\nserver_password = "file:secret"\n',
        )
        (one.folder / "secret").write_text("guess")
        (one.folder / "secret").chmod(0o600)
        done = await one.run("up", "--detach")
        assert done.code == 1
        assert "captain" in done.err
        await one.becomes("failed")
        reasons = [a["reason"] for a in (await one.status())["agents"]]
        assert all("Password incorrect, ask root" in reason for reason in reasons)
        assert sorted(knocked) == ["captain", "secretary"]
        assert (await one.run("restart", "secretary")).code == 0
        await until(lambda: len(knocked) == 3, "a person may have it try again")
        await one.becomes("failed")


async def test_a_stranger_with_an_agents_nick_stays_a_stranger_and_cannot_start_a_loop(
    swarm: Make,
) -> None:
    host = swarm(agents=("captain",))
    await host.up()
    stranger = await host.person("auditor")
    port = host.supervisor["irc"]["port"]
    one = swarm(
        agents=("secretary", "auditor"),
        more=f'[irc]\nhost = "127.0.0.1"\nport = {port}\nburst = 50\n[limits]\npair_answers = 3\n',
    )
    await one.up()
    await one.becomes("ready", "secretary")
    auditor = await one.agent("auditor")
    assert (auditor["state"], auditor["irc"]) == ("degraded", "auditor_")
    assert "somebody else has the nick auditor" in auditor["reason"]

    alice = await host.person("alice")
    await alice.asks("auditor: who mentioned avocet?", r":auditor_!.*alice: .*avocet")
    stranger.say("alice: I am the auditor, believe me")
    # The answer to the stranger begins with "auditor:", and so addresses the agent of that name.
    for word in ("bunting", "crake", "dunlin"):
        await stranger.asks(
            f"secretary: who mentioned {word}?", rf":secretary!.*lobby :auditor: .*{word}"
        )
        await settled(one)
    between = one.rows(
        "select m.text, i.state, i.note from inbox i join message m on m.id = i.message_id "
        "where m.agent is not null"
    )
    answered = [row for row in between if row[1] == "answered"]
    assert answered
    assert len(answered) <= 2 * 3
    assert any(row[1] == "silent" for row in between)
    said = one.rows("select distinct agent from message where sender = 'auditor' and kind = 'said'")
    assert said == [(None,)]
    assert one.rows("select max(hops) from message")[0][0] <= 4
    # People are answered all the same.
    await alice.asks("secretary: who mentioned egret?", r":secretary!.*alice: .*egret")
    await alice.asks("auditor: who mentioned fieldfare?", r":auditor_!.*alice: .*fieldfare")

    await stranger.leave()
    await one.becomes("ready", "auditor")
    assert (await one.agent("auditor"))["irc"] == "auditor"
    await alice.asks("auditor: who mentioned goosander?", r":auditor!.*alice: .*goosander")


async def test_a_locked_database_and_a_dead_bus_lose_nothing(swarm: Make) -> None:
    one = swarm()
    await one.up()
    alice, control = await one.person("alice"), await one.person("control")
    said = [f"line {number % 3}" for number in range(9)]
    with (
        stopped(await service(one, "nats")),
        closing(sqlite3.connect(one.database, isolation_level=None)) as connection,
    ):
        connection.execute("BEGIN EXCLUSIVE")
        for text in said:
            alice.say(text)
        alice.say("secretary: who mentioned hoopoe?")
        alice.say("!seen jackdaw")
        await one.becomes("degraded", within_s=30)
        reasons = [a["reason"] for a in (await one.status())["agents"]]
        assert any("locked by another process" in reason for reason in reasons)
        alice.say("still there?")
        await until(
            lambda: all("the bus is away" in a["reason"] for a in one._status()["agents"]),
            "a bus that is stopped is known to be away",
        )
        assert states(one) == {"degraded"}
        connection.execute("ROLLBACK")
        # The bus is away still: work is found by looking.
        await alice.sees(r":secretary!.*alice: .*hoopoe")
        await alice.sees(r"alice: .*jackdaw")
        await all_stored(one, control, alice)
    everything = [*said, "secretary: who mentioned hoopoe?", "!seen jackdaw", "still there?"]
    assert not out_of_order(one, "alice", everything)
    await settled(one)
    await one.becomes("ready")
    assert len(answers_to(alice, "hoopoe")) == len(answers_to(alice, "jackdaw")) == 1


@contextmanager
def small_disk(folder: Path, megabytes: int) -> Iterator[None]:
    """A file system of its own at `folder`; the test is skipped where none can be mounted."""
    folder.mkdir(exist_ok=True)
    mount = ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "none", str(folder)]
    if os.getuid() != 0 or subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("only root may mount a small disk, and not in every container")
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


async def test_a_full_disk_is_told_and_mends_itself(swarm: Make) -> None:
    one = swarm()
    with small_disk(one.folder / ".parley", 8):
        await one.up()
        alice, control = await one.person("alice"), await one.person("control")
        alice.say("there is room")
        await all_stored(one, control, alice)
        filler = one.folder / ".parley/filler"
        _fill(filler)
        said = [f"{number} {'x' * 380}" for number in range(60)]
        for text in said:
            alice.say(text)
        await one.becomes("degraded", within_s=30)
        reasons = [a["reason"] for a in (await one.status())["agents"]]
        assert any("the disk is full" in reason for reason in reasons), reasons

        done = await one.run("kill", "--reason", "full")
        assert "3 of 3 have stopped" in done.out
        await one.becomes("killed")
        filler.unlink()
        assert (await one.run("resume", "--reason", "there is room again")).code == 0
        await one.becomes("ready", within_s=30)
        await all_stored(one, control, alice)
        assert not out_of_order(one, "alice", ["there is room", *said])
        await alice.asks("secretary: who mentioned kestrel?", r":secretary!.*alice: .*kestrel")
        os.kill(one.supervisor["pid"], signal.SIGTERM)
        await until(lambda: not one.processes(), "all have ended")


def _fill(path: Path) -> None:
    with path.open("wb", buffering=0) as file:
        for size in (65536, 4096, 512, 1):
            try:
                while file.write(b"\0" * size):
                    pass
            except OSError:
                continue
