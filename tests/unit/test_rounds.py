"""Looking again and again: neither too often nor too late."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st

from bots.rounds import Rounds
from storage.errors import StorageError, StoreUnavailable

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
PATIENCE_S = 20.0
MOMENTS = st.lists(st.floats(-60, 60).map(lambda s: NOW + timedelta(seconds=s)))


def rounds(every_s: float = 600.0) -> Rounds:
    return Rounds(every_s, structlog.get_logger(), "rounds.trouble")


class Eyes:
    """Counts its looks; each tells the next of these answers, the last one again and again."""

    def __init__(self, *answers: float | StorageError | None) -> None:
        self.looks = 0
        self._answers = answers
        self._looked = asyncio.Condition()

    async def look(self) -> float | None:
        async with self._looked:
            self.looks += 1
            self._looked.notify_all()
        answer = self._answers[min(self.looks, len(self._answers)) - 1]
        if isinstance(answer, StorageError):
            raise answer
        return answer

    async def looked(self, times: int) -> None:
        async with asyncio.timeout(PATIENCE_S), self._looked:
            await self._looked.wait_for(lambda: self.looks >= times)


@asynccontextmanager
async def going(made: Rounds, eyes: Eyes) -> AsyncIterator[None]:
    task = asyncio.create_task(made.run(eyes.look))
    yield
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


@pytest.mark.parametrize("answer", [None, 600.0])
async def test_it_looks_at_once_and_when_it_is_nudged(answer: float | None) -> None:
    made, eyes = rounds(), Eyes(answer)
    async with going(made, eyes):
        await eyes.looked(1)
        made.nudge()
        await eyes.looked(2)


async def test_it_looks_when_something_is_due_and_now_and_then() -> None:
    eyes = Eyes(0.0, None)
    async with going(rounds(0.3), eyes):
        await eyes.looked(4)


async def test_a_store_that_is_away_is_looked_at_again() -> None:
    made, eyes = rounds(0.3), Eyes(StoreUnavailable("away"), 600.0)
    async with going(made, eyes):
        await eyes.looked(2)


async def test_many_nudges_are_few_looks() -> None:
    made, eyes, loop = rounds(), Eyes(None), asyncio.get_running_loop()
    begun_s = loop.time()
    async with going(made, eyes):
        for _ in range(100):
            made.nudge()
            await asyncio.sleep(0.005)
    assert eyes.looks <= 1 + (loop.time() - begun_s) / 0.2


@given(MOMENTS)
def test_what_is_due_already_is_not_waited_for_in_a_circle(moments: Sequence[datetime]) -> None:
    wait_s = rounds(10.0).until(moments, NOW)
    ahead = [(m - NOW).total_seconds() for m in moments if m > NOW]
    assert 0.05 <= wait_s <= 10
    assert wait_s == 10 or min(ahead) <= wait_s <= max(0.05, min(ahead))
