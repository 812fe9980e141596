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
    return await delegation_looks.look(
        unit, "ada", [1, 2], NOW, limit=4, only_passing=False, routed=True
    )


async def _passing(unit: Unit) -> object:
    return await delegation_looks.look(
        unit, "ada", [], NOW, limit=16, only_passing=True, routed=False
    )


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


@pytest.mark.parametrize("asked", [_look, _passing, _answer, _untaken, _overdue, _talk, _run])
async def test_no_look_reads_the_whole_table(asked: Any, tmp_path: Path) -> None:
    store = await Store.open(f"sqlite:///{tmp_path / 'parley.sqlite'}")
    await give_schema(store)
    async with store.writing() as unit:
        ran: list[tuple[str, Any]] = []
        sa.event.listen(
            unit.connection, "before_cursor_execute", lambda *a: ran.append((a[2], a[3]))
        )
        await asked(unit)
        looks = tuple(ran)  # to ask for a plan is a statement, too
        for statement, values in looks:
            explained = f"EXPLAIN QUERY PLAN {statement}"
            plan = unit.connection.exec_driver_sql(explained, values).all()
            told = [str(step[-1]) for step in plan]
            assert not [step for step in told if step.startswith(_WHOLE)], told
        assert looks
    await store.close()
