"""Which guild a bot serves: looked at when guilds change, not with every message."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from bots.discord.config import DiscordConfig
from bots.discord.places import Surroundings


class Me:
    def __init__(self, day: int) -> None:
        self.joined_at = datetime(2026, 11, day, tzinfo=UTC)


class Guild:
    """Nothing of it is known yet but that it is there."""

    unavailable = True

    def __init__(self, number: int, day: int) -> None:
        self.id = number
        self.me = Me(day)


class Client:
    def __init__(self, *guilds: Guild) -> None:
        self.inside = list(guilds)
        self.asked = 0

    @property
    def guilds(self) -> list[Guild]:
        self.asked += 1
        return self.inside


def surroundings(logins: list[Any]) -> Any:
    """As seen by the login that comes first in the list, by nobody where it is empty."""
    config = DiscordConfig(agent="captain", token=SecretStr("x"), identify_file=Path("unused"))
    return Surroundings(config, lambda: logins[0] if logins else None)


def test_the_guilds_are_gone_through_when_they_change_only() -> None:
    ours, theirs = Guild(1, 2), Guild(2, 1)
    client = Client(ours)
    here = surroundings([client])
    # Lines may come before anybody has looked around.
    assert here.guild is ours
    here.look()
    asked = client.asked
    client.inside.append(theirs)
    assert [here.guild for _ in range(9)] == [ours] * 9
    assert client.asked == asked
    assert not here.look()
    client.inside.remove(ours)
    assert here.look()
    assert here.guild is theirs


def test_another_login_sees_for_itself() -> None:
    before, after = Guild(1, 1), Guild(1, 1)
    old, new = Client(before), Client(after)
    logins: list[Any] = [old]
    here = surroundings(logins)
    here.look()
    logins[0] = new
    assert here.guild is after
    logins.clear()
    assert here.guild is None
