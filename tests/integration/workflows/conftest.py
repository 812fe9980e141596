"""A store for each test, and one driver after the other on it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from storage.migrate import upgrade
from storage.store import Store
from tests.integration.workflows.world import Stage


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    opened = await Store.open(f"sqlite:///{tmp_path / 'parley.db'}")
    await upgrade(opened, tmp_path / "upgrade.lock")
    yield opened
    await opened.close()


@pytest.fixture
def stage(store: Store) -> Stage:
    return Stage(store)
