"""What people paid in a month: months without gaps, and sums that are only of one currency."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bots.people.expenses import Expenses, Month, NoMonth, as_json, in_lines
from storage.request import Approvers, Request, RequestKind
from storage.tables import RequestState

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
NOVEMBER = Month(2026, 11)
micros = st.none() | st.integers(0, 10**15)


def request(number: int, currency: str = "EUR", **changes: object) -> Request:
    values: dict[str, object] = {
        "id": number,
        "code": f"AP-{number}",
        "agent": "captain",
        "kind": RequestKind.PAYMENT,
        "subject": "GPU hours",
        "title": "GPU hours",
        "facts": (),
        "asked_by": "buyer",
        "approvers": Approvers(),
        "network": "discord",
        "channel": "#ceo-office",
        "message_id": None,
        "shown": "",
        "state": RequestState.COMPLETED,
        "created_at": NOON,
        "expires_at": NOON,
        "decided_by": "you",
        "evidence": {},
        "decided_at": NOON,
        "note": "",
        "outcome": "done",
        "completed_by": "you",
        "completed_at": NOON,
        "currency": currency,
        "trace_id": "t",
    }
    return Request(**(values | changes))  # type: ignore[arg-type]


@given(st.integers(1, 9 * 365 * 24 * 60), st.integers(-14, 14))
def test_every_moment_is_in_one_month(minutes: int, hours: int) -> None:
    moment = (NOON + timedelta(minutes=minutes)).astimezone(timezone(timedelta(hours=hours)))
    month = Month.of(moment)
    assert month.begins <= moment < month.ends
    assert Month.of(month.ends).before == month
    assert Month.parse(str(month)) == month


@pytest.mark.parametrize(
    "text", ["", "2026", "2026-13", "2026-1", "0000-01", "9999-12", "2026-11x"]
)
def test_what_is_no_month(text: str) -> None:
    with pytest.raises(NoMonth, match="as in 2026-11"):
        Month.parse(text)


@given(st.lists(st.tuples(st.sampled_from(["EUR", "USD"]), micros, micros), max_size=8))
def test_sums_are_exact_and_of_one_currency(paid: list[tuple[str, int | None, int | None]]) -> None:
    done = tuple(
        request(n, currency, paid_micros=cost, earned_micros=gain)
        for n, (currency, cost, gain) in enumerate(paid, 1)
    )
    totals = {t.currency: t for t in Expenses(month=NOVEMBER, done=done).totals()}
    for currency in {c for c, _, _ in paid}:
        mine = [(cost or 0, gain or 0) for c, cost, gain in paid if c == currency]
        total = totals[currency]
        assert (total.paid_micros, total.earned_micros) == tuple(map(sum, zip(*mine, strict=True)))
        assert total.requests == len(mine)


def test_people_read_the_sums_first() -> None:
    first = request(
        1,
        paid_micros=11_900_000,
        cost_micros=12_000_000,
        earned_micros=38_000_000,
        return_micros=40_000_000,
    )
    second = request(2, "USD", paid_micros=5_000_000, title="A key")
    later = request(3, state=RequestState.APPROVED, cost_micros=7_000_000, completed_at=None)
    expenses = Expenses(month=NOVEMBER, done=(first, second), to_do=(later,))
    assert in_lines(expenses) == [
        "11.90 EUR paid (estimated 12.00 EUR), 38.00 EUR came back (expected 40.00 EUR), 1 request",
        "5.00 USD paid (estimated 0.00 USD), 1 request",
        (
            "AP-1 payment: GPU hours (buyer): 11.90 EUR paid, 12.00 EUR estimated, "
            "38.00 EUR came back, 40.00 EUR expected"
        ),
        "AP-2 payment: A key (buyer): 5.00 USD paid",
        "to be done: AP-3 payment: GPU hours (buyer): 7.00 EUR estimated",
    ]
    told = json.loads(json.dumps(as_json(expenses)))
    assert told["month"] == "2026-11"
    assert [t["paid_micros"] for t in told["totals"]] == [11_900_000, 5_000_000]
    assert told["done"][0]["completed_by"] == "you"
    assert told["to_do"][0]["paid_micros"] is None


def test_a_month_without_any() -> None:
    assert in_lines(Expenses(month=NOVEMBER, done=())) == [
        "Nothing was paid in 2026-11, and nothing waits to be paid."
    ]
