"""`run.py replay` from the outside: what it prints, and its exit codes."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

import pytest

from bots.state import StateFolder
from bots.supervisor.folder_lock import lock

ROOT = Path(__file__).parents[3]
SWARM = '[[agents]]\nname = "captain"\nrole = "captain"\nchannels = ["#lab"]\n'
LOG = "[10:00] <captain> I am no agent\n[10:01] <bob> hi\nwhat is this\n[10:09] <bob> later\n"


class Heard(Protocol):
    def talk(self) -> list[tuple[str, str]]: ...
    async def catch_up(self) -> None: ...


@pytest.fixture
def config(tmp_path: Path) -> Path:
    (tmp_path / "day.txt").write_text(LOG)
    path = tmp_path / "swarm.toml"
    path.write_text(SWARM)
    return path


@pytest.fixture
def swarm(config: Path, irc_port: int) -> Iterator[Path]:
    """A state folder as a running supervisor leaves it: locked, and saying where IRC is."""
    state = StateFolder(config.parent / ".parley")
    state.create()
    held = lock(state)
    state.write_supervisor({"irc": {"host": "127.0.0.1", "port": irc_port}})
    yield config
    os.close(held)


async def _start(config: Path, *words: str) -> asyncio.subprocess.Process:
    command = [str(ROOT / "run.py"), "replay", str(config.parent / "day.txt"), *words]
    return await asyncio.create_subprocess_exec(
        sys.executable,
        *command,
        "--config",
        str(config),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )


async def _replay(config: Path, *words: str) -> tuple[int | None, str, str]:
    process = await _start(config, *words)
    async with asyncio.timeout(60):
        out, err = await process.communicate()
    return process.returncode, out.decode(), err.decode()


async def test_speaks_and_reports(swarm: Path, listener: Heard) -> None:
    code, out, err = await _replay(swarm, "--channel", "#lab")
    await listener.catch_up()
    assert listener.talk() == [("captain_", "I am no agent"), ("bob", "hi"), ("bob", "later")]
    assert code == 0
    assert "3 lines spoken in #lab by 2 connections" in out
    assert "line 3 is not understood: 'what is this'" in err
    assert "no agent sits in" not in err


async def test_says_when_nobody_of_the_swarm_listens(swarm: Path) -> None:
    code, _, err = await _replay(swarm, "--channel", "#elsewhere")
    assert code == 0
    assert "no agent sits in #elsewhere" in err


async def test_control_c_ends_a_slow_replay_and_its_connections(
    swarm: Path, listener: Heard
) -> None:
    process = await _start(swarm, "--channel", "#lab", "--speed", "1")
    async with asyncio.timeout(30):
        while not listener.talk():
            await listener.catch_up()
        process.send_signal(signal.SIGINT)
        assert await process.wait() == 130
    await listener.catch_up()
    assert listener.talk() == [("captain_", "I am no agent")]


async def test_without_a_swarm(config: Path) -> None:
    code, _, err = await _replay(config, "--channel", "#lab")
    assert code == 3
    assert "no swarm runs here" in err


async def test_a_day_is_stored_once_with_the_swarm_down(config: Path) -> None:
    words = ("--channel", "#lab", "--day", "2008-04-27")
    code, out, _ = await _replay(config, *words)
    assert (code, out) == (0, "3 lines stored in #lab, 0 were known already\n")
    code, out, _ = await _replay(config, *words)
    assert (code, out) == (0, "0 lines stored in #lab, 3 were known already\n")


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("--channel", "lab"), "a channel begins with '#'"),
        (("--channel", "#lab", "--speed", "0"), "write max, or a number above 0"),
        (("--channel", "#lab", "--day", "yesterday"), "'%Y-%m-%d'"),
        ((), "Missing option"),
    ],
)
async def test_mistakes_end_with_2(config: Path, words: tuple[str, ...], sentence: str) -> None:
    code, _, err = await _replay(config, *words)
    assert code == 2
    assert sentence in " ".join(err.split())


async def test_a_file_that_is_no_log(config: Path) -> None:
    (config.parent / "day.txt").write_text("hello\n")
    code, _, err = await _replay(config, "--channel", "#lab")
    assert code == 2
    assert "no line of it looks like a channel log" in err
