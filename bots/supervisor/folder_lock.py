"""The state folder's lock: one supervisor lives in a folder.

It imports next to nothing: every command asks whether a swarm runs, few start one.
"""

from __future__ import annotations

import fcntl
import os

from bots.state import StateFolder


class AlreadyRunning(Exception):
    """Another supervisor holds this state folder."""


def lock(state: StateFolder) -> int:
    """Take the state folder for this process; the descriptor holds the lock. Raises
    `AlreadyRunning`.
    """
    fd = os.open(state.lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(fd)
        raise AlreadyRunning(
            "a swarm already runs from this state folder: `python3 run.py status` shows it, "
            "`python3 run.py down` ends it"
        ) from None
    return fd


def is_locked(state: StateFolder) -> bool:
    """True while a supervisor lives in this state folder."""
    try:
        os.close(lock(state))
    except AlreadyRunning:
        return True
    except FileNotFoundError:
        return False
    return False
