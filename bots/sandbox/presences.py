"""Who is seen as online: a session with a socket, and for a moment after it lost one."""

from __future__ import annotations

import asyncio
from typing import Any

from bots.sandbox.frames import Close, Refused
from bots.sandbox.session import Session
from bots.sandbox.world import World

#: Discord's documentation, "Gateway Events", "Status Types"
_STATUSES = ("online", "dnd", "idle", "invisible", "offline")


class Presences:
    """Tells the world who comes and goes, by session; a short gap is not shown."""

    def __init__(self, world: World, linger_s: float) -> None:
        self._world = world
        self._linger_s = linger_s
        self._seen: set[str] = set()
        self._leaving: dict[str, asyncio.TimerHandle] = {}

    def came(self, session: Session) -> None:
        """The session has a socket (again): it is seen as it last showed itself."""
        self._stop_leaving(session)
        if session.id in self._seen:
            return
        self._seen.add(session.id)
        self._world.connected(session.user, session.status, session.activities)

    def left(self, session: Session) -> None:
        """The session lost its socket: unless it resumes soon, it is not seen any more."""
        self._stop_leaving(session)
        loop = asyncio.get_running_loop()
        self._leaving[session.id] = loop.call_later(self._linger_s, self.gone, session)

    def gone(self, session: Session) -> None:
        """The session is not seen any more."""
        self._stop_leaving(session)
        if session.id in self._seen:
            self._seen.discard(session.id)
            self._world.disconnected(session.user)

    def show(self, session: Session, data: dict[str, Any]) -> None:
        """What the client says of itself while it is there; refuses what `read` refuses."""
        read(session, data)
        self._world.set_presence(session.user, session.status, session.activities)

    def stop(self) -> None:
        for timer in self._leaving.values():
            timer.cancel()

    def _stop_leaving(self, session: Session) -> None:
        timer = self._leaving.pop(session.id, None)
        if timer is not None:
            timer.cancel()


def read(session: Session, data: dict[str, Any]) -> None:
    """Keep what the client says of itself; a wrong shape closes the socket with 4002."""
    status = data.get("status") or "online"
    activities = data.get("activities")
    if activities is None:
        # discord.py's IDENTIFY names its one activity so
        activities = [data["game"]] if data.get("game") else []
    if status not in _STATUSES or not isinstance(activities, list):
        raise Refused(Close.DECODE_ERROR, "Error while decoding payload.")
    session.status, session.activities = status, activities
