"""Programs and fork servers that end, hang or cannot start are started again."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import psutil
import pytest
import structlog

from bots.supervisor.nursery import Nurseries, Nursery, NurseryClosed
from bots.supervisor.ports import free_port
from bots.supervisor.service import Program, Service, ServiceFailed
from tests.acceptance.stage import until

LOG = structlog.get_logger()
_LISTENS = "import socket,sys,time; s=socket.create_server(('127.0.0.1', int(sys.argv[1]))); "


def program(port: int, then: str = "time.sleep(600)") -> Program:
    return Program("listens", [sys.executable, "-c", _LISTENS + then, str(port)], port)


@asynccontextmanager
async def service(folder: Path, one: Program, log: Any = LOG) -> AsyncIterator[Service]:
    kept = Service(one, folder / "listens.log", rng=random.Random(1), log=log)
    await kept.start()
    try:
        yield kept
    finally:
        await kept.stop()


async def test_a_dead_program_is_started_again_on_its_port(tmp_path: Path) -> None:
    async with service(tmp_path, program(free_port())) as kept:
        first = kept.pid
        assert first is not None
        os.kill(first, signal.SIGKILL)
        await until(lambda: kept.up and kept.pid not in (None, first), "it is back")
        assert kept.restarts == 1
        second = kept.pid
    assert second is not None
    assert not psutil.pid_exists(second)


class Tries(list[str]):
    """A log that keeps what could not be started."""

    def warning(self, event: str, **_facts: object) -> None:
        if event == "service.unstartable":
            self.append(event)


async def test_a_program_is_started_as_soon_as_it_can_be(tmp_path: Path) -> None:
    folder = tmp_path / "logs"
    folder.mkdir()
    tries = Tries()
    async with service(folder, program(free_port()), tries) as kept:
        away = folder.rename(tmp_path / "away")
        first = kept.pid
        assert first is not None
        os.kill(first, signal.SIGKILL)
        await until(lambda: not kept.up, "its death is known")
        await until(lambda: len(tries) > 1, "it is tried in vain")
        assert kept.pid is None
        away.rename(folder)
        await until(lambda: kept.up, "it is back")


async def test_a_program_that_does_not_come_up_is_told_with_its_log(tmp_path: Path) -> None:
    silent = Program("mute", [sys.executable, "-c", "raise SystemExit('no')"], free_port())
    kept = Service(silent, tmp_path / "mute.log", rng=random.Random(1), log=LOG)
    with pytest.raises(ServiceFailed, match=r"mute\.log"):
        await kept.start(within_s=1)
    assert "no" in (tmp_path / "mute.log").read_text()


async def test_a_dead_fork_server_is_replaced(tmp_path: Path) -> None:
    forks = Nurseries(tmp_path / "agents.log", "sqlite3", lambda *_: None, LOG)
    await forks.start()
    first = (await forks.current()).pid
    assert first is not None
    os.kill(first, signal.SIGKILL)
    await until(lambda: not psutil.pid_exists(first), "it is dead")
    await until(lambda: forks.pid not in (None, first), "there is another")
    another = await forks.current()
    await forks.stop()
    assert another.pid is not None
    assert not psutil.pid_exists(another.pid)


async def test_a_fork_server_that_hangs_is_ended(tmp_path: Path) -> None:
    gone = asyncio.Event()
    one = Nursery(on_exit=lambda *_: None, on_death=gone.set)
    with (tmp_path / "agents.log").open("ab") as output:
        await one.start(output.fileno(), [])
    assert one.pid is not None
    os.kill(one.pid, signal.SIGSTOP)
    ours, theirs = socket.socketpair()
    with ours, theirs, pytest.raises(NurseryClosed):
        await one.spawn("secretary", theirs, within_s=0.5)
    async with asyncio.timeout(5):
        await gone.wait()
