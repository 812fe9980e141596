"""When which step of telling people is due; and what swarm.toml may say about it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from bots.escalation_settings import DiscordStep, EscalationSettings, filled
from bots.people.steps import due, next_at

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
seconds = st.integers(0, 5000)
chains = st.lists(
    st.builds(
        DiscordStep,
        via=st.just("discord"),
        after_s=seconds,
        every_s=st.integers(10, 2000),
        times=st.integers(1, 6),
    ),
    max_size=4,
)


@given(chains, st.lists(seconds, max_size=12))
def test_no_round_comes_early_twice_or_after_the_last(
    steps: list[DiscordStep], looks: list[int]
) -> None:
    taken: set[tuple[int, int]] = set()
    for passed in sorted(looks):
        now = NOON + timedelta(seconds=passed)
        for one in due(steps, NOON, now):
            step = steps[one.step]
            assert 0 <= one.round < step.times
            assert passed >= step.after_s + one.round * step.every_s
            # Whoever was away says the newest only.
            assert all(number <= one.round for at, number in taken if at == one.step)
            taken.add((one.step, one.round))


@given(chains, seconds)
def test_who_looks_when_told_misses_no_round(steps: list[DiscordStep], begun: int) -> None:
    now: datetime | None = NOON + timedelta(seconds=begun)
    seen = set()
    while now is not None:
        seen |= set(due(steps, NOON, now))
        now = next_at(steps, NOON, now)
    for place, step in enumerate(steps):
        mine = {one.round for one in seen if one.step == place}
        assert step.times - 1 in mine
        assert mine == set(range(min(mine), step.times))


MAIL = {
    "via": "email",
    "after_s": 0,
    "host": "smtp.example.org",
    "sender": "a@example.org",
    "to": ["b@example.org"],
}
HOOK = {"via": "webhook", "after_s": 0, "url": "https://ntfy.example.org"}


@pytest.mark.parametrize(
    ("step", "why"),
    [
        (MAIL | {"to": ["nobody"]}, "no e-mail address"),
        (MAIL | {"sender": "a@b\r\nBcc: c@d"}, "no e-mail address"),
        (MAIL | {"user": "a"}, "go together"),
        (MAIL | {"user": "a", "password": "secret!"}, "by reference only"),
        (MAIL | {"user": "a", "password": "env:P", "security": "none"}, "by TLS only"),
        (HOOK | {"url": "ftp://example.org"}, "an address is wanted"),
        (HOOK | {"url": "https://a:b@example.org"}, "no password in the address"),
        (HOOK | {"body": {"a": ["{titel}"]}}, "{titel} stands for nothing"),
        (HOOK | {"secret": "env:T"}, "go together"),
        (HOOK | {"body": {"token": "{secret}"}}, "go together"),
        (
            HOOK | {"url": "http://a.example", "secret": "env:T", "body": {"t": "{secret}"}},
            "by https only",
        ),
        ({"via": "pigeon", "after_s": 0}, "pigeon"),
    ],
)
def test_each_mistake_has_its_words(step: dict[str, Any], why: str) -> None:
    with pytest.raises(ValidationError) as caught:
        EscalationSettings.model_validate({"steps": [step]})
    assert why in str(caught.value)


@given(st.text(), st.text())
def test_what_is_filled_in_is_not_looked_at_again(title: str, secret: str) -> None:
    body = {"a": ["{title}", 5, None], "b": {"c": "x{secret}y{unknown}"}}
    assert filled(body, {"title": title, "secret": secret}) == {
        "a": [title, 5, None],
        "b": {"c": f"x{secret}y{{unknown}}"},
    }
