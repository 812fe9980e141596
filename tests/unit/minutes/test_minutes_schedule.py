"""Minutes are due when their cron line says, and know where those before them ended."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from bots.minutes import schedule
from bots.minutes.schedule import Called, Kind
from bots.settings import Settings

ONE = [{"name": "rook", "role": "captain"}]
moments = st.integers(0, 500_000_000_000_000).map(
    lambda us: datetime(2020, 1, 1, tzinfo=UTC) + timedelta(microseconds=us)
)
crons = st.sampled_from(
    ["0 9 * * *", "0 17 * * 1-5", "*/7 * * * *", "30 6 1 * *", "59 23 * * SUN", "0 0 29 2 *"]
)


def at(text: str) -> datetime:
    return datetime.fromisoformat(f"{text}+00:00")


def test_what_is_due_begins_where_the_one_before_it_ended() -> None:
    daily = schedule.due(Kind.STANDUP, "0 9 * * *", at("2026-11-20T09:00"))
    assert daily == Called(Kind.STANDUP, at("2026-11-19T09:00"), at("2026-11-20T09:00"))
    before = schedule.due(Kind.STANDUP, "0 9 * * *", at("2026-11-20T08:59:59.999999"))
    assert before is not None
    assert before.end == at("2026-11-19T09:00")
    # Monday's notes look back on the weekend as well.
    monday = schedule.due(Kind.NOTES, "0 17 * * 1-5", at("2026-11-23T18:00"))
    assert monday == Called(Kind.NOTES, at("2026-11-20T17:00"), at("2026-11-23T17:00"))


@given(moments, crons, st.sampled_from(Kind))
def test_due_is_never_ahead_and_two_looks_agree(now: datetime, cron: str, kind: Kind) -> None:
    called = schedule.due(kind, cron, now)
    assert called is not None
    assert called.begin < called.end <= now
    assert called.end - called.begin <= timedelta(days=7)
    assert schedule.due(kind, cron, called.end) == called
    assert schedule.due(kind, cron, now) == called


@given(moments, crons, st.sampled_from(Kind))
def test_an_order_reads_back_as_what_it_was(now: datetime, cron: str, kind: Kind) -> None:
    called = schedule.due(kind, cron, now)
    assert called is not None
    assert Called.read(str(called)) == called


@given(st.text(max_size=120))
def test_anything_else_is_no_order(text: str) -> None:
    assert Called.read(text) is None


@pytest.mark.parametrize(
    "order",
    [
        "Write the gossip from 2026-11-19T09:00+00:00 until 2026-11-20T09:00+00:00",
        "Write the notes from 2026-11-19T09:00 until 2026-11-20T09:00",
        "Write the notes from yesterday until today",
    ],
)
def test_an_order_that_names_no_minutes_or_no_moments_is_none(order: str) -> None:
    assert Called.read(order) is None


def test_swarm_toml_says_when() -> None:
    def standup(**tables: object) -> str:
        return Settings.model_validate({"agents": ONE, **tables}).standup

    assert standup() == "0 9 * * *"
    assert standup(minutes={"standup": "30 7 * * 1-5"}) == "30 7 * * 1-5"
    assert standup(minutes={"standup": ""}) == ""
    assert standup(swarm={"standup": "08:05"}) == "5 8 * * *"
    assert standup(swarm={"standup": ""}) == ""


@pytest.mark.parametrize("line", ["9:00", "0 9 * *", "0 25 * * *", "0 0 9 * * *", "soon"])
def test_what_is_no_cron_line_is_refused_with_a_reason(line: str) -> None:
    with pytest.raises(ValidationError, match="cron line"):
        Settings.model_validate({"agents": ONE, "minutes": {"notes": line}})
