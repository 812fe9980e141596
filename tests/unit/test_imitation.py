"""A nick that people could take for an agent is noticed."""

import pytest

from bots.hearing.imitation import imitated

AGENTS = ["captain", "tech-lead", "secretary", "harvester"]


@pytest.mark.parametrize(
    ("nick", "agent"),
    [
        ("captain_", "captain"),
        ("Captain", "captain"),
        ("capta1n", "captain"),
        ("c\u0430ptain", "captain"),
        ("techlead", "tech-lead"),
        ("tech_lead", "tech-lead"),
        ("secr\u00e9tary", "secretary"),
        ("secretary`", "secretary"),
        ("captaln", "captain"),
    ],
)
def test_a_lookalike_is_noticed(nick: str, agent: str) -> None:
    assert imitated(nick, AGENTS) == agent


@pytest.mark.parametrize("nick", ["alice", "captains", "cap", "lead", "secret", "harvest", ""])
def test_an_ordinary_nick_is_not(nick: str) -> None:
    assert imitated(nick, AGENTS) is None
