"""A gateway session: numbered events, kept for a while so that RESUME can tell them again."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Protocol

from bots.sandbox.events import Intent
from bots.sandbox.frames import Op
from bots.sandbox.model import User


class Wire(Protocol):
    """The socket that a session speaks through just now."""

    def send(self, text: str) -> None:
        """Queue one frame; never blocks, never raises."""


@dataclass(frozen=True)
class Told:
    """One numbered event; `data` is JSON text, shared between the sessions that got the same."""

    seq: int
    name: str
    data: str

    @property
    def frame(self) -> str:
        return f'{{"op":{Op.DISPATCH},"s":{self.seq},"t":"{self.name}","d":{self.data}}}'


class Session:
    """What one IDENTIFY began: it outlives its socket until nobody resumes it.

    `intents` None is a person's session, which hears everything that the person may see.
    """

    def __init__(self, session_id: str, user: User, intents: Intent | None, *, keep: int) -> None:
        self.id = session_id
        self.user = user
        self.intents = intents
        #: what this client last said of its presence
        self.status = "online"
        self.activities: list[dict[str, Any]] = []
        self.wire: Wire | None = None
        self._last_seq = 0
        self._told: deque[Told] = deque(maxlen=keep)

    @property
    def last_seq(self) -> int:
        return self._last_seq

    def tell(self, name: str, data: str) -> None:
        """Number the event `name` with the JSON text `data`, keep it, and send it if possible."""
        self._last_seq += 1
        told = Told(self._last_seq, name, data)
        self._told.append(told)
        if self.wire is not None:
            self.wire.send(told.frame)

    def covers(self, seq: int) -> bool:
        """Whether everything after `seq` is still known."""
        oldest = self._told[0].seq if self._told else self._last_seq + 1
        return oldest <= seq + 1 <= self._last_seq + 1

    def since(self, seq: int) -> Iterator[str]:
        """The frames after `seq`, in order; ask `covers` first."""
        return (told.frame for told in self._told if told.seq > seq)


def encode(data: Any) -> str:
    """JSON as it goes over the socket: ASCII, so that even half a surrogate pair can be sent."""
    return json.dumps(data, separators=(",", ":"))
