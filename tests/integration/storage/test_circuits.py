"""A circuit is one row that all agents change in turn, on both databases."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

from storage import circuits
from storage.circuit import Circuit, failed, probed, succeeded
from storage.store import Store

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
PROBER = Path(__file__).with_name("prober.py")
ROOT = Path(__file__).parents[3]


def after(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


async def fail(store: Store, at_s: float = 0, *, threshold: int = 5) -> Circuit:
    rule = partial(failed, reason="busy", now=after(at_s), threshold=threshold, open_s=60)
    _, circuit = await store.write(lambda unit: circuits.change(unit, "claude", rule))
    return circuit


async def probe(store: Store, agent: str, at_s: float) -> bool:
    rule = partial(probed, agent=agent, now=after(at_s), turn_s=30)
    before, circuit = await store.write(lambda unit: circuits.change(unit, "claude", rule))
    return circuit != before


async def test_what_nobody_wrote_down_is_closed(store: Store) -> None:
    assert await store.read(lambda unit: circuits.read(unit, "claude")) == Circuit()


async def test_a_circuit_is_read_as_it_was_written(store: Store) -> None:
    written = await fail(store, threshold=1)
    assert written.open_until == after(60)
    assert await store.read(lambda unit: circuits.read(unit, "claude")) == written
    assert await probe(store, "captain", 60)
    probing = await store.read(lambda unit: circuits.read(unit, "claude"))
    assert (probing.probing_by, probing.probing_until) == ("captain", after(90))
    assert await store.read(lambda unit: circuits.read(unit, "gpt")) == Circuit()


async def test_failures_at_once_are_all_counted(store: Store) -> None:
    found = await asyncio.gather(*(fail(store, threshold=100) for _ in range(12)))
    assert sorted(circuit.failures for circuit in found) == list(range(1, 13))


async def test_of_many_one_probes_and_its_success_closes(store: Store) -> None:
    await fail(store, threshold=1)
    assert await probe(store, "captain", 59) is False
    won = await asyncio.gather(*(probe(store, f"agent-{n}", 60) for n in range(8)))
    assert won.count(True) == 1
    assert await probe(store, "captain", 89) is False
    assert await probe(store, "captain", 90) is True
    close = partial(succeeded, now=after(91))
    _, circuit = await store.write(lambda unit: circuits.change(unit, "claude", close))
    assert circuit == Circuit(changed_at=after(91))
    assert await store.read(lambda unit: circuits.read(unit, "claude")) == circuit


async def test_of_two_processes_that_race_for_the_probe_one_wins(
    store: Store, empty_database: str
) -> None:
    await fail(store, threshold=1)
    racers = [
        await asyncio.create_subprocess_exec(
            *(sys.executable, str(PROBER), empty_database, name),
            cwd=ROOT,
            env={"PYTHONPATH": str(ROOT)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        for name in ("captain", "auditor")
    ]
    try:
        async with asyncio.timeout(60):
            for racer in racers:
                assert racer.stdout is not None
                assert await racer.stdout.readline() == b"ready\n"
            told = await asyncio.gather(*(racer.communicate(b"go\n") for racer in racers))
    finally:
        for racer in racers:
            if racer.returncode is None:
                racer.kill()
                await racer.wait()
    # Twenty rounds, each of which is won once.
    rounds = list(zip(*(out.split() for out, _ in told), strict=True))
    assert len(rounds) == 20
    assert all(sorted(pair) == [b"lost", b"won"] for pair in rounds)
