"""Folding, formatting, alternative nicks and CTCP answers."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bots.irc import ctcp
from bots.irc.casemapping import fold
from bots.irc.formatting import plain
from bots.irc.nicks import alternative


@pytest.mark.parametrize(
    ("casemapping", "folded"),
    [
        ("ascii", "#a[]\\^{}|~é"),
        ("rfc1459", "#a{}|~{}|~é"),
        ("rfc1459-strict", "#a{}|^{}|~é"),
        ("strict-rfc1459", "#a{}|^{}|~é"),
        ("something-new", "#a{}|~{}|~é"),
    ],
)
def test_each_casemapping_folds_what_it_says(casemapping: str, folded: str) -> None:
    assert fold("#A[]\\^{}|~é", casemapping) == folded


@given(st.text(), st.sampled_from(["ascii", "rfc1459", "rfc1459-strict"]))
def test_folding_twice_changes_nothing(name: str, casemapping: str) -> None:
    once = fold(name, casemapping)
    assert fold(once, casemapping) == once


@pytest.mark.parametrize(
    ("coloured", "text"),
    [
        ("\x034red\x03 and \x0312,4blue", "red and blue"),
        ("\x02bold\x02 \x1ditalics\x1f under\x16 back\x0f", "bold italics under back"),
        ("\x04ff0000hex\x04", "hex"),
        ("\x035,five", ",five"),
        ("tab\tstays", "tab\tstays"),
    ],
)
def test_format_codes_vanish_and_text_stays(coloured: str, text: str) -> None:
    assert plain(coloured) == text


@given(st.text("abc", min_size=1, max_size=40), st.integers(2, 30))
def test_alternative_nicks_fit_and_differ(wanted: str, longest: int) -> None:
    tries = [alternative(wanted, attempt, longest) for attempt in range(1, longest)]
    assert all(1 <= len(nick) <= longest for nick in tries)
    assert len(set(tries)) == len(tries)


def test_only_ping_and_version_are_answered() -> None:
    assert ctcp.reply("\x01ping 1 2\x01", version="v") == "\x01PING 1 2\x01"
    assert ctcp.reply("\x01VERSION\x01", version="v") == "\x01VERSION v\x01"
    for silent in ("\x01TIME\x01", "\x01ACTION waves\x01", "hello", ""):
        assert ctcp.reply(silent, version="v") is None
