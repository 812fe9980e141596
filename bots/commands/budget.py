"""`/budget`: what was spent, what is set aside, and what is left."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from bots.commands import reading
from bots.commands.asked import Asked
from bots.commands.registry import Arguments, Command, Desk, Kind, Option, named
from bots.control.operators import NotAnOperator
from brain.wallet.budgets import Budget, Window, usd
from storage import spending
from storage.spending import Slice, Spent

_WINDOWS = (Window.HOUR, Window.DAY)
_SPAN = {Window.HOUR: "last hour", Window.DAY: "today"}
_WHEN = (
    "In US dollars. The hour is the last 60 minutes, the day ends at 00:00 UTC; a call counts from "
    "when its money was set aside."
)
_ALL_IN_PRIVATE = "Operators are told everybody's in private."


async def _budget(desk: Desk, asked: Asked, arguments: Arguments) -> str:
    is_operator = _is_operator(desk, asked)
    agent = named(desk, arguments["agent"]) if "agent" in arguments else None
    if agent not in (None, desk.agent) and not is_operator:
        return f"No: what others spend is for operators; I am {desk.agent}."
    if agent is None and is_operator and _is_for_one(asked):
        return "\n".join([*await _accounts(desk, [*desk.agents, None]), _WHEN])
    hint = [_ALL_IN_PRIVATE] if agent is None and is_operator else []
    return "\n".join([*await _accounts(desk, [agent or desk.agent]), _WHEN, *hint])


def _is_operator(desk: Desk, asked: Asked) -> bool:
    try:
        desk.operators.vouch(asked.evidence)
    except NotAnOperator:
        return False
    return True


def _is_for_one(asked: Asked) -> bool:
    """The one who asks is the only one to see the answer."""
    return asked.in_private or asked.interaction is not None


async def _accounts(desk: Desk, whose: Sequence[str | None]) -> list[str]:
    """One line for each agent; None: the whole swarm."""
    now = desk.now()
    slices = [Slice(agent=who, since=w.begins(now)) for who in whose for w in _WINDOWS]
    sums = iter(await desk.store.read(lambda unit: spending.spent(unit, slices)))
    return [
        _account(who, desk.budgets_of(who or desk.agent), {w: next(sums) for w in _WINDOWS})
        for who in whose
    ]


def _account(who: str | None, budgets: Sequence[Budget], sums: Mapping[Window, Spent]) -> str:
    limits = {budget.window: budget for budget in budgets if budget.agent == who}
    parts = [_window(window, sums[window], limits.get(window)) for window in _WINDOWS]
    if Window.TASK in limits:
        parts.append(f"each task at most {usd(limits[Window.TASK].nusd)}")
    return f"{who or 'the swarm'}: {'; '.join(parts)}"


def _window(window: Window, spent: Spent, limit: Budget | None) -> str:
    aside = f", {usd(spent.reserved_nusd)} set aside" if spent.reserved_nusd else ""
    if limit is None:
        return f"{_SPAN[window]} {usd(spent.settled_nusd)} spent{aside}, no limit"
    left = max(limit.nusd - spent.nusd, 0)
    of = f"{usd(spent.settled_nusd)} of {usd(limit.nusd)} spent"
    return f"{_SPAN[window]} {of}{aside}, {usd(left)} left"


BUDGET = Command(
    name="budget",
    usage="[AGENT]",
    summary="what was spent, set aside and left; operators see everybody's",
    options=(Option("agent", "Whose; left out: the one who answers", Kind.AGENT),),
    read=reading.at_most_one("agent"),
    run=_budget,
    private=True,
)
