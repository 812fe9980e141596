"""The part of `swarm.toml` about the swarm itself: its agents, channels, operators and limits."""

from __future__ import annotations

from decimal import Decimal
from typing import Literal, get_args

from pydantic import Field

from bots.brain_settings import OFFLINE, AgentBudgetSettings, Usd
from bots.network_settings import AgentDiscordSettings, AgentIrcSettings
from bots.setting_types import AgentName, Channel, SecretReference, Table


class SwarmSettings(Table):
    #: also the name of its systemd unit
    name: str = Field(default="parley", pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]*$")
    #: SQLAlchemy URL; empty means SQLite in the state folder
    database_url: str = ""
    #: NATS URL of an outside cluster; empty means the embedded server
    nats_url: str = ""
    nats_credentials: SecretReference | None = None
    state_folder: str = ".parley"
    #: port of the supervisor's control door, 0 for a free one
    control_port: int = Field(default=0, ge=0, le=65535)
    nats_port: int = Field(default=0, ge=0, le=65535)
    #: days that heard lines are kept
    retention_days: int = Field(default=90, ge=1)
    #: UTC time of the daily stand-up, in place of the line in `[minutes]`; empty: never
    standup: str | None = Field(default=None, pattern=r"^(([01]\d|2[0-3]):[0-5]\d)?$")


#: the groups of tools that there are (`guard_class` of `brain.tools.catalogue.TOOLS`)
ToolGroup = Literal[
    "memory",
    "knowledge",
    "notes",
    "events",
    "posting",
    "delegation",
    "people",
    "project",
    "swarm",
]


class AgentSettings(Table):
    name: AgentName
    role: str
    capabilities: tuple[str, ...] = ()
    #: file in `prompts/souls` (without `.md`), the agent's name unless given
    soul: str | None = None
    #: a name below `[models]`, or ``offline``; this and the next are `[defaults]` unless given
    brain: str = OFFLINE
    #: who answers when `brain` cannot, in this order
    fallback: tuple[str, ...] = ()
    #: groups of our own tools it may use; each is shown to its model with every call, and paid for
    tools: tuple[ToolGroup, ...] = get_args(ToolGroup)
    #: tools of MCP servers it may use: a server's name, or ``server.tool``
    mcp: tuple[str, ...] = ()
    transports: tuple[Literal["irc", "discord"], ...] = Field(
        default=("irc", "discord"), min_length=1
    )
    #: channels beside those that everybody joins
    channels: tuple[Channel, ...] = ()
    budget: AgentBudgetSettings = AgentBudgetSettings()
    may_delegate_to: tuple[str, ...] = ()
    irc: AgentIrcSettings = AgentIrcSettings()
    discord: AgentDiscordSettings = AgentDiscordSettings()
    #: port of its hook server, 0 for a free one
    hook_port: int = Field(default=0, ge=0, le=65535)

    @property
    def nick(self) -> str:
        return self.irc.nick or self.name

    @property
    def brains(self) -> tuple[str, ...]:
        """What it thinks with, in the order in which they are asked."""
        return tuple(dict.fromkeys((self.brain, *self.fallback)))


class ChannelSettings(Table):
    name: Channel
    topic: str = ""
    #: every agent sits here
    everybody: bool = False
    command_prefix: str | None = None
    #: agents never speak here, they only keep its record
    listen_only: bool = False
    #: heading under which Discord shows it
    category: str = ""
    #: agents that answer here without being addressed
    free_response: tuple[str, ...] = ()


class OperatorSettings(Table):
    #: services accounts that may steer
    irc_accounts: tuple[str, ...] = ()
    #: Discord user ids, and ids of roles whose members may steer
    discord_users: tuple[str, ...] = ()
    discord_roles: tuple[str, ...] = ()
    #: Ed25519 public key (base64) of `run.py sign`; empty means the one made in the state folder
    public_key: str = ""


class LimitSettings(Table):
    #: longest chain of agents answering agents
    max_hops: int = Field(default=4, ge=1)
    #: agents between a person's word and who does the work
    delegation_hops: int = Field(default=4, ge=1)
    #: things that each of two agents may say in one private talk, and what it may cost
    talk_turns: int = Field(default=6, ge=1)
    talk_usd: Usd = Field(default=Decimal("0.10"), ge=Decimal("0.000001"))
    #: answers between one pair of agents, within `pair_window_s`
    pair_answers: int = Field(default=6, ge=1)
    pair_window_s: float = Field(default=60.0, gt=0)
    #: answers to one other bot within a day
    day_answers: int = Field(default=200, ge=1)
    #: answers of all agents to agents in one channel, within `channel_window_s`
    channel_answers: int = Field(default=20, ge=1)
    channel_window_s: float = Field(default=60.0, gt=0)
    #: two lines of an agent more alike than this, within `pair_window_s`, are a loop
    similarity: float = Field(default=0.9, gt=0, le=1)
    #: lines of one person within this time become one question
    coalesce_s: float = Field(default=0.15, ge=0)
    turn_timeout_s: float = Field(default=60.0, gt=0)
    max_steps: int = Field(default=6, ge=1)
    #: tokens of one turn, sent and received in all its steps together; 0: no limit but the budgets
    turn_tokens: int = Field(default=0, ge=0, le=1_000_000_000)
    #: US dollars after which a turn asks no more; the last call may go beyond
    turn_usd: Usd | None = Field(default=None, ge=Decimal("0.000001"))
    #: longer answers go to the asker in private
    lines_in_channel: int = Field(default=3, ge=1)
    crashes: int = Field(default=5, ge=1)
    crash_window_s: float = Field(default=60.0, gt=0)
    log_bytes: int = Field(default=5_000_000, ge=10_000)
    log_files: int = Field(default=3, ge=1)
