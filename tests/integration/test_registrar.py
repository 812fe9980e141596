"""The agents' rows follow the supervisor's knowledge, whatever changes while they are written."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import structlog

from bots.settings import Settings
from bots.supervisor.registrar import Registrar
from bots.swarm_settings import AgentSettings
from storage import agents
from storage.store import Store
from storage.tables import AgentState
from tests.schema import give_schema


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    made = await Store.open(f"sqlite:///{tmp_path}/parley.sqlite")
    await give_schema(made)
    yield made
    await made.close()


class Child:
    """An agent that becomes ready at the very moment in which its row is being written."""

    name, reason, pid, hook_url = "captain", "", 1, None

    def __init__(self) -> None:
        self.state = AgentState.STARTING
        self.epoch = 0
        self.registrar: Registrar | None = None

    @property
    def nick(self) -> None:
        if self.state is AgentState.STARTING and self.registrar is not None:
            self.state = AgentState.READY
            self.registrar.changed(self)  # type: ignore[arg-type]


async def test_a_change_during_a_write_is_written_by_the_next(store: Store) -> None:
    child: Any = Child()
    registrar = Registrar(
        SimpleNamespace(store=store),  # type: ignore[arg-type]
        {"captain": child},
        "here:1",
        lambda: datetime.now(UTC),
        structlog.get_logger(),
    )
    child.registrar = registrar
    await registrar.enrol(Settings(agents=(AgentSettings(name="captain", role="captain"),)))
    child.epoch = await registrar.take("captain")
    registrar.changed(child)
    await registrar.write()
    await registrar.write()
    async with store.reading() as unit:
        [row] = await agents.roster(unit)
    assert row.state == AgentState.READY
