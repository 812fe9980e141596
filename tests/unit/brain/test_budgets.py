"""Windows, limits and the 80 % mark, as pure rules."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from brain.wallet.budgets import Budget, NearlySpent, Window, budgets_of, nusd_of, usd

moments = st.datetimes(timezones=st.just(UTC)).map(
    lambda moment: moment.replace(year=2020 + moment.year % 20, day=min(moment.day, 28))
)
nusd = st.integers(0, 10**15)


@dataclass(frozen=True)
class Caps:
    usd_per_hour: Decimal | None = None
    usd_per_day: Decimal | None = None
    usd_per_task: Decimal | None = None


def counts(window: Window, then: datetime, now: datetime) -> bool:
    begins = window.begins(now)
    return begins is None or then >= begins


@given(moments, st.timedeltas(timedelta(0), timedelta(days=2)))
def test_an_hour_is_the_last_3600_seconds(now: datetime, ago: timedelta) -> None:
    assert counts(Window.HOUR, now - ago, now) == (ago < timedelta(hours=1))


@given(moments, st.timedeltas(timedelta(0), timedelta(days=2)))
def test_a_day_is_the_utc_day(now: datetime, ago: timedelta) -> None:
    then = now - ago
    assert counts(Window.DAY, then, now) == (then.date() == now.date())


@given(moments, st.integers(-14, 14))
def test_a_day_is_the_same_wherever_the_clock_stands(now: datetime, hours: int) -> None:
    local = now.astimezone(timezone(timedelta(hours=hours)))
    assert Window.DAY.begins(local) == Window.DAY.begins(now)


@given(moments, moments)
def test_a_task_has_no_end(then: datetime, now: datetime) -> None:
    assert counts(Window.TASK, then, now)


@given(
    st.lists(st.tuples(moments, nusd), max_size=20),
    moments,
    st.sampled_from([Window.HOUR, Window.DAY]),
)
def test_windows_only_forget_as_time_goes_on(
    calls: list[tuple[datetime, int]], now: datetime, window: Window
) -> None:
    """No call comes into a window again once it has left it."""
    later = now + timedelta(minutes=7)
    known = [(then, cost) for then, cost in calls if then <= now]
    before = {call for call in known if counts(window, call[0], now)}
    after = {call for call in known if counts(window, call[0], later)}
    assert after <= before


def test_fifty_cents_are_fifty_cents() -> None:
    (budget,) = budgets_of("captain", Caps(usd_per_day=Decimal("0.50")), Caps())
    assert budget == Budget(window=Window.DAY, nusd=500_000_000, agent="captain")
    assert budget.words == "0.50 USD a day of captain"


def test_an_agent_s_calls_count_in_its_own_budgets_and_in_the_swarm_s() -> None:
    whole = Caps(Decimal(1), Decimal(2), Decimal(3))
    found = [(b.whose, str(b.window), b.nusd) for b in budgets_of("captain", whole, whole)]
    in_nusd = [("hour", 10**9), ("day", 2 * 10**9), ("task", 3 * 10**9)]
    assert found == [(who, *rest) for who in ("captain", "the swarm") for rest in in_nusd]


def test_what_is_not_given_is_not_limited_but_nothing_is_a_limit() -> None:
    assert budgets_of("captain", Caps(), Caps()) == ()
    (none_at_all,) = budgets_of("captain", Caps(usd_per_hour=Decimal(0)), Caps())
    assert none_at_all.nusd == 0


@given(st.decimals(0, 10**6, allow_nan=False))
def test_a_limit_is_rounded_down(dollars: Decimal) -> None:
    assert nusd_of(dollars) <= Fraction(dollars) * 10**9 < nusd_of(dollars) + 1


@given(st.integers(1, 10**12), st.lists(st.integers(0, 10**11), max_size=60))
def test_the_mark_of_80_percent_is_passed_once(limit: int, bills: list[int]) -> None:
    budget = Budget(window=Window.DAY, nusd=limit, agent=None)
    spent, told = 0, 0
    for bill in bills:
        told += budget.is_nearly_spent(spent, spent + bill)
        spent += bill
    assert told == (Fraction(spent, limit) >= Fraction(8, 10))


def test_what_people_read() -> None:
    amounts = (500_000_000, 0, 1_234_000, 12_000_000_600, 999, 10**9)
    read = ["0.50", "0.00", "0.001234", "12.000001", "0.000001", "1.00"]
    assert [usd(n) for n in amounts] == read
    budget = Budget(window=Window.HOUR, nusd=5 * 10**8, agent=None)
    sentence = NearlySpent(budget=budget, spent_nusd=4 * 10**8).sentence
    assert sentence == "0.40 USD are spent of 0.50 USD an hour of the swarm."
