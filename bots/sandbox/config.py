"""What the sandbox guild is told at its start: one JSON file, private to its owner."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, field_validator, model_validator

from bots.private_file import Listening, Part
from bots.sandbox.limits import SETTINGS


class ChannelSpec(Part):
    """A text channel."""

    name: str = Field(min_length=1, max_length=100)
    topic: str = Field(default="", max_length=1024)


class CategorySpec(Part):
    """A category and the channels below it, in this order."""

    name: str = Field(min_length=1, max_length=100)
    channels: tuple[ChannelSpec, ...] = ()


class GuildSpec(Part):
    """The one guild."""

    name: str = Field(default="parley", min_length=2, max_length=100)


class BotSpec(Part):
    """A bot: its id is inside its token, as on Discord. `intents`: privileged ones it may have."""

    name: str = Field(min_length=1, max_length=32)
    token: str = Field(min_length=1, repr=False)
    intents: tuple[Literal["members", "presences", "message_content"], ...] = ()


class UserSpec(Part):
    """A person."""

    name: str = Field(min_length=1, max_length=32)
    token: str = Field(min_length=1, repr=False)
    operator: bool = False


class GatewaySpec(Part):
    """The gateway's clockwork; the defaults are Discord's where Discord publishes one."""

    #: what HELLO asks for; a client silent for one and a half of it is dropped
    heartbeat_interval_s: float = Field(default=41.25, gt=0)
    #: how long a session without a socket waits for RESUME
    resume_window_s: float = Field(default=180.0, ge=0)
    #: how long somebody without a socket is still shown as before
    offline_after_s: float = Field(default=5.0, ge=0)
    #: events kept a session for RESUME
    replay_events: int = Field(default=5000, gt=0)
    #: frames that may wait for one slow socket before it is dropped
    queue_frames: int = Field(default=10000, gt=0)
    #: frames a client may send a minute ("Gateway", section "Rate Limiting")
    frames_per_minute: int = Field(default=120, gt=0)
    #: IDENTIFYs a day and bot ("Gateway", "Session Start Limit Object")
    identifies_per_day: int = Field(default=1000, gt=0)
    #: the least pause between IDENTIFYs of one bot; Discord's is 5 s, 0 switches it off
    identify_every_s: float = Field(default=0.0, ge=0)


class Config(Listening):
    """The whole file. `limits` is read by the REST limiter."""

    guild: GuildSpec = GuildSpec()
    categories: tuple[CategorySpec, ...] = ()
    channels: tuple[ChannelSpec, ...] = ()
    bots: tuple[BotSpec, ...] = ()
    users: tuple[UserSpec, ...] = ()
    limits: dict[str, float | bool] = Field(default_factory=dict)
    gateway: GatewaySpec = GatewaySpec()

    @field_validator("limits")
    @classmethod
    def _known_limits(cls, limits: dict[str, float | bool]) -> dict[str, float | bool]:
        if unknown := sorted(limits.keys() - SETTINGS):
            raise ValueError(f"no such limit: {', '.join(unknown)}")
        return limits

    @model_validator(mode="after")
    def _nothing_twice(self) -> Self:
        people: list[BotSpec | UserSpec] = [*self.bots, *self.users]
        for what, values in (
            ("token", [p.token for p in people]),
            ("name", [p.name.casefold() for p in people]),
        ):
            if len(set(values)) != len(values):
                raise ValueError(f"two of the bots and users have the same {what}")
        return self
