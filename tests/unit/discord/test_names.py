"""What channels and threads of a guild are called in the record."""

from __future__ import annotations

from bots.agent.discord import names_of
from bots.discord.places import Named


def test_no_two_places_have_the_same_name_and_the_oldest_keeps_the_plain_one() -> None:
    places = {
        "channel:30": Named("#lobby", "secretary: plans", "channel:10"),
        "channel:20": Named("#lobby", "secretary: plans", "channel:10"),
        "channel:10": Named("#lobby"),
        "channel:11": Named("#lobby"),
        "channel:40": Named("#lobby", "talk", "channel:11"),
        "channel:41": Named("#news", "talk", "channel:9"),
    }
    assert names_of(places) == {
        "channel:10": "#lobby",
        "channel:11": "#lobby (11)",
        "channel:20": "#lobby / secretary: plans",
        "channel:30": "#lobby / secretary: plans (30)",
        "channel:40": "#lobby (11) / talk",
        "channel:41": "#news / talk",
    }


def test_a_name_that_looks_like_anothers_is_no_other() -> None:
    places = {
        "channel:1": Named("#a", "x (3)", "channel:9"),
        "channel:2": Named("#a", "x", "channel:9"),
        "channel:3": Named("#a", "x", "channel:9"),
    }
    assert len(set(names_of(places).values())) == len(places)
