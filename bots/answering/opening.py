"""What a model is told before it is asked; here as much of it as the brain without a model takes
(the whole is `bots.answering.prompted`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Protocol

from bots.answering.matter import Matter
from brain.loop import Exchange
from brain.model import Message
from brain.souls import Soul
from storage import sessions
from storage.store import Store

#: earlier exchanges that the brain without a model is shown
_HISTORY: Final = 4
#: the question that a digest of earlier turns answers
_EARLIER: Final = "What have we talked about so far?"


@dataclass(frozen=True, kw_only=True)
class Opened:
    """How a turn begins."""

    system: str
    #: the whole opening with the question at its end; empty: `history` and the bare question
    messages: tuple[Message, ...] = ()
    history: tuple[Exchange, ...] = ()
    #: name, version and hash of the prompt
    reference: str = ""


class Openings(Protocol):
    async def of(self, work: Matter, text: str) -> Opened:
        """For a question; raises `PromptMissing`, `StorageError`."""


@dataclass(frozen=True)
class PlainOpenings:
    """For a brain that takes words as they are."""

    agent: str
    store: Store
    soul: Soul

    async def of(self, work: Matter, text: str) -> Opened:
        if work.delegation is not None and not work.delegation.talk:
            # It is a conversation of its own, which begins with it.
            return Opened(system=self.soul.body)
        known = await self.store.read(
            lambda unit: sessions.history(unit, self.agent, work.session, _HISTORY)
        )
        earlier = (Exchange(asked=_EARLIER, answer=known.digest),) if known.digest else ()
        turns = (Exchange(asked=t.asked, answer=t.answer) for t in known.turns)
        return Opened(system=self.soul.body, history=(*earlier, *turns))
