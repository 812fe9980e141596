"""Lines on their way into the record, as plain values; import them from `storage.record`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from storage.tables import LineKind


@dataclass(frozen=True)
class Owed:
    """An agent that owes a line a look; see `storage.tables.Inbox` for the columns."""

    agent: str
    session: str
    priority: int
    listener_of: str | None = None


@dataclass(frozen=True, kw_only=True)
class NewLine:
    """A heard line on its way into the record; see `storage.tables.Message` for the columns."""

    network: str
    channel: str
    sender: str
    account: str | None = None
    kind: LineKind | str
    text: str
    said_at: datetime
    heard_at: datetime
    heard_by: str
    #: it may have come so many seconds before `heard_at`: its listener did not look
    lag_s: float = 0.0
    msgid: str | None = None
    agent: str | None = None
    hops: int = 0
    trace_id: str
    #: who gets an inbox row if this line is new
    owed: tuple[Owed, ...] = ()


@dataclass(frozen=True)
class Kept:
    """What became of each line, in the order given: its id (None: not stored, for it was heard too
    lately), and whether this call stored it.
    """

    ids: list[int | None]
    new: list[bool]
