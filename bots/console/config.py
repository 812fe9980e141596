"""What the page is told at its start: one JSON file, private to its owner."""

from __future__ import annotations

from pydantic import Field

from bots.private_file import Listening, Part


class UserSpec(Part):
    """A person whom the page may act as."""

    name: str = Field(min_length=1, max_length=32)
    token: str = Field(min_length=1, repr=False)
    operator: bool = False


class GuildSpec(Part):
    """The guild: REST root, gateway, id, and the people; the first one is acted as by default."""

    api: str = Field(pattern=r"^https?://")
    gateway: str = Field(pattern=r"^wss?://")
    id: str = Field(pattern=r"^\d+$")
    users: tuple[UserSpec, ...] = Field(min_length=1)


class ControlSpec(Part):
    """The supervisor's control door, and the token that opens it."""

    url: str = Field(pattern=r"^http://")
    token: str = Field(min_length=1, repr=False)


class Config(Listening):
    """The whole file."""

    swarm: str = Field(min_length=1, max_length=64)
    #: what a person types to log in
    token: str = Field(min_length=8, repr=False)
    #: signs the cookies
    storage_secret: str = Field(min_length=16, repr=False)
    guild: GuildSpec
    control: ControlSpec
