"""When a heartbeat is too old."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from storage.agents import is_stale
from storage.tables import Heartbeat, HeartbeatTier

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("tier", "claim", "age_s", "stale"),
    [
        (HeartbeatTier.INFRA, "", 120, False),
        (HeartbeatTier.INFRA, "", 121, True),
        (HeartbeatTier.FUNCTIONAL, "inbox 7", 90, False),
        (HeartbeatTier.FUNCTIONAL, "inbox 7", 91, True),
        (HeartbeatTier.FUNCTIONAL, "", 10_000, False),
    ],
)
def test_stale(tier: HeartbeatTier, claim: str, age_s: int, *, stale: bool) -> None:
    beat = Heartbeat(agent="captain", tier=tier, at=NOON, claim=claim)
    assert is_stale(beat, NOON + timedelta(seconds=age_s)) is stale
