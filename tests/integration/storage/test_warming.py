"""What is warmed before the fork leaves nothing behind that a fork would copy."""

from __future__ import annotations

import threading
from contextlib import suppress
from pathlib import Path

from storage.warming import warm


def test_warming_waits_for_nothing_and_leaves_no_thread_and_no_descriptor() -> None:
    # What other tests have left may go meanwhile.
    threads, descriptors = set(threading.enumerate()), _descriptors()
    warm()
    assert not set(threading.enumerate()) - threads
    assert not _descriptors() - descriptors


def _descriptors() -> set[tuple[str, str]]:
    """Each open one with what it leads to, but for the look itself."""
    found: set[tuple[str, str]] = set()
    for one in Path("/proc/self/fd").iterdir():
        with suppress(FileNotFoundError):
            found.add((one.name, str(one.readlink())))
    return {(number, to) for number, to in found if not to.endswith("/fd")}
