"""What a process knows of the time in which it did not look."""

from __future__ import annotations

import asyncio
import itertools
from dataclasses import dataclass
from datetime import timedelta

import pytest

from bots.hearing.attention import BLIND_S, TICK_S, Attention
from storage.alignment import SOON


@dataclass
class Clock:
    at_s: float = 100.0

    def __call__(self) -> float:
        return self.at_s


def test_who_looks_all_the_time_reads_at_once() -> None:
    clock = Clock()
    attention = Attention(clock)
    for _ in range(5):
        clock.at_s += TICK_S
        attention.look()
    clock.at_s += TICK_S / 2
    assert attention.lag_s() == 0


def test_what_is_read_after_a_gap_may_have_come_within_it() -> None:
    clock = Clock()
    attention = Attention(clock)
    clock.at_s += 3
    assert attention.lag_s() == pytest.approx(3)
    attention.look()
    # The rest of what waited in the socket.
    clock.at_s += TICK_S / 2
    assert attention.lag_s() == pytest.approx(3 + TICK_S / 2)
    clock.at_s += TICK_S / 2
    attention.look()
    assert attention.lag_s() == 0
    assert TICK_S < BLIND_S


def test_no_stop_falls_between_what_is_noticed_and_what_is_allowed_for() -> None:
    assert timedelta(seconds=BLIND_S) <= SOON


async def test_it_looks_by_itself_and_what_wakes_it_puts_that_off() -> None:
    loop = asyncio.get_running_loop()
    looked_s: list[float] = []
    enough = asyncio.Event()

    def note() -> None:
        looked_s.append(loop.time())
        if len(looked_s) == 4:
            enough.set()

    attention = Attention(each=note)
    # Before it runs a look makes no timer.
    attention.look()
    running = asyncio.create_task(attention.run())
    await asyncio.sleep(TICK_S / 2)
    attention.look()
    async with asyncio.timeout(10):
        await enough.wait()
    running.cancel()
    await asyncio.wait({running})
    assert running.cancelled()
    pauses_s = [later - sooner for sooner, later in itertools.pairwise(looked_s)]
    assert pauses_s[0] < TICK_S
    assert min(pauses_s[1:]) >= 0.9 * TICK_S
    await asyncio.sleep(1.5 * TICK_S)
    assert len(looked_s) == 4


async def test_a_look_that_fails_ends_it() -> None:
    def fail() -> None:
        raise LookupError("lost")

    async with asyncio.timeout(10):
        with pytest.raises(LookupError, match="lost"):
            await Attention(each=fail).run()
