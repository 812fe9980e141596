"""Budgets: the most that may be spent, by whom, and over what time. Pure.

An hour is the last 3600 seconds (it rolls: no two halves of neighbouring hours can make more than
one budget); a day is the UTC day; a task is all of its calls, however long it takes. A call counts
in the windows of the moment when it was reserved.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import ROUND_FLOOR, Context, Decimal
from enum import StrEnum
from typing import Final, Protocol

from brain.wallet.tariff import NUSD

_HOUR: Final = timedelta(hours=1)
#: when so much of a budget is spent, people are told (in hundredths)
_NEARLY: Final = 80
_EXACT: Final = Context(prec=100)


class Window(StrEnum):
    HOUR = "hour"
    DAY = "day"
    TASK = "task"

    def begins(self, now: datetime) -> datetime | None:
        """Since when calls count at `now` (aware); None: since ever. A call of that very moment
        counts.
        """
        if self is Window.HOUR:
            # One step of the clock behind: what was spent exactly an hour ago is out of it.
            return now - _HOUR + timedelta.resolution
        if self is Window.DAY:
            return now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
        return None


_EVERY: Final = {Window.HOUR: "an hour", Window.DAY: "a day", Window.TASK: "a task"}


@dataclass(frozen=True, kw_only=True)
class Budget:
    """At most `nusd` within `window`, by one agent or by the whole swarm."""

    window: Window
    nusd: int
    #: None: the whole swarm
    agent: str | None

    @property
    def whose(self) -> str:
        return self.agent or "the swarm"

    @property
    def words(self) -> str:
        """As in ``0.50 USD a day of captain``."""
        return f"{usd(self.nusd)} USD {_EVERY[self.window]} of {self.whose}"

    def is_nearly_spent(self, before_nusd: int, after_nusd: int) -> bool:
        """The sum has just reached 80 % of the budget."""
        mark = self.nusd * _NEARLY
        return before_nusd * 100 < mark <= after_nusd * 100


@dataclass(frozen=True, kw_only=True)
class NearlySpent:
    """A budget of which 80 % are spent."""

    budget: Budget
    spent_nusd: int

    @property
    def sentence(self) -> str:
        return f"{usd(self.spent_nusd)} USD are spent of {self.budget.words}."


class Caps(Protocol):
    """US dollars; None: no limit."""

    @property
    def usd_per_hour(self) -> Decimal | None: ...

    @property
    def usd_per_day(self) -> Decimal | None: ...

    @property
    def usd_per_task(self) -> Decimal | None: ...


def budgets_of(agent: str, own: Caps, swarm: Caps) -> tuple[Budget, ...]:
    """Every budget that a call of `agent` counts in: its own, then the swarm's."""
    return (*_budgets(agent, own), *_budgets(None, swarm))


def _budgets(agent: str | None, caps: Caps) -> Iterable[Budget]:
    given = {
        Window.HOUR: caps.usd_per_hour,
        Window.DAY: caps.usd_per_day,
        Window.TASK: caps.usd_per_task,
    }
    for window, cap in given.items():
        if cap is not None:
            yield Budget(window=window, nusd=nusd_of(cap), agent=agent)


def nusd_of(dollars: Decimal) -> int:
    """Dollars as nusd, rounded down: a limit is never raised."""
    nusd = _EXACT.multiply(dollars, Decimal(NUSD))
    return int(nusd.to_integral_value(ROUND_FLOOR, _EXACT))


def usd(nusd: int) -> str:
    """For people: dollars to a millionth, rounded, with as many digits as that takes, at least two.

    >>> usd(500_000_000), usd(0), usd(1_234_000), usd(12_000_000_600)
    ('0.50', '0.00', '0.001234', '12.000001')
    """
    micro = (nusd + 500) // 1000
    whole, part = divmod(micro, 10**6)
    digits = f"{part:06d}".rstrip("0")
    return f"{whole}.{digits:0<2}"
