"""What acceptance tests stand on: a swarm in a folder of its own, people on IRC, and looks at the
record.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import sqlite3
import sys
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil

ROOT = Path(__file__).parents[2]
PATIENCE_S = 20.0
_LOOK_EVERY_S = 0.02

SWARM = """
[swarm]
name = "test"
[console]
enabled = false
"""
CHANNELS = """
[[channels]]
name = "#lobby"
everybody = true
[[channels]]
name = "#quiet"
listen_only = true
"""


#: what agents can do, and to whom they may hand work
_CAN = {"secretary": ["summarise", "search"], "auditor": ["audit", "verify"]}
_GIVES_TO = {"captain": ["all"]}


async def until(met: Callable[[], Any], what: str, within_s: float = PATIENCE_S) -> Any:
    """Wait until `met()` is true and give its value; fail with `what` after `within_s`."""
    deadline = asyncio.get_running_loop().time() + within_s
    while not (found := met()):
        if asyncio.get_running_loop().time() > deadline:
            raise AssertionError(f"not within {within_s:g} s: {what}")
        await asyncio.sleep(_LOOK_EVERY_S)  # a look, not a hope: the deadline decides
    return found


@dataclass
class Done:
    """What a command line printed, and its exit code."""

    code: int
    out: str
    err: str


@dataclass
class Swarm:
    folder: Path
    _people: list[Person] = field(default_factory=list)

    @classmethod
    def make(  # noqa: PLR0917 - as tests order a swarm
        cls,
        folder: Path,
        agents: tuple[str, ...],
        more: str,
        swarm_table: str = SWARM,
        transports: tuple[str, ...] = ("irc",),
        gives_to: Mapping[str, Sequence[str]] = _GIVES_TO,
    ) -> Swarm:
        folder.mkdir(parents=True)
        tables = "".join(
            f'[[agents]]\nname = "{name}"\nrole = "{name}"\nsoul = "{_soul(name)}"\n'
            f"transports = {json.dumps(transports)}\n"
            f"capabilities = {json.dumps(_CAN.get(name, []))}\n"
            f"may_delegate_to = {json.dumps(gives_to.get(name, []))}\n"
            for name in agents
        )
        (folder / "swarm.toml").write_text(swarm_table + CHANNELS + more + tables)
        return cls(folder)

    async def run(self, *words: str, within_s: float = 60) -> Done:
        """`run.py` with these words and this swarm's configuration; the first may be two, such as
        ``workflow run``.
        """
        command, *rest = words
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            str(ROOT / "run.py"),
            *command.split(),
            "--config",
            str(self.folder / "swarm.toml"),
            *rest,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        async with asyncio.timeout(within_s):
            out, err = await process.communicate()
        assert process.returncode is not None
        return Done(process.returncode, out.decode(), err.decode())

    async def up(self, *words: str) -> dict[str, Any]:
        """Start it and return its status."""
        done = await self.run("up", "--detach", *words)
        assert done.code == 0, done.err + done.out
        return await self.status()

    async def status(self) -> dict[str, Any]:
        """The report of `status --json`, straight from the supervisor: a process a look is too
        slow.
        """
        return await asyncio.to_thread(self._status)

    def _status(self) -> dict[str, Any]:
        facts = self.supervisor
        request = urllib.request.Request(
            f"{facts['control_url']}/status", headers={"Authorization": f"Bearer {facts['token']}"}
        )
        with urllib.request.urlopen(request, timeout=10) as response:
            report: dict[str, Any] = json.load(response)
            return report

    async def pid_of(self, agent: str) -> int:
        pid = (await self.agent(agent))["pid"]
        assert isinstance(pid, int)
        return pid

    async def agent(self, name: str) -> dict[str, Any]:
        """This agent's part of the status."""
        agents = (await self.status())["agents"]
        return next(a for a in agents if a["name"] == name)

    async def becomes(self, state: str, *names: str, within_s: float = PATIENCE_S) -> None:
        """Wait until these agents (all when none is named) are in `state`."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + within_s
        while True:
            agents = (await self.status())["agents"]
            meant = [a for a in agents if not names or a["name"] in names]
            if {a["state"] for a in meant} == {state}:
                return
            others = {a["name"]: (a["state"], a["reason"]) for a in meant if a["state"] != state}
            assert loop.time() < deadline, f"not {state} within {within_s:g} s: {others}"

    async def person(self, nick: str, *channels: str) -> Person:
        """Somebody on the swarm's IRC server, in #lobby unless other channels are named."""
        facts = json.loads((self.folder / ".parley/supervisor.json").read_text())
        person = await Person.connect(nick, facts["irc"]["port"], channels or ("#lobby",))
        self._people.append(person)
        return person

    @property
    def supervisor(self) -> dict[str, Any]:
        """Process id, door and token of the supervisor."""
        facts: dict[str, Any] = json.loads((self.folder / ".parley/supervisor.json").read_text())
        return facts

    @property
    def database(self) -> Path:
        return self.folder / ".parley/parley.sqlite"

    def rows(self, query: str, *values: Any) -> list[tuple[Any, ...]]:
        """Look into the store; the rows of one SELECT."""
        with closing(
            sqlite3.connect(f"file:{self.database}?mode=ro", uri=True, timeout=10)
        ) as connection:
            return connection.execute(query, values).fetchall()

    def logs(self, process: str) -> list[dict[str, Any]]:
        path = self.folder / f".parley/logs/{process}.log"
        lines = path.read_text().splitlines() if path.exists() else []
        return [json.loads(line) for line in lines if line.startswith("{")]

    def processes(self) -> list[psutil.Process]:
        """Everything that runs from this swarm's folder, zombies aside."""
        found = []
        for process in psutil.process_iter(["cmdline", "status"]):
            words = " ".join(process.info["cmdline"] or ())
            if str(self.folder) in words and process.info["status"] != psutil.STATUS_ZOMBIE:
                found.append(process)
        return found

    async def close(self) -> None:
        for person in self._people:
            await person.leave()
        await self.run("down")
        for process in self.processes():
            process.kill()


