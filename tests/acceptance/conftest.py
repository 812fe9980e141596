"""A real swarm for each test: real processes, IRC server and bus, a folder of its own."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.stage import Swarm


@pytest.fixture
async def swarm(tmp_path: Path) -> AsyncIterator[Callable[..., Swarm]]:
    """Make swarms with `swarm(agents=[…], more="toml")`; what still runs is ended afterwards."""
    made: list[Swarm] = []

    def make(
        agents: tuple[str, ...] = ("captain", "secretary", "auditor"),
        more: str = "",
        **more_of: Any,
    ) -> Swarm:
        made.append(Swarm.make(tmp_path / f"swarm{len(made)}", agents, more, **more_of))
        return made[-1]

    yield make
    for one in made:
        await one.close()
