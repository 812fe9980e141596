"""When each event of a log is due: pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from bots.replay.parse import Event


def due_s(events: Sequence[Event], speed: float | None) -> list[float]:
    """Seconds after the start at which each event is due, at `speed` times the log's own pace.

    Logs tell minutes only, so the events of one minute are spread evenly over it. Without a speed
    all are due at once.
    """
    if speed is None or not events:
        return [0.0] * len(events)
    of_minute = Counter(event.minute for event in events)
    seen: Counter[int] = Counter()
    start = events[0].minute
    due: list[float] = []
    for event in events:
        within = seen[event.minute] / of_minute[event.minute]
        seen[event.minute] += 1
        due.append((event.minute - start + within) * 60 / speed)
    return due
