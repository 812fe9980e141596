"""The brain's parts around a real store, and lines as a listener hears them."""

from __future__ import annotations

import re
import time
import tomllib
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from brain import souls
from brain.guard import Guard, LatchPolicy
from brain.loop import Exchange, Limits, Loop, Question
from brain.model import Model
from brain.offline.model import OfflineModel
from brain.tools.catalogue import TOOLS
from brain.tools.context import AgentCard, Context
from brain.tools.registry import Toolbox
from storage.latch import Latch
from storage.record import NewLine
from storage.store import Store
from storage.tables import LineKind

PROMPTS = Path(__file__).parents[3] / "prompts"
DAY = datetime(2026, 11, 20, tzinfo=UTC)
NOW = DAY + timedelta(hours=15)
_SAID = re.compile(r"^\[(\d\d):(\d\d)\] (?:<(?P<nick>\S+)>| \* (?P<doer>\S+)) (?P<text>.*)$")
_PRESENCE = re.compile(
    r"^=== (?P<nick>\S+) (?:\[\S+\]  has (?P<verb>joined|left|quit)|is now known as (?P<new>\S+))"
)
_KINDS = {"joined": LineKind.JOIN, "left": LineKind.PART, "quit": LineKind.QUIT}


@dataclass
class Brain:
    """One agent's brain on a real store; tests turn its clock and its latch."""

    store: Store
    now: datetime = NOW
    latch: Latch | None = None
    agent: str = "captain"
    cards: list[AgentCard] = field(default_factory=list)

    @property
    def guard(self) -> Guard:
        return Guard(self.store, [LatchPolicy(self.killed)], time.monotonic, lambda: self.now)

    def killed(self, agent: str) -> Latch | None:
        return self.latch if self.latch and self.latch.scope in ("all", agent) else None

    def toolbox(
        self, asked: str = "", *, asker: str = "sam", channel: str | None = "#lobby"
    ) -> Toolbox:
        return Toolbox(
            TOOLS,
            Context(
                store=self.store,
                agent=self.agent,
                network="irc",
                channel=channel,
                asker="sam",
                asked=asked,
                now=lambda: self.now,
                monotonic=time.monotonic,
                roster=lambda: self.cards,
                latch=self.killed,
            ),
        )

    def offline(self) -> OfflineModel:
        soul = souls.load(PROMPTS / "souls", self.agent)
        return OfflineModel(soul, [self.agent], lambda: self.now)

    def loop(self, model: Model, limits: Limits | None = None, **place: Any) -> Loop:
        toolbox = self.toolbox(**place)
        return Loop(model, toolbox, self.guard, limits or Limits(), time.monotonic)

    async def ask(self, text: str, *history: Exchange, channel: str | None = "#lobby") -> str:
        """What the offline brain answers."""
        loop = self.loop(self.offline(), asked=text, channel=channel)
        answer = await loop.run(question(text, *history, channel=channel, agent=self.agent))
        assert (answer.model, answer.label) == ("offline", "offline brain")
        return answer.text


def question(
    text: str, *history: Exchange, channel: str | None = "#lobby", agent: str = "captain"
) -> Question:
    return Question(
        asker="sam",
        text=text,
        place=f"irc:{channel or 'nick:sam'}",
        channel=channel,
        agent=agent,
        trace_id="trace-1",
        history=history,
    )


def heard(sender: str, text: str, at: datetime, **more: Any) -> NewLine:
    given = {"channel": "#lobby", "kind": LineKind.SAID, "agent": None, "hops": 0} | more
    return NewLine(
        network="irc",
        sender=sender,
        account=None,
        text=text,
        said_at=at,
        heard_at=at,
        heard_by="captain",
        msgid=None,
        trace_id="t",
        owed=(),
        **given,
    )


def tour_lines() -> list[NewLine]:
    at = DAY
    lines = []
    for raw in (PROMPTS / "tour" / "conversation.txt").read_text(encoding="utf-8").splitlines():
        said, presence = _SAID.match(raw), _PRESENCE.match(raw)
        if said:
            at = DAY + timedelta(hours=int(said[1]), minutes=int(said[2]))
            kind = LineKind.SAID if said["nick"] else LineKind.ACTION
            lines.append(heard(said["nick"] or said["doer"], said["text"], at, kind=kind))
        elif presence:
            kind = LineKind.NICK if presence["new"] else _KINDS[presence["verb"]]
            lines.append(heard(presence["nick"], presence["new"] or "", at, kind=kind))
        else:
            raise AssertionError(f"not in the log's form: {raw!r}")
    return lines


def tour_questions() -> list[dict[str, Any]]:
    text = (PROMPTS / "tour" / "questions.toml").read_text(encoding="utf-8")
    found: list[dict[str, Any]] = tomllib.loads(text)["question"]
    return found