@dataclass
class Person:
    """A person on IRC: says lines, and sees everything that comes back."""

    nick: str
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    #: every line from the server, oldest first
    lines: list[str] = field(default_factory=list)
    _heard: asyncio.Event = field(default_factory=asyncio.Event)
    _reading: asyncio.Task[None] | None = None

    @classmethod
    async def connect(cls, nick: str, port: int, channels: tuple[str, ...]) -> Person:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        person = cls(nick, reader, writer)
        person._reading = asyncio.create_task(person._read())
        person.raw(f"NICK {nick}", f"USER {nick} 0 * :{nick}", f"JOIN {','.join(channels)}")
        for channel in channels:
            await person.sees(rf" 366 \S+ {re.escape(channel)} ")
        return person

    def raw(self, *lines: str) -> None:
        for line in lines:
            self.writer.write(line.encode() + b"\r\n")

    def say(self, text: str, target: str = "#lobby") -> None:
        self.raw(f"PRIVMSG {target} :{text}")

    async def sees(self, pattern: str, within_s: float = PATIENCE_S, after: int = 0) -> str:
        """The first line from the server (from index `after` on) that matches `pattern`."""
        seen = after
        try:
            async with asyncio.timeout(within_s):
                while True:
                    for line in self.lines[seen:]:
                        if re.search(pattern, line):
                            return line
                    seen = len(self.lines)
                    self._heard.clear()
                    await self._heard.wait()
        except TimeoutError:
            tail = "\n".join(self.lines[-8:])
            raise AssertionError(
                f"{self.nick} did not see {pattern!r}; the last lines:\n{tail}"
            ) from None

    async def asks(self, text: str, answer: str, target: str = "#lobby") -> str:
        """Say `text` and wait for a line that matches `answer`."""
        after = len(self.lines)
        self.say(text, target)
        return await self.sees(answer, after=after)

    def answers(self, pattern: str) -> list[str]:
        """All lines seen so far that match."""
        return [line for line in self.lines if re.search(pattern, line)]

    async def barrier(self) -> None:
        """Wait until the server has handled everything that we sent."""
        token = f"barrier-{len(self.lines)}-{id(self)}"
        self.raw(f"PING {token}")
        await self.sees(re.escape(token))

    async def leave(self) -> None:
        if self._reading is not None:
            self._reading.cancel()
        self.writer.close()

    async def _read(self) -> None:
        while line := await self.reader.readline():
            text = line.decode(errors="replace").rstrip("\r\n")
            if text.startswith("PING"):
                self.raw("PONG" + text[4:])
            self.lines.append(text)
            self._heard.set()


def kill_process(pid: int, number: int = signal.SIGKILL) -> None:
    os.kill(pid, number)


def _soul(name: str) -> str:
    return name if (ROOT / f"prompts/souls/{name}.md").exists() else "secretary"
