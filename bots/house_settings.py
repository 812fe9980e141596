"""The part of `swarm.toml` about what surrounds the agents: servers of our own, cards, posts."""

from __future__ import annotations

from pydantic import Field

from bots.setting_types import Channel, Cron, Table


class SandboxSettings(Table):
    #: start miniircd when `irc.host` is empty
    irc: bool = True
    #: 0 takes 6667 if it is free, else another
    irc_port: int = Field(default=0, ge=0, le=65535)
    #: start the sandbox guild when no agent has a Discord token and no `discord.api_base` is given
    discord: bool = True
    discord_port: int = Field(default=0, ge=0, le=65535)


class ConsoleSettings(Table):
    """The page."""

    enabled: bool = True
    #: 0 takes 8420 if it is free, else another
    port: int = Field(default=0, ge=0, le=65535)


class ApprovalSettings(Table):
    """Questions that only operators may answer, and the cards that show them."""

    channel: Channel = "#ceo-office"
    #: silence of this length is a no
    wait_s: float = Field(default=1800.0, gt=0)
    #: the same for what agents ask of people (payments, decisions) without naming a deadline
    case_wait_s: float = Field(default=172_800.0, gt=0)


class PostSettings(Table):
    """What is posted unasked: agent logs, talk between agents, the stand-up and the notes."""

    enabled: bool = True
    logs: Channel = "#agent-logs"
    between_agents: Channel = "#inter-agent"
    standup: Channel = "#daily-standup"
    #: between two posts in one channel; a kill does not wait
    every_s: float = Field(default=60.0, gt=0)


class MinutesSettings(Table):
    """When the secretary writes what was done and decided: cron lines, UTC."""

    standup: Cron = "0 9 * * *"
    notes: Cron = "0 17 * * 1-5"
    #: of the notes; the stand-up's is `posts.standup`
    channel: Channel = "#reports"
