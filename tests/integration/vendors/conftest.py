"""A stub of the vendors for each test, in the test's own event loop; Anthropic's adapter on it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from brain.models.anthropic import connect
from brain.models.provider import ModelSpec, Provider
from tests.integration.vendors.asking import PATIENCE_S, Connect
from tests.vendors.script import Script
from tests.vendors.server import Stub, serving


@pytest.fixture
async def stub() -> AsyncIterator[Stub]:
    """It answers what the test puts into its script."""
    async with serving(Script()) as running:
        yield running


@pytest.fixture
async def connected(stub: Stub) -> AsyncIterator[Connect]:
    """Makes providers on the stub, with changes to their specification; closes them."""
    made: list[Provider] = []

    def make(**changes: Any) -> Provider:
        given: dict[str, Any] = {
            "name": "main",
            "provider": "anthropic",
            "model": "claude-sonnet-5",
            "base_url": stub.url,
            "timeout_s": PATIENCE_S,
        }
        made.append(connect(ModelSpec(**given | changes)))
        return made[-1]

    yield make
    for provider in made:
        await provider.close()
