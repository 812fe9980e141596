"""Everything is killed at random under traffic, and DESIGN's third promise holds.

The seed is printed; `PARLEY_CHAOS_SEED` sets it and `PARLEY_CHAOS_S` the length, in seconds.
"""

from __future__ import annotations

import asyncio
import os
import random
import re
import signal
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime

import psutil
import pytest

from tests.acceptance.crowd import Client, Delivered, Talker, Watcher
from tests.acceptance.stage import Swarm
from tests.acceptance.traffic import (
    Talk,
    chains_hold,
    fork_server,
    listener,
    pid_now,
    service,
    settled,
    stored,
)

Make = Callable[..., Swarm]

AGENTS = ("captain", "secretary", "auditor", "harvester")
PEOPLE = ("alice", "bob", "carol")
#: an agent that read a line and lives this long has stored it, or knows that another one has
STORED_WITHIN_S = 5.0
#: what the server wrote this shortly before its death may have reached one client and not another
TORN_S = 0.5


@dataclass
class Faults:
    """A seeded schedule of deaths and faints, and what it did when."""

    swarm: Swarm
    rng: random.Random
    #: agent → moments at which it was killed
    killed: dict[str, list[float]] = field(default_factory=lambda: {a: [] for a in AGENTS})
    #: agent → from when to when it was stopped
    stopped: dict[str, list[tuple[float, float]]] = field(
        default_factory=lambda: {a: [] for a in AGENTS}
    )
    server_died: list[float] = field(default_factory=list)
    count: Counter[str] = field(default_factory=Counter)

    async def rage(self, for_s: float) -> None:
        loop = asyncio.get_running_loop()
        until_s = loop.time() + for_s
        kinds = (self._agent, self._listener, self._faint, self._fork_server, self._nats, self._irc)
        while loop.time() < until_s:
            await asyncio.sleep(self.rng.uniform(0.5, 3))  # the schedule's own pace
            fault = self.rng.choices(kinds, weights=(4, 3, 4, 1, 2, 1))[0]
            # What is being born again cannot be killed.
            with suppress(ProcessLookupError, StopIteration, psutil.NoSuchProcess, ValueError):
                await fault()
                self.count[fault.__name__.strip("_")] += 1

    async def _agent(self) -> None:
        self._kill(self.rng.choice(AGENTS))

    async def _listener(self) -> None:
        self._kill(listener(self.swarm))

    async def _faint(self) -> None:
        agent = self.rng.choice(AGENTS)
        pid = self._pid(agent)
        os.kill(pid, signal.SIGSTOP)
        began_s = asyncio.get_running_loop().time()
        await asyncio.sleep(self.rng.uniform(0.2, 4))  # for so long it lies there
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGCONT)
        self.stopped[agent].append((began_s, asyncio.get_running_loop().time()))

    async def _fork_server(self) -> None:
        os.kill(fork_server(self.swarm), signal.SIGKILL)
        for agent in AGENTS:
            self.killed[agent].append(asyncio.get_running_loop().time())

    async def _nats(self) -> None:
        os.kill(await service(self.swarm, "nats"), signal.SIGKILL)

    async def _irc(self) -> None:
        os.kill(await service(self.swarm, "irc"), signal.SIGKILL)
        self.server_died.append(asyncio.get_running_loop().time())

    def _kill(self, agent: str) -> None:
        os.kill(self._pid(agent), signal.SIGKILL)
        self.killed[agent].append(asyncio.get_running_loop().time())

    def _pid(self, agent: str) -> int:
        pid = pid_now(self.swarm, agent)
        if pid is None:
            raise ProcessLookupError(agent)
        return pid

    def surely_read(self, line: Delivered) -> bool:
        """Whether some agent must have read this line and lived to see it stored."""
        return bool(self.readers_of(line))

    def readers_of(self, line: Delivered) -> set[str]:
        """The agents that must have read this line and lived to see it stored."""
        if any(line.at_s <= died_s + 0.1 < line.at_s + TORN_S for died_s in self.server_died):
            return set()
        return {a for a in line.present & set(AGENTS) if self._lived_on(a, line.at_s)}

    def _lived_on(self, agent: str, at_s: float) -> bool:
        woke_s = max(
            (end for begin, end in self.stopped[agent] if begin <= at_s < end), default=at_s
        )
        return not any(at_s - 0.5 < t < woke_s + STORED_WITHIN_S for t in self.killed[agent])


