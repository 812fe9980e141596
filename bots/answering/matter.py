"""What a turn is about, and by what right: a line of talk, or work that was handed over."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Protocol

from storage import agents, inbox
from storage.delegation_tables import Delegation
from storage.errors import LeaseLost
from storage.inbox import Work
from storage.store import Store
from storage.tables import HeartbeatTier

#: on an inbox row: whoever finds it without an answer must not do it again
DEED_BEGUN: Final = "a tool that changes something was begun"


class Asking(Protocol):
    """What a tool may know of who asks: an inbox row, a command, a delegation."""

    @property
    def sender(self) -> str: ...

    @property
    def network(self) -> str: ...

    @property
    def channel(self) -> str: ...

    @property
    def session(self) -> str: ...

    @property
    def trace_id(self) -> str: ...

    @property
    def text(self) -> str: ...


class Matter(Asking, Protocol):
    """What a turn is about; an inbox row is one."""

    @property
    def account(self) -> str | None: ...

    @property
    def said_by(self) -> str | None:
        """Agent whose words they are, None for everybody else's."""

    @property
    def message_id(self) -> int | None:
        """Recorded line that asks."""

    @property
    def hops(self) -> int: ...

    @property
    def task(self) -> str:
        """What its costs are booked on, such as ``inbox:12``."""

    @property
    def delegation(self) -> Delegation | None:
        """The delegation that it is; a line of talk is none."""

    @property
    def may_reach_out(self) -> bool:
        """It came from people who may order what is said anywhere, not from a place of talk."""


class Claim(Protocol):
    """The right to work on a matter; both raise `LeaseLost` once another process has it, and
    `StorageError`.
    """

    async def note_deed(self) -> None:
        """A tool that changes something is about to begin: nobody may repeat it."""

    async def beat(self) -> None:
        """This work is alive."""


@dataclass(frozen=True)
class InboxClaim:
    """On a line that an agent owes a look."""

    store: Store
    work: Work
    #: of the agent's process
    epoch: int
    clock: Callable[[], datetime]

    async def note_deed(self) -> None:
        work = self.work
        ours = await self.store.write(
            lambda unit: inbox.annotate(unit, work.inbox_id, work.agent, self.epoch, DEED_BEGUN)
        )
        if not ours:
            raise LeaseLost(f"Inbox row {work.inbox_id} is not {work.agent}'s to work on any more.")

    async def beat(self) -> None:
        now, work = self.clock(), self.work
        claim = f"inbox {work.inbox_id}"
        await self.store.write(
            lambda unit: agents.beat(unit, work.agent, HeartbeatTier.FUNCTIONAL, now, claim=claim)
        )
