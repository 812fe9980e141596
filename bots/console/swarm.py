"""The swarm as the supervisor tells of it: running, being killed, killed, or not known. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

#: an agent in one of these states runs nothing
STILL = frozenset({"killed", "stopped", "failed"})
READY = "ready"
#: a brain without a model, as settings call it
OFFLINE = "offline"
#: it runs, and cannot do all that it should
TROUBLED = frozenset({"degraded", "deaf", "hung"})

Mood = Literal["unknown", "running", "stopping", "stopped"]


@dataclass(frozen=True, slots=True)
class Agent:
    """One agent as `status` shows it."""

    name: str
    state: str
    reason: str = ""
    pid: int | None = None
    #: its models in the order in which it asks them
    brain: str = ""

    @property
    def confirmed(self) -> bool:
        """It does nothing: it said so, or it has no process."""
        return self.state in STILL or self.pid is None


@dataclass(frozen=True, slots=True)
class Latch:
    """A kill that holds."""

    scope: str
    by: str
    door: str
    reason: str
    at: str


@dataclass(frozen=True, slots=True)
class Swarm:
    """What the top bar and the red panel show. An empty one is unknown."""

    known: bool = False
    agents: tuple[Agent, ...] = ()
    latches: tuple[Latch, ...] = ()
    #: how the last kill of everybody went, while it holds: the answer of ``/control/kill``
    report: Mapping[str, Any] = field(default_factory=dict)
    #: servers of the swarm that do not answer: the bus, the IRC server and so on
    down: tuple[str, ...] = ()
    #: when the supervisor last answered, ISO 8601
    seen_at: str = ""

    @property
    def kill(self) -> Latch | None:
        """The kill of everybody that holds."""
        return next((k for k in self.latches if k.scope == "all"), None)

    @property
    def ready(self) -> int:
        return sum(1 for a in self.agents if a.state == READY)

    @property
    def confirmed(self) -> int:
        return sum(1 for a in self.agents if a.confirmed)

    @property
    def missing(self) -> tuple[Agent, ...]:
        """Who has not confirmed the kill of everybody."""
        return tuple(a for a in self.agents if not a.confirmed)

    @property
    def troubled(self) -> tuple[Agent, ...]:
        """Who works in part: a network, the bus or something else is away."""
        return tuple(a for a in self.agents if a.state in TROUBLED)

    @property
    def trouble(self) -> str:
        """What is wrong while it runs, in a few words; empty when all is well."""
        if self.mood != "running":
            return ""
        reasons = {a.reason for a in self.troubled}
        says = [f"{name} is down" for name in self.down]
        if self.troubled:
            who = "1 agent" if len(self.troubled) == 1 else f"{len(self.troubled)} agents"
            reason = reasons.pop() if len(reasons) == 1 else ""
            says.append(f"{who}: {reason}" if reason else f"{who} degraded")
        return "; ".join(says)

    @property
    def mood(self) -> Mood:
        """Never `stopped` before everybody has confirmed."""
        if not self.known:
            return "unknown"
        if self.kill is None:
            return "running"
        return "stopping" if self.missing else "stopped"

    @property
    def confirmed_ms(self) -> Mapping[str, float]:
        """Agent → milliseconds from the order to its word, as far as they were measured."""
        if self.kill is None or self.report.get("at") != self.kill.at:
            return {}
        found: Mapping[str, float] = self.report.get("confirmed_ms", {})
        return found

    @property
    def slowest(self) -> tuple[str, float] | None:
        if not self.confirmed_ms:
            return None
        return max(self.confirmed_ms.items(), key=lambda item: item[1])

    def agent(self, name: str) -> Agent | None:
        return next((a for a in self.agents if a.name == name), None)

    def held(self, name: str) -> Latch | None:
        """The kill that holds this agent."""
        return next((k for k in self.latches if k.scope in ("all", name)), None)


def read(body: Mapping[str, Any], *, report: Mapping[str, Any], seen_at: str) -> Swarm:
    """The answer of ``GET /status``; raises `KeyError` or `TypeError` for another shape."""
    agents = tuple(
        Agent(
            name=str(a["name"]),
            state=str(a["state"]),
            reason=str(a.get("reason") or ""),
            pid=a.get("pid"),
            brain=str(a.get("brain") or ""),
        )
        for a in body["agents"]
    )
    latches = tuple(
        Latch(
            scope=str(k["scope"]),
            by=str(k.get("by") or "somebody"),
            door=str(k.get("door") or ""),
            reason=str(k.get("reason") or ""),
            at=str(k.get("at") or ""),
        )
        for k in body["killed"]
    )
    return Swarm(
        known=True,
        agents=agents,
        latches=latches,
        report=report,
        down=tuple(str(s["name"]) for s in body.get("services") or () if not s.get("up")),
        seen_at=seen_at,
    )