@pytest.mark.timeout(240)
async def test_under_chaos_every_line_is_stored_once_and_answered_at_most_once(swarm: Make) -> None:
    seed = int(os.environ.get("PARLEY_CHAOS_SEED") or 42)
    length_s = float(os.environ.get("PARLEY_CHAOS_S", "20"))
    print(f"PARLEY_CHAOS_SEED={seed}")
    rng = random.Random(seed)
    one = swarm(agents=AGENTS, more="[limits]\ncrashes = 100\ncrash_window_s = 5.0\n")
    port = (await one.up())["irc"]["port"]
    watcher = Watcher(Client("watcher", port))
    talkers = [Talker(Client(nick, port), AGENTS, random.Random(rng.random())) for nick in PEOPLE]
    faults = Faults(one, rng)

    listening = [asyncio.create_task(t.listen()) for t in talkers]
    listening.append(asyncio.create_task(watcher.watch()))
    talking = [asyncio.create_task(t.talk()) for t in talkers]
    try:
        await faults.rage(length_s)
        await one.becomes("ready", within_s=60)
    finally:
        for task in talking:
            task.cancel()
    # The last words get their answers, and everybody the time to store what it heard.
    await asyncio.sleep(STORED_WITHIN_S)
    await settled(one, within_s=60)
    await one.becomes("ready", within_s=30)
    for task in listening:
        task.cancel()
    print(f"{sum(len(t.said) for t in talkers)} lines said, faults: {dict(faults.count)}")

    _stored_once(one, watcher, talkers, faults)
    _answered_once(one, watcher, faults)
    await chains_hold(one)
    assert all(s["up"] for s in (await one.status())["services"])


def _stored_once(one: Swarm, watcher: Watcher, talkers: list[Talker], faults: Faults) -> None:
    record = stored(one)
    said: Talk = Counter((t.client.nick, text) for t in talkers for text in t.said)
    people: Talk = Counter({k: n for k, n in record.items() if k[0] in PEOPLE})
    assert not people - said, f"stored more often than said: {people - said}"
    certain: Talk = Counter((d.sender, d.text) for d in watcher.delivered if faults.surely_read(d))
    lost = certain - record
    assert not lost, f"read and not stored: {lost}\n{_story(one, watcher, faults, lost)}"
    share = sum(certain.values()) / max(len(watcher.delivered), 1)
    print(f"{len(watcher.delivered)} lines delivered, {share:.0%} surely read by some agent")


def _story(one: Swarm, watcher: Watcher, faults: Faults, lost: Talk) -> str:
    """When the lost lines were delivered and stored, and what broke meanwhile, in seconds."""
    now_s, now = asyncio.get_running_loop().time(), datetime.now(UTC)
    told = [f"killed {faults.killed}", f"stopped {faults.stopped}", f"irc {faults.server_died}"]
    for sender, text in lost:
        at = [
            f"{d.at_s:.2f} to {', '.join(sorted(faults.readers_of(d))) or 'nobody for sure'}"
            for d in watcher.delivered
            if (d.sender, d.text) == (sender, text)
        ]
        rows = one.rows(
            "select id, heard_by, heard_at from message where sender = ? and text = ?", sender, text
        )
        told.append(f"{sender}: {text!r} delivered {at}, stored:")
        for number, by, heard_at in rows:
            ago_s = (now - datetime.fromisoformat(heard_at).replace(tzinfo=UTC)).total_seconds()
            told.append(f"  {number} by {by} at {now_s - ago_s:.2f}")
    return "\n".join(told)


def _answered_once(one: Swarm, watcher: Watcher, faults: Faults) -> None:
    answers: Counter[str] = Counter()
    for line in watcher.delivered:
        if line.sender in AGENTS and (word := re.search(r"[a-z]+word\d+", line.text)):
            answers[word[0]] += 1
    twice = {word: n for word, n in answers.items() if n > 1}
    assert not twice, f"answered more than once: {twice}"
    states = dict(
        one.rows(
            "select m.text, i.state from inbox i join message m on m.id = i.message_id "
            "where m.agent is null"
        )
    )
    assert set(states.values()) <= {"answered", "unknown"}, Counter(states.values())
    asked = [
        d
        for d in watcher.delivered
        if d.sender in PEOPLE and re.match(r"[a-z-]+: who|!seen ", d.text) and faults.surely_read(d)
    ]
    lost = [d.text for d in asked if d.text not in states]
    assert not lost, f"addressed and never answered: {lost}"
    print(f"{len(asked)} questions, {dict(Counter(states.values()))}")
