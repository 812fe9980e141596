"""The circuit of each model, one row that all agents share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import sqlalchemy as sa

from storage.circuit import Circuit
from storage.core import CIRCUIT, insert, run
from storage.unit import Unit

_c = CIRCUIT.c
_VALUES: Final = (
    _c.failures,
    _c.reason,
    _c.open_until,
    _c.probing_by,
    _c.probing_until,
    _c.changed_at,
)


async def read(unit: Unit, model: str) -> Circuit:
    """How the circuit of `model` is; closed when nothing was ever written down."""
    row = (await run(unit, sa.select(*_VALUES).where(_c.model == model))).one_or_none()
    return Circuit() if row is None else _circuit(row)


async def change(
    unit: Unit, model: str, rule: Callable[[Circuit], Circuit]
) -> tuple[Circuit, Circuit]:
    """Apply a rule of `storage.circuit` to what is written down; returns before and after.

    The row is locked from reading to writing, so of many who come at once each sees what the one
    before it wrote: that is what makes the probe one agent's. Nothing is written without a change.
    """
    before = await _locked(unit, model)
    after = rule(before)
    if after != before:
        values = {column.name: getattr(after, column.name) for column in _VALUES}
        await run(unit, sa.update(CIRCUIT).where(_c.model == model).values(**values))
    return before, after


async def _locked(unit: Unit, model: str) -> Circuit:
    query = sa.select(*_VALUES).where(_c.model == model).with_for_update()
    row = (await run(unit, query)).one_or_none()
    if row is None:
        # A row that is not there cannot be locked; who comes second finds the first one's.
        blank = Circuit()
        first = insert(unit, CIRCUIT).values(
            model=model,
            failures=blank.failures,
            reason=blank.reason,
            probing_by=blank.probing_by,
            changed_at=blank.changed_at,
        )
        await run(unit, first.on_conflict_do_nothing(index_elements=["model"]))
        row = (await run(unit, query)).one()
    return _circuit(row)


def _circuit(row: sa.Row[Any]) -> Circuit:
    return Circuit(
        failures=row.failures,
        reason=row.reason,
        open_until=row.open_until,
        probing_by=row.probing_by,
        probing_until=row.probing_until,
        changed_at=row.changed_at,
    )
