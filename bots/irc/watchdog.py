"""Is the line alive? Silence earns a PING, more silence means deaf. Time is passed in."""

from __future__ import annotations

from enum import StrEnum


class Verdict(StrEnum):
    FINE = "fine"
    ASK = "ask"
    DEAF = "deaf"


class Watchdog:
    """Silent for `silence_s`: ask once; silent for `pong_s` after that: deaf."""

    def __init__(self, silence_s: float, pong_s: float, *, now_s: float) -> None:
        self._silence_s = silence_s
        self._pong_s = pong_s
        self._heard_s = now_s
        self._asked_s: float | None = None

    def heard(self, now_s: float) -> None:
        self._heard_s = now_s
        self._asked_s = None

    def look(self, now_s: float) -> tuple[Verdict, float]:
        """The verdict, and the reading of the clock at which to look again."""
        if self._asked_s is not None:
            deadline_s = self._asked_s + self._pong_s
            return (Verdict.DEAF if now_s >= deadline_s else Verdict.FINE), deadline_s
        if now_s >= self._heard_s + self._silence_s:
            self._asked_s = now_s
            return Verdict.ASK, now_s + self._pong_s
        return Verdict.FINE, self._heard_s + self._silence_s
