"""What one Discord bot needs to know, secrets already resolved."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import SecretStr


@dataclass(frozen=True, kw_only=True)
class DiscordConfig:
    #: name of the agent that speaks here
    agent: str
    #: first word of every target on this network, ``discord`` in ``discord:channel:123``
    network: str = "discord"
    token: SecretStr
    #: REST root such as ``http://127.0.0.1:8080/api/v10``; empty: Discord's own
    api_base: str = ""
    #: WebSocket URL of the gateway; empty: Discord's own
    gateway: str = ""
    #: id of the one guild to serve, empty for the one that the bot is in
    guild: str = ""
    #: channels that the agent should see, by name: ``#lobby``
    wanted: tuple[str, ...] = ()
    #: bot's user id → agent, for all agents of the swarm
    agents: Mapping[str, str] = field(default_factory=dict)
    #: IDENTIFYs of the last day are counted here, across restarts
    identify_file: Path
    #: PNG to show as the bot's picture; None leaves it as it is
    avatar: Path | None = None
    #: a text attachment larger than this is named, not read
    attachments_bytes: int = 100_000
    #: so many characters of each are passed on
    attachments_characters: int = 8_000
    #: reading all attachments of one message may take this long
    attachments_s: float = 5.0
    #: largest file that we send (Discord's own limit without boosts)
    upload_bytes: int = 10 * 1024 * 1024
    #: Discord resets the token of who identifies more often within a day
    identifies_a_day: int = 1_000
    #: so many of them are left for people who restart by hand
    identifies_kept: int = 50
    #: connecting and getting HELLO may take this long
    connect_s: float = 30.0
    #: nothing heard for this long: the socket is dead. Discord's heartbeat comes every 41.25 s,
    #: so after half of this without a sign of life it is asked for one between
    heartbeat_timeout_s: float = 20.0
    #: how long a dead socket may take to close
    close_s: float = 2.0
    #: READY is believed complete when no guild came for this long
    guilds_s: float = 0.2
    #: first and longest pause between two connections, before jitter
    reconnect_first_s: float = 0.5
    reconnect_most_s: float = 120.0
    #: a connection that held this long starts the backoff anew
    steady_s: float = 30.0
    #: after an invalid session Discord wants a random pause of this many seconds
    reidentify_s: tuple[float, float] = (1.0, 5.0)
    #: saying one part may take this long, waiting for the rate limit included
    send_s: float = 45.0
    #: a growing answer is edited no more often than this
    edit_every_s: float = 1.0
    #: most messages of one channel that are fetched after a gap, at 100 a request
    missed_most: int = 10_000
