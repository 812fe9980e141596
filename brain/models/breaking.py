"""Leaving a model alone that does not answer: a circuit breaker that all agents share.

What all agents know is one row (`storage.circuits`); each keeps what it read for a moment and
writes only what changes: a model that is well costs at most one small reading in that time. The
circuit is economy, not safety: without the store each agent goes on with what it knows by itself.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Final

from brain.errors import (
    CircuitOpen,
    LoginRefused,
    ModelFailed,
    NoSuchModel,
    NoUsableKey,
    Passing,
    RateLimited,
    Refused,
)
from brain.model import Completion, Conversation, Model, Reader
from brain.models.around import Around
from storage import circuits
from storage.circuit import Circuit, failed, probed, put_back, succeeded
from storage.errors import StorageError
from storage.store import Store

#: longest reason that is kept, in characters: a provider's words may be in it
_REASON: Final = 300


@dataclass(frozen=True, kw_only=True)
class Breaker:
    """When a circuit opens, and for how long."""

    #: failures in a row, all agents' together
    threshold: int = 5
    open_s: float = 60.0
    #: what only a person can mend is asked for more often: it is noticed within a minute
    login_open_s: float = 30.0
    #: a prober that has not come back by then is taken for dead
    probe_s: float = 60.0
    #: how long what was read is good
    fresh_s: float = 1.5
    #: quotas are counted by the minute: no longer wait is a quota at work
    short_wait_s: float = 60.0


BREAKER: Final = Breaker()


class Breaking(Around):
    """`model`, unless its circuit is open: then `CircuitOpen` at once, nothing is asked.

    `agent` is who asks, `now` reads aware UTC, `clock` monotonic seconds.
    """

    def __init__(
        self,
        model: Model,
        store: Store,
        breaker: Breaker = BREAKER,
        *,
        agent: str,
        now: Callable[[], datetime],
        clock: Callable[[], float],
    ) -> None:
        super().__init__(model)
        self._store = store
        self._breaker = breaker
        self._agent = agent
        self._now = now
        self._clock = clock
        self._known = Circuit()
        self._known_at_s: float | None = None
        self._last_success: datetime | None = None

    async def query(self, conversation: Conversation, reader: Reader | None = None) -> Completion:
        # A cancelled probe is not put back, for a cancellation must not wait: its turn runs out.
        is_probe = await self._enter()
        try:
            completion = await self._model.query(conversation, reader)
        except ModelFailed as failure:
            await self._count(failure, is_probe=is_probe)
            raise
        except Refused:
            await self._put_back(is_probe=is_probe)
            raise
        self._last_success = self._now()
        if is_probe or not self._known.is_well:
            await self._change(partial(succeeded, now=self._last_success))
        return completion

    async def _enter(self) -> bool:
        """Whether this call is the probe; raises `CircuitOpen`."""
        circuit, now = await self._look(), self._now()
        if circuit.is_closed:
            return False
        if circuit.shut_until(now) is None:
            turn_s = self._breaker.probe_s
            before, circuit = await self._change(
                partial(probed, agent=self._agent, now=now, turn_s=turn_s)
            )
            if circuit != before:
                return True
        until = circuit.shut_until(now)
        if until is None:
            return False
        raise CircuitOpen(
            f"{self.label} is left alone until {until:%H:%M:%S} UTC: {circuit.reason}", until=until
        )

    async def _count(self, failure: ModelFailed, *, is_probe: bool) -> None:
        if not speaks_of_provider(failure, self._breaker.short_wait_s):
            await self._put_back(is_probe=is_probe)
            return
        at_once = isinstance(failure, LoginRefused | NoSuchModel)
        await self._change(
            partial(
                failed,
                reason=str(failure)[:_REASON],
                now=self._now(),
                threshold=1 if at_once else self._breaker.threshold,
                open_s=self._breaker.login_open_s if at_once else self._breaker.open_s,
                last_success=self._last_success,
            )
        )

    async def _put_back(self, *, is_probe: bool) -> None:
        if is_probe:
            await self._change(partial(put_back, agent=self._agent, now=self._now()))

    async def _look(self) -> Circuit:
        is_old = (
            self._known_at_s is None or self._clock() - self._known_at_s >= self._breaker.fresh_s
        )
        if is_old:
            with suppress(StorageError):
                self._know(await self._store.read(lambda unit: circuits.read(unit, self.name)))
        return self._known

    async def _change(self, rule: Callable[[Circuit], Circuit]) -> tuple[Circuit, Circuit]:
        """Apply a rule to what all know, or to what this agent knows where the store is away."""
        before, after = self._known, rule(self._known)
        with suppress(StorageError):
            before, after = await self._store.write(
                lambda unit: circuits.change(unit, self.name, rule)
            )
        self._know(after)
        return before, after

    def _know(self, circuit: Circuit) -> None:
        self._known, self._known_at_s = circuit, self._clock()


def speaks_of_provider(failure: ModelFailed, short_wait_s: float) -> bool:
    """Whether a failure says how the provider is, for all who ask it.

    Overload, silence and cut answers do, and so do a login or a model that it does not know: every
    agent asks with the same keys, unless it has none (another machine, another environment). Being
    told to come back within a minute is a quota at work; later, or without a time, the quota is
    gone. What one conversation brings about does not count, or a person could shut a model to
    everybody by one poisoned line: too long, refused, malformed, beyond a budget.
    """
    if isinstance(failure, NoUsableKey):
        return False
    if isinstance(failure, RateLimited):
        return failure.retry_after_s is None or failure.retry_after_s > short_wait_s
    return isinstance(failure, Passing | LoginRefused | NoSuchModel)
