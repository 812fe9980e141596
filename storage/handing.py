"""A line that one agent's inbox has, handed to others, or taken up by itself as talk."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

import sqlalchemy as sa

from storage import inbox
from storage.core import AGENT, INBOX, run
from storage.tables import InboxState
from storage.unit import Unit

_WORKING: Final = str(InboxState.WORKING)


async def hand_on(
    unit: Unit,
    message_id: int,
    agents: Sequence[str],
    *,
    session: str,
    priority: int,
    now: datetime,
    trace_id: str,
) -> None:
    """Each of `agents` owes the line a look; who owes it one already owes it once."""
    for agent in agents:
        await inbox.enqueue(unit, agent, message_id, session, priority, now, trace_id)


async def take_as_talk(unit: Unit, inbox_id: int, agent: str, epoch: int, priority: int) -> bool:
    """The command in hand is a question to this very agent: working → queued, behind `priority`.

    False when the row is not ours any more.
    """
    overtaken = sa.exists().where(AGENT.c.name == agent, AGENT.c.epoch > epoch)
    change = (
        sa.update(INBOX)
        .where(
            INBOX.c.id == inbox_id,
            INBOX.c.agent == agent,
            INBOX.c.state == _WORKING,
            INBOX.c.epoch == epoch,
            ~overtaken,
        )
        .values(
            state=str(InboxState.QUEUED),
            priority=priority,
            listener_of=None,
            epoch=None,
            claimed_at=None,
        )
    )
    return (await run(unit, change)).rowcount == 1
