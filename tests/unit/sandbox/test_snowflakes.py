from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from bots.sandbox.snowflake import Snowflakes, created_at, named

NOON = datetime(2026, 11, 5, 12, tzinfo=UTC)


@given(st.text(), st.text())
def test_a_named_id_is_always_the_same_fits_63_bits_and_lies_before_any_message(
    kind: str, name: str
) -> None:
    one = named(kind, name)
    assert one == named(kind, name)
    assert 0 < one < 1 << 63
    assert datetime(2023, 1, 1, tzinfo=UTC) < created_at(one) < datetime(2024, 1, 1, tzinfo=UTC)


def test_kind_and_name_do_not_run_into_each_other() -> None:
    assert named("user", "xy") != named("userx", "y")


@given(st.lists(st.integers(-5, 5), max_size=50))
def test_new_ids_grow_whatever_the_clock_does(steps: list[int]) -> None:
    now = NOON

    def clock() -> datetime:
        return now

    snowflakes, ids = Snowflakes(clock), []
    for step in steps:
        now += timedelta(milliseconds=step)
        ids.append(snowflakes.next())
    assert ids == sorted(set(ids))


def test_an_id_carries_its_moment() -> None:
    assert created_at(Snowflakes(lambda: NOON).next()) == NOON


def test_discords_own_example_reads_as_its_documentation_says() -> None:
    told = datetime(2016, 4, 30, 11, 18, 25, 796000, tzinfo=UTC)
    assert created_at(175928847299117063) == told
