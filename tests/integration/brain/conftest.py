"""A real store that has heard the tour's conversation."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from brain import souls
from brain.tools.context import AgentCard
from storage import record
from storage.record import NewLine
from storage.store import Store
from tests.integration.brain.stage import PROMPTS, Brain, tour_lines
from tests.schema import give_schema


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    opened = await Store.open(f"sqlite:///{tmp_path / 'parley.db'}", busy_timeout_ms=100)
    await give_schema(opened)
    yield opened
    await opened.close()


@pytest.fixture
async def hear(store: Store) -> Callable[..., Awaitable[list[int]]]:
    """Stores lines as a listener would."""

    async def keep(*lines: NewLine) -> list[int]:
        ids: list[int] = []
        for line in lines:
            async with store.writing() as unit:
                last = await record.last_id(unit, line.network, line.channel)
                kept = await record.keep(unit, [line], last)
                ids += [stored for stored in kept.ids if stored is not None]
        return ids

    return keep


@pytest.fixture
async def brain(store: Store) -> Brain:
    async with store.writing() as unit:
        await record.keep(unit, tour_lines(), 0)
    cards = [
        AgentCard(
            name=name,
            role=name,
            capabilities=("sell-logs",) if name == "harvester" else (),
            description=souls.load(PROMPTS / "souls", name).description,
            nick=name,
        )
        for name in souls.names(PROMPTS / "souls")
    ]
    return Brain(store=store, cards=cards)
