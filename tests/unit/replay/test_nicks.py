"""Every nick of a log gets its own legal nick on the server."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from bots.irc.casemapping import fold
from bots.replay.nicks import Nicks

LEGAL = re.compile(r"[A-Za-z\[\]\\`_^{|}][A-Za-z0-9\[\]\\`_^{|}-]*$")
names = st.text(min_size=1, max_size=40)


@given(st.lists(names, max_size=60), st.integers(9, 40))
def test_legal_short_enough_and_never_shared(log_nicks: list[str], limit: int) -> None:
    nicks = Nicks(limit)
    given_out = {fold(nick): nicks.of(nick) for nick in log_nicks}
    assert all(LEGAL.match(nick) and len(nick) <= limit for nick in given_out.values())
    assert len({fold(nick) for nick in given_out.values()}) == len(given_out)
    assert all(nicks.of(nick) == given_out[fold(nick)] for nick in log_nicks)


def test_an_agents_nick_stays_the_agents() -> None:
    nicks = Nicks(30, frozenset({"captain"}))
    assert nicks.of("Captain") == "Captain_"
    assert nicks.of("captain") == "Captain_"


def test_case_is_one_person() -> None:
    nicks = Nicks(30)
    assert nicks.of("Ann[x]") == nicks.of("ann{x}") == "Ann[x]"


def test_odd_forms() -> None:
    nicks = Nicks(30)
    assert nicks.of("4lice") == "_4lice"
    assert nicks.of("[B] olinho") == "[B]olinho"


def test_a_refused_nick_is_replaced() -> None:
    nicks = Nicks(30)
    assert nicks.of("ann") == "ann"
    assert nicks.refuse("ann", malformed=False) == "ann_"
    assert nicks.of("ann") == "ann_"
    assert nicks.of(r"\x6e|") == r"\x6e|"
    assert nicks.refuse(r"\x6e|", malformed=True) == "_x6e_"
    assert nicks.of("a" * 20) == "a" * 20
    assert nicks.refuse("a" * 20, malformed=True) == "a" * 10
