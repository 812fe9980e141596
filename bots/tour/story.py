"""The tour, step by step: up, talk, ask, kill, resume, a crash, down. Every step is checked."""

from __future__ import annotations

import json
import os
import signal
import statistics
from collections.abc import Sequence
from dataclasses import dataclass, field

from bots.replay.parse import Event, EventKind
from bots.replay.speak import Speaker
from bots.tour.guest import Answer, Guest, Line, NoReply
from bots.tour.questions import Question, Record, faults
from bots.tour.sandbox import Done, Sandbox
from bots.tour.teller import Teller

CHANNEL = "#lobby"
VISITOR = "visitor"
#: who is asked while killed, and whose process is ended
WITNESS = "captain"
VICTIM = "tech-lead"
#: so long nobody may speak after a kill
SILENCE_S = 1.0
#: a crashed agent is replaced after a pause that grows with every crash
REPLACED_WITHIN_S = 20.0
RESUMED_WITHIN_S = 10.0
_SHOWN = 3


@dataclass(frozen=True)
class Plot:
    """What is replayed and asked."""

    #: what the conversation is, in a few words
    about: str
    events: Sequence[Event]
    questions: Sequence[Question]


@dataclass
class Story:
    sandbox: Sandbox
    plot: Plot
    teller: Teller
    waits_s: list[float] = field(default_factory=list)
    slowest_stop_ms: float = 0.0
    replaced_s: float = 0.0

    async def tell(self) -> None:
        """All of it; raises `SandboxFailed`, `NoReply`, `Gone`, `OSError` where it cannot go on."""
        await self._up()
        guest = await Guest.enter(self.sandbox.irc, VISITOR, CHANNEL)
        try:
            await self._talk()
            await self._ask(guest)
            await self._kill(guest)
            await self._resume(guest)
            await self._crash(guest)
        finally:
            await guest.leave()
        await self._down()

    async def _up(self) -> None:
        self.teller.step("A swarm starts: every agent is a process of its own")
        self.teller.command("up")
        with self.teller.waiting("everybody gets ready"):
            took_s = await self.sandbox.start()
        status = await self.sandbox.status()
        names = [f"{a['name']} {a['pid']}" for a in status["agents"]]
        self.teller.tell(f"agents and their process ids: {', '.join(names)}")
        host, port = self.sandbox.irc
        self.teller.expect(
            len(names) == len(self.sandbox.settings.agents),
            f"{len(names)} agents are ready after {took_s:.1f} s, on IRC at {host}:{port}",
        )

    async def _talk(self) -> None:
        self.teller.step(f"People talk in {CHANNEL}")
        taken = frozenset({*(a.nick for a in self.sandbox.settings.agents), VISITOR})
        speaker = Speaker(*self.sandbox.irc, CHANNEL, taken=taken)
        events = self.plot.events
        try:
            with self.teller.waiting(f"{len(events)} things happen in {CHANNEL}"):
                await speaker.seat(events)
                spoken = await speaker.tell(events, [0.0] * len(events), lambda _count: None)
                await speaker.leave()
        finally:
            speaker.abort()
        lines = [e for e in events if e.kind is EventKind.SAID and e.text.strip()]
        for event in lines[:_SHOWN]:
            self.teller.said(event.nick, event.text)
        self.teller.tell(f"… and {max(0, len(lines) - _SHOWN)} lines more: {self.plot.about}")
        people = len({e.nick for e in lines})
        self.teller.expect(
            spoken.lines >= len(lines),
            f"{spoken.lines} lines by {people} people were spoken, over {spoken.connections} "
            "connections of their own",
        )

    async def _ask(self, guest: Guest) -> None:
        self.teller.step("A visitor asks, and the agents answer from what they heard")
        record = Record.of(self.plot.events)
        before = len(self.teller.failures)
        for question in self.plot.questions:
            try:
                answer = await self._exchange(guest, question.to, question.ask)
            except NoReply as error:
                self.teller.fault(f"“{question.ask}”: {error}")
                continue
            self.waits_s.append(answer.first_s)
            for fault in faults(question, answer.text, record):
                self.teller.fault(fault)
        if len(self.teller.failures) == before:
            number = len(self.plot.questions)
            self.teller.expect(number, f"all {number} answers hold what was said")

    async def _kill(self, guest: Guest) -> None:
        self.teller.step("The operator pulls the kill switch")
        reason = "the tour shows the switch"
        done = await self._command("kill", "all", "--reason", reason, "--json")
        report = json.loads(done.out) if done.code == 0 else {"confirmed_ms": {}, "forced": []}
        stopped = report["confirmed_ms"]
        self.slowest_stop_ms = max(stopped.values(), default=0.0)
        for name, after_ms in sorted(stopped.items(), key=lambda item: item[1]):
            self.teller.tell(f"{after_ms:6.1f} ms  {name} has stopped")
        agents = len(self.sandbox.settings.agents)
        self.teller.expect(
            len(stopped) == agents and not report["forced"],
            f"all {agents} confirmed, the slowest after {self.slowest_stop_ms:.0f} ms",
        )
        await self._silence(guest, reason)

    async def _silence(self, guest: Guest, reason: str) -> None:
        """A killed agent does not answer talk, but says by whom it was killed."""
        start = len(guest.lines)
        talk = self.plot.questions[0].ask if self.plot.questions else "who are you?"
        self._say(guest, WITNESS, talk)
        lines = await guest.listen(SILENCE_S, start)
        self.teller.expect(not lines, f"nobody spoke for {SILENCE_S:.1f} s")
        answer = await self._exchange(guest, WITNESS, "!status")
        self.teller.expect(
            "killed" in answer.text and reason in answer.text,
            f"{WITNESS} stayed connected and says why it is silent",
        )

    async def _resume(self, guest: Guest) -> None:
        self.teller.step("The operator resumes, with a reason")
        start = len(guest.lines)
        done = await self._command("resume", "--reason", "the switch was seen")
        self.teller.expect(done.code == 0, done.out.strip() or done.err.strip())
        await self.sandbox.until_all("ready", RESUMED_WITHIN_S)
        answer = await self._exchange(guest, WITNESS, "are you there?")
        said = [x for x in guest.lines[start:] if x.nick == WITNESS and x.command == "PRIVMSG"]
        self.teller.expect(
            len(said) == len(answer.lines),
            f"{WITNESS} answers again; what was asked while it was killed stays unanswered",
        )

    async def _crash(self, guest: Guest) -> None:
        self.teller.step(f"An accident: the process of {VICTIM} is ended by kill -9")
        before = await self._pid_of(VICTIM)
        start = len(guest.lines)
        os.kill(before, signal.SIGKILL)
        await guest.until(
            lambda: any(x.nick == VICTIM and x.command == "QUIT" for x in guest.lines[start:]),
            f"{VICTIM} did not leave the channel",
            REPLACED_WITHIN_S,
        )
        self.teller.tell(f"$ kill -9 {before}: {VICTIM} has left {CHANNEL}")
        with self.teller.waiting("its replacement is born"):
            answer = await self._exchange(guest, VICTIM, "who are you?", REPLACED_WITHIN_S)
        self.replaced_s = answer.first_s
        after = await self._pid_of(VICTIM)
        self.teller.expect(
            after != before and VICTIM in [line.nick for line in answer.lines],
            f"process {after} answered what was said to its dead predecessor {before}",
        )

    async def _down(self) -> None:
        self.teller.step("The swarm stops")
        processes = len(self.sandbox.processes())
        done = await self._command("down")
        left = self.sandbox.processes()
        self.teller.expect(
            done.code == 0 and not left,
            f"{processes} processes have ended, none is left"
            if not left
            else f"processes {', '.join(map(str, left))} still run",
        )

    async def _command(self, command: str, *words: str) -> Done:
        shown = [f'"{word}"' if " " in word else word for word in words if word != "--json"]
        self.teller.command(" ".join([command, *shown]))
        done = await self.sandbox.run(command, *words)
        if done.code:
            self.teller.fault(f"run.py {command} ended with {done.code}: {done.err.strip()}")
        return done

    async def _exchange(
        self, guest: Guest, agent: str, text: str, within_s: float = 10.0
    ) -> Answer:
        start, asked_s = len(guest.lines), guest.clock_s()
        self._say(guest, agent, text)
        answer = await guest.answer(agent, start, asked_s, within_s)
        self.teller.heard(_timed(answer.lines, asked_s))
        return answer

    def _say(self, guest: Guest, agent: str, text: str) -> None:
        guest.say(f"{agent}: {text}")
        self.teller.said(guest.nick, f"{agent}: {text}")

    async def _pid_of(self, agent: str) -> int:
        status = await self.sandbox.status()
        pid: int = next(a["pid"] or 0 for a in status["agents"] if a["name"] == agent)
        return pid

    def summary(self) -> str:
        """One line: what was seen, in figures."""
        waits = sorted(self.waits_s) or [0.0]
        return (
            f"{len(self.waits_s)} of {len(self.plot.questions)} questions answered (median "
            f"{statistics.median(waits):.2f} s, slowest {waits[-1]:.2f} s), "
            f"{len(self.sandbox.settings.agents)} agents stopped within "
            f"{self.slowest_stop_ms:.0f} ms, a dead one answered by its replacement after "
            f"{self.replaced_s:.1f} s"
        )


def _timed(lines: Sequence[Line], since_s: float) -> list[tuple[float, str, str]]:
    """How each line is shown: seconds, nick, text. One said in private says so."""
    return [
        (
            line.at_s - since_s,
            line.nick if line.target.startswith("#") else f"{line.nick} → {line.target}",
            line.text,
        )
        for line in lines
    ]
