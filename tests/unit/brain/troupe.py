"""A model that plays its script, a reader that keeps what it hears, a clock turned by hand."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from brain.model import Capabilities, Completion, Conversation, Message, Reader, Role

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
ABLE = Capabilities(tools=True, streaming=True, json_schema=True, context_tokens=100_000)
HELLO = Conversation(system="Be brief.", messages=(Message(role=Role.USER, text="hello"),))


@dataclass
class Clock:
    """Monotonic seconds and UTC that only `sleep` and `turn` move."""

    elapsed_s: float = 0.0
    slept: list[float] = field(default_factory=list)

    def __call__(self) -> float:
        return self.elapsed_s

    def now(self) -> datetime:
        return NOON + timedelta(seconds=self.elapsed_s)

    def turn(self, seconds: float) -> None:
        self.elapsed_s += seconds

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.elapsed_s += seconds
        await asyncio.sleep(0)


@dataclass
class Page:
    """What stands before a reader's eyes, and how often it began anew."""

    text: str = ""
    restarts: int = 0

    def piece(self, text: str) -> None:
        self.text += text

    def anew(self) -> None:
        self.text = ""
        self.restarts += 1


@dataclass
class Said:
    """Pieces, and then what comes of it."""

    pieces: tuple[str, ...]
    then: Exception | Completion


@dataclass
class Player:
    """Plays its script, an entry a query, the last one for good."""

    script: Sequence[Exception | Completion | Said]
    name: str = "claude"
    label: str = "claude"
    capabilities: Capabilities = ABLE
    shown: list[Conversation] = field(default_factory=list)
    read_by: list[Reader | None] = field(default_factory=list)

    async def query(self, conversation: Conversation, reader: Reader | None = None) -> Completion:
        self.shown.append(conversation)
        self.read_by.append(reader)
        played = self.script[min(len(self.shown), len(self.script)) - 1]
        await asyncio.sleep(0)
        if isinstance(played, Said):
            for piece in played.pieces:
                if reader is not None:
                    reader.piece(piece)
            played = played.then
        if isinstance(played, Exception):
            raise played
        return played


@dataclass
class Waiting:
    """A model that never answers, and says when it was asked."""

    name: str = "claude"
    label: str = "claude"
    capabilities: Capabilities = ABLE
    asked: asyncio.Event = field(default_factory=asyncio.Event)

    async def query(self, conversation: Conversation, reader: Reader | None = None) -> Completion:
        self.asked.set()
        await asyncio.get_running_loop().create_future()
        raise AssertionError("nobody answers")
