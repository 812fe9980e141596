"""A latch as JSON, for the pipe, the bus and HTTP."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from storage.latch import Latch


def to_json(latch: Latch) -> dict[str, Any]:
    return {
        "scope": latch.scope,
        "killed": latch.killed,
        "by": latch.by,
        "door": latch.door,
        "reason": latch.reason,
        "changed_at": latch.changed_at.isoformat(),
    }


def from_json(body: dict[str, Any]) -> Latch:
    """Raises `ValueError` or `KeyError` when it is no latch."""
    return Latch(
        scope=str(body["scope"]),
        killed=bool(body["killed"]),
        by=str(body["by"]),
        door=str(body["door"]),
        reason=str(body["reason"]),
        changed_at=datetime.fromisoformat(body["changed_at"]),
    )
