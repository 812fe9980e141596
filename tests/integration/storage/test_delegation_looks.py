"""What is asked at every nudge and at every answer reads a few rows, however many there are."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from storage import delegation_looks, delegations, talks, workflows
from storage.store import Store
from storage.unit import Unit
from tests.schema import give_schema

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
#: how a plan says that it reads a table, or one of its indexes, from end to end
_WHOLE = ("SCAN delegation", "SCAN talk", "SCAN workflow_run")


async def _look(unit: Unit) -> object:
    return await delegation_looks.look(unit, "ada", [1, 2], NOW, limit=4, page=16, routed=True)


async def _passing(unit: Unit) -> object:
    return await delegation_looks.look(unit, "ada", [], NOW, limit=0, page=16, routed=False)


async def _answer(unit: Unit) -> object:
    return await delegations.by_code(unit, "d-7K2M9QXA")


async def _untaken(unit: Unit) -> object:
    return await delegation_looks.untaken(unit, "ada", ["bob"], NOW, after=0, limit=16)


async def _overdue(unit: Unit) -> object:
    return await delegations.any_overdue(unit, NOW, timedelta(seconds=90))


async def _talk(unit: Unit) -> object:
    return await talks.by_code(unit, "t-9F3A21BC04")


async def _run(unit: Unit) -> object:
    return await workflows.by_code(unit, "wf-12")


async def _records(unit: Unit) -> object:
    return await delegations.records(unit, NOW)


async def _done_words(unit: Unit) -> object:
    return await delegations.done_words(unit, NOW, 300)


_ASKED = [
    *(_look, _passing, _answer, _untaken, _overdue),
    *(_records, _done_words, _talk, _run),
]


@pytest.mark.parametrize("asked", _ASKED)
async def test_no_look_reads_the_whole_table(asked: Any, tmp_path: Path) -> None:
    for told in await _plans(asked, tmp_path):
        assert not [step for step in told if step.startswith(_WHOLE)], told


@pytest.mark.parametrize("asked", [_records, _done_words])
async def test_who_chooses_reads_the_last_days_alone(asked: Any, tmp_path: Path) -> None:
    [told] = await _plans(asked, tmp_path)
    assert [step for step in told if "(state=? AND expires_at>?)" in step], told


async def _plans(asked: Any, folder: Path) -> list[list[str]]:
    """How SQLite goes about each statement of it."""
    store = await Store.open(f"sqlite:///{folder / 'parley.sqlite'}")
    await give_schema(store)
    async with store.writing() as unit:
        ran: list[tuple[str, Any]] = []
        sa.event.listen(
            unit.connection, "before_cursor_execute", lambda *a: ran.append((a[2], a[3]))
        )
        await asked(unit)
        plans = []
        for statement, values in tuple(ran):  # to ask for a plan is a statement, too
            explained = f"EXPLAIN QUERY PLAN {statement}"
            plan = unit.connection.exec_driver_sql(explained, values).all()
            plans.append([str(step[-1]) for step in plan])
    await store.close()
    assert plans
    return plans
