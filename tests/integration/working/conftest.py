"""An agent on the guild, with a store and everything that answers."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from bots.sandbox.server import build
from tests.integration.discord.swarm import Member, member
from tests.integration.sandbox.stage import Sandbox, config, serving
from tests.integration.working.looker import Enter, Looker
from tests.integration.working.scene import Scene, a_scene


@pytest.fixture
async def sandbox() -> AsyncIterator[Sandbox]:
    async with serving(build(config())) as running:
        yield running


@pytest.fixture
async def enter(sandbox: Sandbox, tmp_path: Path) -> AsyncIterator[Enter]:
    """An agent of these settings, connected; a second one with the same name is its next life."""
    async with contextlib.AsyncExitStack() as lives:

        async def one(name: str = "captain", **settings: Any) -> Looker:
            alive: Member = await lives.enter_async_context(
                member(sandbox, tmp_path, name, **settings)
            )
            await alive.until(lambda: "#task-board" in alive.transport.health.channels)
            assert not await alive.parts.recovery.look()
            return Looker(alive, sandbox)

        yield one


@pytest.fixture
async def looker(enter: Enter) -> Looker:
    return await enter()


@pytest.fixture
async def scene(tmp_path: Path) -> AsyncIterator[Scene]:
    """A question that was heard, and whoever looks at the channel."""
    async with a_scene(tmp_path) as one:
        yield one
