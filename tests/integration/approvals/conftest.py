"""A sandbox guild and a store for each test."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bots.sandbox.server import build
from storage.store import Store
from tests.integration.sandbox.stage import Sandbox, config, serving
from tests.schema import give_schema


@pytest.fixture
async def sandbox() -> AsyncIterator[Sandbox]:
    async with serving(build(config())) as running:
        yield running


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    opened = await Store.open(f"sqlite:///{tmp_path / 'parley.db'}")
    await give_schema(opened)
    yield opened
    await opened.close()
