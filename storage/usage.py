"""What agents have done with their models, counted from their turns."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from storage.core import SESSION, TURN, run
from storage.unit import Unit


@dataclass(frozen=True)
class Counts:
    turns: int
    #: how often the model was asked
    steps: int
    #: turns that ended with words
    answers: int


@dataclass(frozen=True)
class Usage:
    """One agent's use of one model."""

    agent: str
    model: str
    #: since the time asked for
    today: Counts
    in_all: Counts


async def of_agents(unit: Unit, since: datetime) -> list[Usage]:
    """Every agent's use of every model, since `since` and in all that is kept, by name."""
    recent = TURN.c.finished_at >= since
    answered = TURN.c.answer != ""
    query = (
        sa.select(
            SESSION.c.agent,
            TURN.c.model,
            _number(recent),
            _steps(recent),
            _number(sa.and_(recent, answered)),
            _number(sa.true()),
            _steps(sa.true()),
            _number(answered),
        )
        .join(SESSION, SESSION.c.id == TURN.c.session_id)
        .group_by(SESSION.c.agent, TURN.c.model)
        .order_by(SESSION.c.agent, TURN.c.model)
    )
    rows = (await run(unit, query)).all()
    return [Usage(r[0], r[1], Counts(*r[2:5]), Counts(*r[5:8])) for r in rows]


def _number(holds: sa.ColumnElement[bool]) -> sa.ColumnElement[int]:
    return sa.func.coalesce(sa.func.sum(sa.case((holds, 1), else_=0)), 0)


def _steps(holds: sa.ColumnElement[bool]) -> sa.ColumnElement[int]:
    return sa.func.coalesce(sa.func.sum(sa.case((holds, TURN.c.steps), else_=0)), 0)
