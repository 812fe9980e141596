"""The swarm that is measured: 24 agents, with a channel each beside the common one."""

from __future__ import annotations

import json
import shutil
import sqlite3
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import Any

import psutil

from bots.tour.sandbox import Sandbox

AGENTS = 24
SOULS = ("captain", "tech-lead", "secretary", "auditor", "harvester", "buyer")


def config(agents: int = AGENTS, *, discord: bool = False) -> str:
    """A swarm.toml of agents `bot01` …, all in #lobby, each pair in one channel more; on IRC, and
    on the sandbox guild too where it is asked for.
    """
    switches = (
        f"[sandbox]\ndiscord = {json.dumps(discord)}\n[console]\nenabled = {json.dumps(discord)}\n"
    )
    lobby = '[[channels]]\nname = "#lobby"\neverybody = true\n'
    tables = [f'[swarm]\nname = "bench"\n{switches}{lobby}']
    for number in range(1, agents + 1):
        soul = SOULS[number % len(SOULS)]
        channel = json.dumps([f"#room{(number + 1) // 2}"])
        tables.append(
            f'[[agents]]\nname = "bot{number:02}"\nrole = "{soul}"\nsoul = "{soul}"\n'
            f"channels = {channel}\n"
        )
    return "\n".join(tables)


@asynccontextmanager
async def swarm(text: str | None = None) -> AsyncIterator[Sandbox]:
    """A sandbox in a temporary folder, not started; ended and removed afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="parley-bench-"))
    sandbox = Sandbox(folder, text or config())
    try:
        yield sandbox
    finally:
        await sandbox.stop()
        shutil.rmtree(folder, ignore_errors=True)


def cpu_s(pids: list[int]) -> float:
    """CPU seconds, user and system, of these processes so far."""
    total = 0.0
    for pid in pids:
        try:
            times = psutil.Process(pid).cpu_times()
        except psutil.NoSuchProcess:
            continue
        total += times.user + times.system
    return total


def rows(sandbox: Sandbox, query: str, *values: Any) -> list[tuple[Any, ...]]:
    """One SELECT on the swarm's store."""
    path = f"file:{sandbox.state.database}?mode=ro"
    with closing(sqlite3.connect(path, uri=True, timeout=10)) as connection:
        return connection.execute(query, values).fetchall()
