"""What the captain tells the operators once a month: what people paid, and what it brought."""

from __future__ import annotations

from datetime import datetime

from bots.herald import composing
from bots.herald.composing import Post
from bots.people.expenses import Month, in_lines
from bots.people.ledger import expenses
from storage.postings import Mark
from storage.unit import Unit


async def of_last_month(unit: Unit, mark: Mark | None, now: datetime) -> tuple[Post, Mark] | None:
    """The month that is over, once and however late; None when it was told. A month in which nobody
    paid anything is passed over in silence.
    """
    month = Month.of(now).before
    told = {"month": str(month)}
    if mark is not None and mark["month"] >= told["month"]:
        return None
    spent = await expenses(unit, month)
    if not spent.done:
        return Post(""), told
    return composing.spent(f"Expenses of {month}", in_lines(spent)), told
