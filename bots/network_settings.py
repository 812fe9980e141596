"""The part of `swarm.toml` about networks: IRC, Discord, and who an agent is there."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from bots.setting_types import FilePath, SecretReference, Table


class ServicesSettings(Table):
    """How an agent proves who it is to the network."""

    #: account name, the agent's nick unless given
    account: str | None = None
    password: SecretReference | None = None
    #: PEM file with certificate and key for SASL EXTERNAL
    certificate: FilePath | None = None


class IrcSettings(Table):
    #: empty host: the embedded miniircd
    host: str = ""
    port: int = Field(default=0, ge=0, le=65535)
    tls: bool = False
    #: PEM file of the authority that signed the server's certificate; the system's unless given
    tls_authority: FilePath | None = None
    server_password: SecretReference | None = None
    #: lines that may go out at once, and how many a second after that
    burst: int = Field(default=5, ge=1)
    lines_per_s: float = Field(default=2.0, gt=0)
    command_prefix: str = Field(default="!", min_length=1, max_length=3)
    services_nick: str = "NickServ"
    #: nicks of other people's bots that the network does not mark as bots: they are answered only
    #: within the limits for bots, or two machines might talk for ever
    bots: tuple[str, ...] = ()


class AgentIrcSettings(ServicesSettings):
    nick: str | None = None


class DiscordSettings(Table):
    #: base of the REST API; empty: Discord itself, or the sandbox guild where no agent has a token
    api_base: str = ""
    #: WebSocket URL of the gateway; empty: the one that belongs to `api_base`
    gateway: str = ""
    #: id of the guild to live in; empty: the one that the bots are in
    guild: str = Field(default="", pattern=r"^\d*$")
    #: agent whose application also carries kill and resume; empty: nobody's but the captain's
    deputy: str = ""
    #: one thread for each mention in a channel
    threads: bool = False
    #: whether lines of bots that are none of ours are kept and, within limits, answered
    peers: Literal["ignore", "listen", "answer"] = "listen"
    #: 👀 when an answer takes longer than a moment, ✅ ❌ when there is no answer in words
    acknowledge: Literal["always", "slow", "never"] = "slow"
    #: largest attachment that is read or sent
    attachment_bytes: int = Field(default=1_000_000, ge=0)


class AgentDiscordSettings(Table):
    #: bot token
    token: SecretReference | None = None
