"""Asking the same model again when its failure may pass by itself.

Waits are random between nothing and a bound that doubles ("full jitter", Marc Brooker, Exponential
Backoff and Jitter, AWS Architecture Blog, 2015), for two dozen agents fail at the same moment and
must not come back at the same moment.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

from tenacity import AsyncRetrying, RetryCallState, retry_if_exception_type

from brain.errors import ModelFailed, Passing
from brain.model import Completion, Conversation, Model, Reader
from brain.models.around import Around
from brain.models.given import Given


@dataclass(frozen=True, kw_only=True)
class Patience:
    """How often, and for how long, one query may be tried."""

    attempts: int = 4
    #: of those, attempts that fail and may be billed all the same (cut off, or not heard of in
    #: time): one lost connection is worth a second bill, but whoever thinks longer than we wait is
    #: paid each time for nothing
    billed_attempts: int = 2
    #: bound of the first random wait; doubles with every attempt up to `backoff_cap_s`
    backoff_s: float = 0.5
    backoff_cap_s: float = 8.0
    #: who is asked to wait longer than this gives up at once: another model may answer meanwhile
    longest_wait_s: float = 20.0
    #: no attempt begins later than this after the first one; one that is under way may end. Half of
    #: a turn's minute, so that there is time for another model
    total_s: float = 30.0


PATIENT: Final = Patience()


class Retrying(Around):
    """`model`, asked again after a `Passing` failure; any other failure passes at once.

    A provider's own `retry_after_s` is waited for, and a random bit longer. `clock` reads monotonic
    seconds. Raises the last failure as it was; a cancellation passes at once, also from a wait.
    """

    def __init__(
        self,
        model: Model,
        patience: Patience = PATIENT,
        *,
        clock: Callable[[], float],
        rng: random.Random,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        super().__init__(model)
        self._patience = patience
        self._clock = clock
        self._rng = rng
        self._sleep = sleep

    async def query(self, conversation: Conversation, reader: Reader | None = None) -> Completion:
        given = Given(reader)
        began_s = self._clock()
        billed = 0

        async def attempt() -> Completion:
            nonlocal billed
            given.again()
            try:
                return await self._model.query(conversation, given.reader)
            except ModelFailed as failure:
                billed += failure.maybe_billed or failure.usage is not None
                raise

        # One for each query: tenacity keeps the state of a run in the object.
        retrying = AsyncRetrying(
            retry=retry_if_exception_type(Passing),
            wait=self._wait_s,
            stop=lambda state: self._is_enough(state, began_s, billed),
            sleep=self._sleep,
            reraise=True,
        )
        completion: Completion = await retrying(attempt)
        return completion

    def _wait_s(self, state: RetryCallState) -> float:
        bound_s = self._patience.backoff_s * 2.0 ** (state.attempt_number - 1)
        jitter_s = self._rng.uniform(0.0, min(bound_s, self._patience.backoff_cap_s))
        return _asked_for_s(state) + jitter_s

    def _is_enough(self, state: RetryCallState, began_s: float, billed: int) -> bool:
        patience = self._patience
        if state.attempt_number >= patience.attempts or billed >= patience.billed_attempts:
            return True
        if _asked_for_s(state) > patience.longest_wait_s:
            return True
        return self._clock() - began_s + state.upcoming_sleep > patience.total_s


def _asked_for_s(state: RetryCallState) -> float:
    failure = state.outcome.exception() if state.outcome is not None else None
    asked_s = failure.retry_after_s if isinstance(failure, Passing) else None
    # In this order a value that is no number counts as none.
    return max(0.0, asked_s or 0.0)
