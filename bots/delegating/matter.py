"""A delegation as a turn sees it, and the right to work on it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from storage import delegating
from storage.delegation_tables import Delegation
from storage.errors import LeaseLost
from storage.store import Store

_AGENT = "agent:"


@dataclass(frozen=True)
class DelegationMatter:
    """As `bots.answering.matter.Matter`."""

    delegation: Delegation
    #: of the agent that works, for what came by a hook or from a shell
    home: str

    account: str | None = None
    message_id: int | None = None

    @property
    def sender(self) -> str:
        return self.delegation.asked_by.removeprefix(_AGENT)

    @property
    def said_by(self) -> str | None:
        asked_by = self.delegation.asked_by
        return asked_by.removeprefix(_AGENT) if asked_by.startswith(_AGENT) else None

    @property
    def network(self) -> str:
        return self.delegation.network or self.home

    @property
    def channel(self) -> str:
        return self.delegation.channel or f"nick:{self.sender}"

    @property
    def session(self) -> str:
        # The turns of a talk are one conversation.
        talk = self.delegation.talk
        return f"talk:{talk}" if talk else f"delegation:{self.delegation.code}"

    @property
    def text(self) -> str:
        return self.delegation.instruction

    @property
    def trace_id(self) -> str:
        return self.delegation.trace_id

    @property
    def hops(self) -> int:
        return self.delegation.hops

    @property
    def task(self) -> str:
        return f"delegation:{self.delegation.root_id}"

    @property
    def may_reach_out(self) -> bool:
        # What comes through a door is an operator's; what was said somewhere is bound to the place.
        return not self.delegation.channel


@dataclass(frozen=True)
class DelegationClaim:
    """As `bots.answering.matter.Claim`."""

    store: Store
    held: Delegation
    clock: Callable[[], datetime]

    async def note_deed(self) -> None:
        if not await self.store.write(lambda unit: delegating.note_act(unit, self.held)):
            raise _lost(self.held)

    async def beat(self) -> None:
        now = self.clock()
        if not await self.store.write(lambda unit: delegating.beat(unit, [self.held], now)):
            raise _lost(self.held)


def _lost(held: Delegation) -> LeaseLost:
    return LeaseLost(f"Delegation {held.code} is not {held.agent}'s to work on any more.")
