"""Whom a name calls, and where."""

from __future__ import annotations

from bots.messages import DISCORD, IRC
from bots.roster import Roster
from bots.settings import Settings

SETTINGS = Settings.model_validate(
    {
        "agents": [
            {"name": "captain", "role": "captain"},
            {"name": "mute", "role": "auditor", "transports": ["irc"], "channels": ["#vault"]},
            {"name": "rook", "role": "search", "transports": ["discord"]},
        ],
        "channels": [{"name": "#lobby", "everybody": True}, {"name": "#vault"}],
    }
)


def here(network: str, channel: str | None = None) -> set[str]:
    return set(Roster(SETTINGS, {"1": "captain", "3": "rook"}).addressable(network, channel))


def test_on_discord_those_are_called_that_have_a_bot() -> None:
    assert here(DISCORD) == here(DISCORD, "#vault") == {"captain", "rook"}
    assert set(Roster(SETTINGS, {"1": "captain"}).addressable(DISCORD)) == {"captain"}
    assert Roster(SETTINGS).addressable(DISCORD) == {}


def test_on_irc_those_that_sit_in_the_channel() -> None:
    assert here(IRC) == {"captain", "mute"}
    assert here(IRC, "#Lobby") == {"captain", "mute"}
    assert here(IRC, "#vault") == {"mute"}


def test_everybody_has_a_name_wherever_they_are() -> None:
    roster = Roster(SETTINGS)
    roster.refresh({"mute": "mute_", "captain": None})
    assert roster.everybody() == {
        "captain": "captain",
        "mute": "mute",
        "mute_": "mute",
        "rook": "rook",
    }
