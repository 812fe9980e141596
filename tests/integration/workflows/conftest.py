"""A store for each test, and one driver after the other on it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from storage.store import Store
from tests.integration.workflows.world import Stage
from tests.schema import give_schema


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    opened = await Store.open(f"sqlite:///{tmp_path / 'parley.db'}")
    await give_schema(opened)
    yield opened
    await opened.close()


@pytest.fixture
def stage(store: Store) -> Stage:
    return Stage(store)
