"""A month's expenses as the store has them."""

from __future__ import annotations

from bots.people.expenses import Expenses, Month
from storage import requests
from storage.tables import RequestState
from storage.unit import Unit


async def expenses(unit: Unit, month: Month) -> Expenses:
    """What was completed in the month, and what is still to be done now."""
    done = await requests.completed(unit, month.begins, month.ends)
    undone = await requests.undone(unit)
    to_do = tuple(r for r in undone if r.state is RequestState.APPROVED)
    return Expenses(
        month=month, done=tuple(r for r in done if r.paid_micros is not None), to_do=to_do
    )
