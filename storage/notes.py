"""What agents noted for themselves, by name.

A note from a place where everybody may read is the agent's everywhere. One from a closed place is
recalled, changed and forgotten in that very place, and its name is free elsewhere: nobody learns
from a name that is taken what was said in private.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

import sqlalchemy as sa

from storage.core import NOTE, insert, one_at_a_time, run
from storage.text import storable
from storage.unit import Unit

#: notes of one agent, and those of them that may come from one place
MOST: Final = 200
MOST_OF_A_PLACE: Final = 50
#: between a closed place and a name, in the column `name`
_IN: Final = "|"


@dataclass(frozen=True, kw_only=True)
class Noted:
    """A note as it is recalled."""

    name: str
    text: str
    #: session key of where it was noted, and who asked there
    session: str
    asker: str
    is_open: bool
    changed_at: datetime


class Written(StrEnum):
    NEW = "new"
    CHANGED = "changed"
    #: nothing was written: this agent has too many notes
    FULL = "full"
    #: nothing was written: too many of them come from this place
    PLACE_FULL = "place full"


async def remember(
    unit: Unit,
    agent: str,
    name: str,
    text: str,
    *,
    session: str,
    asker: str,
    is_open: bool,
    now: datetime,
) -> Written:
    """Note `text` as `name`, in the stead of what was noted so before. The caller bounds both."""
    await one_at_a_time(unit, f"notes of {agent}")
    key = _key(name, session, is_open=is_open)
    values = {"text": storable(text), "session": session, "asker": storable(asker)}
    known = sa.select(NOTE.c.id).where(NOTE.c.agent == agent, NOTE.c.name == key)
    is_known = (await run(unit, known)).scalar() is not None
    if not is_known:
        full = await _full(unit, agent, session)
        if full is not None:
            return full
    add = insert(unit, NOTE).values(
        agent=agent, name=key, is_open=is_open, created_at=now, changed_at=now, **values
    )
    await run(
        unit,
        add.on_conflict_do_update(
            index_elements=["agent", "name"], set_={**values, "changed_at": now}
        ),
    )
    return Written.CHANGED if is_known else Written.NEW


async def recall(unit: Unit, agent: str, session: str) -> list[Noted]:
    """Every note that may be told in `session`, the newest first."""
    c = NOTE.c
    query = (
        sa.select(c.name, c.text, c.session, c.asker, c.is_open, c.changed_at)
        .where(c.agent == agent, sa.or_(c.is_open, c.session == session))
        .order_by(c.changed_at.desc(), c.id.desc())
    )
    return [
        Noted(
            name=row.name if row.is_open else row.name.removeprefix(f"{session}{_IN}"),
            text=row.text,
            session=row.session,
            asker=row.asker,
            is_open=row.is_open,
            changed_at=row.changed_at,
        )
        for row in await run(unit, query)
    ]


async def forget(unit: Unit, agent: str, name: str, session: str) -> bool:
    """Forget the note of this name: the one of this closed place, else the open one; False when
    there is neither.
    """
    for is_open in (False, True):
        key = _key(name, session, is_open=is_open)
        gone = sa.delete(NOTE).where(NOTE.c.agent == agent, NOTE.c.name == key)
        if (await run(unit, gone)).rowcount:
            return True
    return False


async def _full(unit: Unit, agent: str, session: str) -> Written | None:
    c = NOTE.c
    here = sa.func.coalesce(sa.func.sum(sa.case((c.session == session, 1), else_=0)), 0)
    counts = (await run(unit, sa.select(sa.func.count(), here).where(c.agent == agent))).one()
    if counts[0] >= MOST:
        return Written.FULL
    return Written.PLACE_FULL if counts[1] >= MOST_OF_A_PLACE else None


def _key(name: str, session: str, *, is_open: bool) -> str:
    name = storable(name).replace(_IN, " ")
    return name if is_open else f"{session}{_IN}{name}"
