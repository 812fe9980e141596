"""A model's keys: in turn, resting when they were turned down, and a clear word without any."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import pytest

from brain.errors import CutShort, LoginRefused, NoUsableKey, Overloaded, RateLimited
from brain.models.keys import KeyPool
from brain.models.provider import Key, ModelSpec

NAMES = ("env:ONE", "env:TWO", "env:THREE")
SPEC = ModelSpec(
    name="clever",
    provider="anthropic",
    model="m",
    keys=tuple(Key(name=name, value=f"secret of {name}") for name in NAMES),
    requests_per_minute=7,
)


@dataclass
class Clock:
    now: datetime = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def pass_s(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


def names(pool: KeyPool) -> list[str]:
    return [limit.name for limit in pool.in_turn()]


def test_keys_are_taken_in_turn_with_the_others_behind() -> None:
    pool = KeyPool(SPEC, Clock())
    one, two, three = NAMES
    seen = [names(pool) for _ in range(4)]
    assert seen == [[one, two, three], [two, three, one], [three, one, two], [one, two, three]]
    assert {limit.per_minute for limit in pool.in_turn()} == {7}
    found = pool.key("env:TWO")
    assert found is not None
    assert found.value == "secret of env:TWO"


def test_agents_begin_at_different_keys() -> None:
    begun = {names(KeyPool(SPEC, Clock(), agent=f"agent-{n}"))[0] for n in range(24)}
    assert begun == set(NAMES)


@pytest.mark.parametrize(
    ("error", "rest_s"),
    [
        (LoginRefused("wrong"), 30),
        (RateLimited("slow down", retry_after_s=7), 7),
        (RateLimited("slow down"), 5),
        (RateLimited("slow down", retry_after_s=1_735_689_600_000), 86_400),
    ],
)
def test_a_key_that_was_turned_down_rests(error: LoginRefused | RateLimited, rest_s: float) -> None:
    clock = Clock()
    pool = KeyPool(SPEC, clock)
    pool.turned_down("env:ONE", error)
    assert names(pool) == ["env:TWO", "env:THREE"]
    clock.pass_s(rest_s - 0.01)
    assert "env:ONE" not in names(pool)
    clock.pass_s(0.02)
    assert "env:ONE" in names(pool)


def test_other_failures_are_not_the_key_s() -> None:
    pool = KeyPool(SPEC, Clock())
    for error in (Overloaded("busy", retry_after_s=9), CutShort("cut")):
        pool.turned_down("env:ONE", error)
    assert len(names(pool)) == 3


def test_keys_that_were_all_refused_are_not_tried_again_at_once() -> None:
    pool = KeyPool(SPEC, Clock())
    for name in NAMES:
        pool.turned_down(name, LoginRefused(f"{name} is wrong"))
    with pytest.raises(NoUsableKey, match="env:ONE is wrong"):
        pool.in_turn()


def test_when_all_rest_the_wait_is_until_one_may_be_used_again() -> None:
    clock = Clock()
    pool = KeyPool(SPEC, clock)
    pool.turned_down("env:ONE", LoginRefused("wrong"))
    pool.turned_down("env:TWO", RateLimited("slow down", retry_after_s=20))
    pool.turned_down("env:THREE", RateLimited("slow down", retry_after_s=9))
    clock.pass_s(2)
    with pytest.raises(RateLimited, match="slow down") as raised:
        pool.in_turn()
    assert raised.value.retry_after_s == 7


def test_the_only_key_waits_no_longer_than_it_was_told_to() -> None:
    pool = KeyPool(replace(SPEC, keys=SPEC.keys[:1]), Clock())
    pool.turned_down("env:ONE", RateLimited("slow down"))
    assert names(pool) == ["env:ONE"]


def test_no_key_is_a_sentence_that_says_why() -> None:
    why = "env:ANTHROPIC_API_KEY is not set"
    pool = KeyPool(replace(SPEC, keys=()), Clock(), missing=why)
    with pytest.raises(NoUsableKey, match=f"clever has no API key: {why}"):
        pool.in_turn()
    with pytest.raises(NoUsableKey, match=r"'keys' under \[models.clever\] in swarm.toml"):
        KeyPool(replace(SPEC, keys=()), Clock()).in_turn()


def test_a_server_of_one_s_own_needs_no_key_unless_one_was_meant_for_it() -> None:
    own = replace(SPEC, keys=(), provider="compatible", base_url="http://127.0.0.1:1/v1")
    pool = KeyPool(own, Clock())
    assert names(pool) == [""]
    assert pool.key("") is None
    with pytest.raises(NoUsableKey):
        KeyPool(own, Clock(), missing="file:key.txt cannot be read").in_turn()
