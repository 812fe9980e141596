"""What follows from a question to people: nobody answered in time, or somebody said yes.

Decided anywhere, carried out here: by the one process of the agent whose question it is.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from structlog.typing import FilteringBoundLogger

from bots.control.door import Unavailable
from bots.insist import insist
from bots.rounds import HALTED_S, Rounds
from storage import requests
from storage.latch import Latch
from storage.requests import Request
from storage.store import Store
from storage.unit import Unit

_LOOK_EVERY_S: Final = 10.0
#: a yes that waited longer, because nobody was there to act on it, may be overtaken
_STALE: Final = timedelta(minutes=10)


@dataclass(frozen=True)
class Deed:
    """How one kind of request is carried out. Doing it twice must be harmless: a process that dies
    in between leaves it to the next one.
    """

    #: does it, and says what came of it in one sentence; raises `Unavailable`
    carry_out: Callable[[Request], Awaitable[str]]
    #: doing it ends the process that does it, so that the next one need not
    ends_us: Callable[[Request], bool]
    #: nothing that may happen meanwhile overtakes it
    keeps: bool = False


class Consequences:
    """`run` until cancelled; `nudge` when something was decided."""

    def __init__(
        self,
        store: Store,
        agent: str,
        deeds: Mapping[str, Deed],
        *,
        others: Collection[str] = (),
        latch: Callable[[], Latch | None],
        changed: Callable[[], None],
        clock: Callable[[], datetime],
        log: FilteringBoundLogger,
    ) -> None:
        """`changed` is called when a request is another one than before; what follows from the
        kinds in `others` is somebody else's business.
        """
        self._others = others
        self._store = store
        self._agent = agent
        self._deeds = deeds
        self._latch = latch
        self._changed = changed
        self._clock = clock
        self._log = log
        self._born_at = clock()
        self._rounds = Rounds(_LOOK_EVERY_S, log, "requests.unreadable")

    def nudge(self) -> None:
        """Look now."""
        self._rounds.nudge()

    async def run(self) -> None:
        """Expire what is due and carry out what was approved, whoever decided it and where."""
        await self._rounds.run(self.look)

    async def look(self) -> float:
        """One round; the seconds until the next one. Raises `StorageError`."""
        now = self._clock()
        waiting, approved = await self._store.read(self._open)
        # What a person does is completed by a person.
        approved = [r for r in approved if r.kind not in self._others and not r.is_by_hand]
        if any(request.expires_at <= now for request in waiting):
            expired = await self._store.write(lambda unit: requests.expire(unit, self._agent, now))
            self._log.info("requests.expired", codes=[r.code for r in expired])
            self._changed()
        wait_s = self._rounds.until((r.expires_at for r in waiting), now)
        if self._latch() is not None:
            return min(HALTED_S, wait_s)
        for request in approved:
            await self._follow(request)
        return wait_s

    async def _open(self, unit: Unit) -> tuple[list[Request], list[Request]]:
        return await requests.pending(unit, self._agent), await requests.approved(unit, self._agent)

    async def _follow(self, request: Request) -> None:
        outcome = await self._outcome(request)
        # It was done: that it is on record may be late, never missing.
        await insist(
            self._store,
            lambda unit: requests.complete(unit, request.id, outcome, self._clock()),
            self._log,
        )
        self._log.info("request.completed", code=request.code, outcome=outcome)
        self._changed()

    async def _outcome(self, request: Request) -> str:
        deed = self._deeds.get(request.kind)
        decided_at = request.decided_at or request.created_at
        if deed is None:
            return f"Not done: nobody here knows how to {request.kind}."
        if deed.ends_us(request) and decided_at < self._born_at:
            return "Done: this is its new process."
        if not deed.keeps and decided_at < self._clock() - _STALE:
            return "Not done: nobody was there to do it in time. Ask again."
        try:
            return await deed.carry_out(request)
        except Unavailable as error:
            return f"Not known whether it was done: {error}."


def decided() -> Deed:
    """The yes is all there is: who waits for it goes on."""

    async def carry_out(_: Request) -> str:
        return ""

    return Deed(carry_out, lambda _: False, keeps=True)


def restart(agent: str, ask: Callable[[dict[str, Any]], Awaitable[str]]) -> Deed:
    """A new process for ``subject``, by the same way as an operator's own ``/restart``: the
    supervisor checks for itself that who approved may steer. `agent` is who carries it out.
    """

    async def carry_out(request: Request) -> str:
        return await ask(
            {
                "please": "steer",
                "words": f"restart {request.subject}",
                "by": f"{request.decided_by}, for {request.asked_by} ({request.code})",
                "door": f"{request.network}:{request.channel}",
                "account": None,
                **request.evidence,
            }
        )

    return Deed(carry_out, lambda request: request.subject == agent)
