"""The channels we want to sit in, which of them we do, and when to knock again. No I/O."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass

from bots.irc.backoff import delay_s


@dataclass
class Room:
    #: the name as configured, before folding
    name: str
    joined: bool = False
    #: times in a row that we were kept or thrown out
    refusals: int = 0
    #: why we are not in, in the server's words
    trouble: str = ""
    #: monotonic reading when we got in
    joined_at_s: float = 0.0


#: who may stay this long was not thrown out again at once
_SETTLED_S = 60.0


class Rooms:
    """Rooms by folded name. They outlive a connection; `disconnected` empties them."""

    def __init__(self, *, first_s: float, most_s: float, rng: random.Random) -> None:
        self._first_s = first_s
        self._most_s = most_s
        self._rng = rng
        self._rooms: dict[str, Room] = {}

    def want(self, folded: str, name: str) -> None:
        self._rooms.setdefault(folded, Room(name))

    def refold(self, fold: Callable[[str], str]) -> None:
        """Each server has its own idea of equal names."""
        self._rooms = {fold(room.name): room for room in self._rooms.values()}

    def wants(self, folded: str) -> bool:
        return folded in self._rooms

    def is_in(self, folded: str) -> bool:
        room = self._rooms.get(folded)
        return room is not None and room.joined

    def joined(self, folded: str, *, now_s: float) -> None:
        if room := self._rooms.get(folded):
            room.joined, room.trouble, room.joined_at_s = True, "", now_s

    def kept_out(self, folded: str, why: str, *, slow: bool, now_s: float) -> float | None:
        """Kicked or refused; seconds until the next try, None for a room that nobody wants.

        `slow`: a ban or a lock, which rarely ends within seconds.
        """
        room = self._rooms.get(folded)
        if room is None:
            return None
        if room.joined and now_s - room.joined_at_s >= _SETTLED_S:
            room.refusals = 0
        room.joined, room.trouble = False, why
        first_s = min(self._most_s, self._first_s * 6) if slow else self._first_s
        wait_s = delay_s(room.refusals, first_s=first_s, most_s=self._most_s, rng=self._rng)
        room.refusals += 1
        return wait_s

    def disconnected(self) -> None:
        for room in self._rooms.values():
            room.joined = False

    def missing(self) -> list[str]:
        """Folded names of rooms that we want and are not in."""
        return [folded for folded, room in self._rooms.items() if not room.joined]

    def present(self) -> tuple[str, ...]:
        return tuple(folded for folded, room in self._rooms.items() if room.joined)

    def absent(self) -> tuple[str, ...]:
        """Names of the rooms that we want and do not sit in."""
        return tuple(sorted(room.name for room in self._rooms.values() if not room.joined))

    def name(self, folded: str) -> str:
        room = self._rooms.get(folded)
        return room.name if room else folded

    def troubles(self) -> list[str]:
        return [f"{room.name}: {room.trouble}" for room in self._rooms.values() if room.trouble]
