"""A sandbox guild for each test, and agents on it."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from bots.sandbox.server import build
from tests.integration.sandbox.stage import Sandbox, config, serving


@pytest.fixture
async def sandbox() -> AsyncIterator[Sandbox]:
    async with serving(build(config())) as running:
        yield running
