"""A stub of the vendors for each test, in the test's own event loop."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.vendors.script import Script
from tests.vendors.server import Stub, serving


@pytest.fixture
async def stub() -> AsyncIterator[Stub]:
    """It answers what the test puts into its script."""
    async with serving(Script()) as running:
        yield running
