"""What is warmed before the fork leaves nothing behind that a fork would copy."""

from __future__ import annotations

import threading
from pathlib import Path

from storage.warming import warm


def test_warming_waits_for_nothing_and_leaves_no_thread_and_no_descriptor() -> None:
    before = threading.active_count(), len(list(Path("/proc/self/fd").iterdir()))
    warm()
    assert (threading.active_count(), len(list(Path("/proc/self/fd").iterdir()))) == before
