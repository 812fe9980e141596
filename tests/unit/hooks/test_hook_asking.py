"""What a hook asks for: whatever JSON comes, it is understood or refused by name."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bots.delegating.order import PRIORITIES
from bots.hooks import asking
from bots.hooks.asking import KNOWN, UNSUPPORTED, Asked
from bots.hooks.refusal import Refused

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
BODIES = st.dictionaries(st.sampled_from([*KNOWN, *UNSUPPORTED, "text", "mode"]) | st.text(), JSON)
MESSAGE = {"message": "count"}


def understood(body: dict[str, Any], channel: str, kind: str) -> Asked | Refused:
    try:
        return asking.wake_in(body) if kind == "wake" else asking.task_in(body, channel)
    except Refused as refused:
        return refused


@given(BODIES, st.sampled_from(["", "irc:#reports"]), st.sampled_from(["task", "wake"]))
def test_anything_is_understood_or_refused(body: dict[str, Any], channel: str, kind: str) -> None:
    found = understood(body, channel, kind)
    if isinstance(found, Refused):
        assert found.status == 400
    else:
        assert found.message.strip()
        assert timedelta(0) < found.deadline <= timedelta(days=1)
        assert 0 <= found.wait_s <= 600


def test_null_is_as_if_it_were_left_out() -> None:
    body = {**MESSAGE, **{name: None for name in KNOWN if name != "message"}}
    assert asking.task_in(body, "") == asking.task_in(MESSAGE, "")


def test_the_defaults() -> None:
    asked = asking.task_in(MESSAGE, "irc:#reports")
    assert asked == asking.Asked(message="count")


@pytest.mark.parametrize(
    ("fields", "target"),
    [
        ({"channel": "irc:#reports"}, "irc:#reports"),
        ({"channel": "#reports"}, "#reports"),
        ({"channel": "discord:channel:123"}, "discord:channel:123"),
        ({"channel": "discord:#reports"}, "discord:#reports"),
        ({"channel": "discord:user:45", "deliver": True}, "discord:user:45"),
        ({"channel": "irc:#reports", "deliver": False}, ""),
        ({"deliver": True}, "irc:#default"),
        ({"channel": "last"}, "irc:#default"),
    ],
)
def test_where_it_is_said(fields: dict[str, Any], target: str) -> None:
    assert asking.task_in({**MESSAGE, **fields}, "irc:#default").deliver_to == target


@pytest.mark.parametrize(
    "channel",
    [
        *("123", "reports", "irc:reports", "irc:channel:reports", "irc:user:4"),
        *("discord:nick:alice", "discord:channel:abc", "discord:channel:", "slack:#x", "#", "# x"),
        *("irc:# x", "irc", "x:y:z", "discord:channel:１２３"),  # noqa: RUF001
    ],
)
def test_an_address_that_is_ambiguous_is_refused(channel: str) -> None:
    with pytest.raises(Refused, match=r"'channel'|'to'"):
        asking.task_in({**MESSAGE, "channel": channel}, "")


def test_who_wants_it_said_nowhere_is_not_overruled_by_the_words() -> None:
    assert asking.task_in(MESSAGE, "").may_name_place
    assert not asking.task_in({**MESSAGE, "deliver": False}, "").may_name_place


@pytest.mark.parametrize(("word", "number"), PRIORITIES.items())
def test_priorities(word: str, number: int) -> None:
    assert asking.task_in({**MESSAGE, "priority": word}, "").priority == number


def test_a_completion_is_waited_for_as_long_as_the_run_may_take() -> None:
    told = asking.task_in({**MESSAGE, "waitForCompletion": True, "timeoutSeconds": 90}, "")
    assert (told.wait_s, told.deadline) == (90.0, timedelta(seconds=90))
    untold = asking.task_in({**MESSAGE, "waitForCompletion": True, "timeoutSeconds": 0}, "")
    assert (untold.wait_s, untold.deadline) == (300.0, timedelta(hours=1))
    assert not asking.task_in({**MESSAGE, "waitForCompletion": False}, "").wait_s
