"""What the page is told at its start: one JSON file, private to its owner."""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from bots import private_file


class _Part(BaseModel):
    """Frozen, strict about names; an error never repeats a value, which may be a secret."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class UserSpec(_Part):
    """A person whom the page may act as."""

    name: str = Field(min_length=1, max_length=32)
    token: str = Field(min_length=1, repr=False)
    operator: bool = False


class GuildSpec(_Part):
    """The guild: REST root, gateway, id, and the people; the first one is acted as by default."""

    api: str = Field(pattern=r"^https?://")
    gateway: str = Field(pattern=r"^wss?://")
    id: str = Field(pattern=r"^\d+$")
    users: tuple[UserSpec, ...] = Field(min_length=1)


class ControlSpec(_Part):
    """The supervisor's control door, and the token that opens it."""

    url: str = Field(pattern=r"^http://")
    token: str = Field(min_length=1, repr=False)


class Config(_Part):
    """The whole file. `port` 0 takes a free one."""

    port: int = Field(default=0, ge=0, le=65535)
    swarm: str = Field(min_length=1, max_length=64)
    #: what a person types to log in
    token: str = Field(min_length=8, repr=False)
    #: signs the cookies
    storage_secret: str = Field(min_length=16, repr=False)
    guild: GuildSpec
    control: ControlSpec


def read(path: Path) -> Config:
    """The configuration in `path`; `ConfigError` when it is open to others, or wrong."""
    return private_file.read(path, Config)
