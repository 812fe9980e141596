"""The networks that one agent lives in: their transports, made from its spec, and how they are."""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol

from pydantic import SecretStr
from structlog.typing import FilteringBoundLogger

from bots.agent.assembly import Answering
from bots.agent.health import Link
from bots.agent.spec import AgentSpec
from bots.control.switch import KillSwitch
from bots.irc.config import IrcConfig
from bots.irc.transport import IrcTransport
from bots.messages import DISCORD, IRC, Heard, TransportHealth
from bots.state import StateFolder
from bots.tasks import Tasks
from bots.transport import Transport
from storage.acts import Permit
from storage.tables import AgentState

#: our own IRC server kicks nobody for speaking fast
_SANDBOX_LINES = 50
_CALLED = {IRC: "IRC", DISCORD: "Discord"}


@dataclass(frozen=True, kw_only=True)
class Events:
    """What transports report; none of these may raise."""

    heard: Callable[[Heard], None]
    changed: Callable[[str, TransportHealth], None]
    #: awaited with network and channel before a channel is entered
    before_join: Callable[[str, str], Awaitable[None]]
    #: a session began anew on this network: something may have been missed
    began: Callable[[str], None]
    #: somebody used a slash command or pressed a button (a `discord.Interaction`)
    interaction: Callable[[Any], None]
    #: why a line may not be sent at this moment, empty when it may
    veto: Callable[[Permit], str]


class Slash(Protocol):
    """What people use besides talk: slash commands and buttons."""

    #: why there are none, in one sentence; empty when all is well
    trouble: str

    def on_interaction(self, interaction: Any) -> None: ...

    def began(self, network: str) -> None: ...

    def hush(self) -> None:
        """A kill: end what is being answered."""

    async def close(self) -> None: ...


class NoSlash:
    """An agent that is not on Discord has none."""

    trouble = ""

    def on_interaction(self, interaction: Any) -> None: ...

    def began(self, network: str) -> None: ...

    def hush(self) -> None: ...

    async def close(self) -> None: ...


class Networks:
    """An agent's transports by network."""

    def __init__(
        self, spec: AgentSpec, state: StateFolder, events: Events, log: FilteringBoundLogger
    ) -> None:
        self._spec = spec
        self._log = log
        self._slash: Slash = NoSlash()
        self.transports: dict[str, Transport] = {}
        if IRC in spec.agent.transports:
            self.transports[IRC] = _irc(spec, events, log)
        #: the Discord transport, for who needs more of it than the protocol says
        self.discord: Any = None
        if spec.discord_token is not None:
            self.discord = self.transports[DISCORD] = _discord(spec, state, events, log)

    def slash(
        self,
        state: StateFolder,
        parts: Answering,
        switch: KillSwitch,
        tasks: Tasks,
        changed: Callable[[], None],
    ) -> Slash:
        """The slash commands of this agent; `changed` is called when their `trouble` is another."""
        if self.discord is not None:
            from bots.agent.slash import Slash as DiscordSlash  # noqa: PLC0415 - as `_discord`

            self._slash = DiscordSlash(
                self._spec,
                state,
                parts,
                transport=self.discord,
                switch=switch,
                tasks=tasks,
                changed=changed,
                log=self._log,
            )
        return self._slash

    def connected(self) -> list[str]:
        """Networks on which something can be said at this moment."""
        return [name for name, t in self.transports.items() if t.health.connected]

    def show(self, state: AgentState) -> None:
        """Let people see how the agent is, where a network can show it."""
        if self.discord is not None:
            self.discord.show(state)

    def hush(self) -> None:
        """A kill came: what waits to leave is taken back. (On IRC every line asks before it.)"""
        if self.discord is not None:
            self.discord.hush()

    def links(self) -> list[Link]:
        """How each of them is."""
        agent = self._spec.agent
        links = [
            Link(
                network=_CALLED[name],
                health=self._health(name, transport),
                wanted_name=agent.nick if name == IRC else "",
            )
            for name, transport in self.transports.items()
        ]
        if DISCORD in agent.transports and agent.discord.token and not self.discord:
            health = TransportHealth(connected=False, fatal="its Discord token cannot be had")
            links.append(Link(network="Discord", health=health))
        return links

    def _health(self, network: str, transport: Transport) -> TransportHealth:
        health = transport.health
        if network == DISCORD and self._slash.trouble:
            return replace(health, note=f"{health.note} {self._slash.trouble}".strip())
        return health

    def name_on(self, network: str) -> str | None:
        """The name that it holds there at this moment."""
        transport = self.transports.get(network)
        return transport.health.nick if transport else None


def irc_config(spec: AgentSpec) -> IrcConfig:
    """What the IRC transport needs to know, from the spec."""
    agent, irc = spec.agent, spec.settings.irc
    return IrcConfig(
        agent=agent.name,
        network=IRC,
        host=spec.irc_host,
        port=spec.irc_port,
        tls=irc.tls,
        tls_authority=Path(irc.tls_authority) if irc.tls_authority else None,
        nick=agent.nick,
        channels=spec.settings.channels_of(agent),
        server_password=_plain(spec.irc_server_password),
        account=agent.irc.account,
        account_password=_plain(spec.irc_account_password),
        certificate=Path(agent.irc.certificate) if agent.irc.certificate else None,
        services_nick=irc.services_nick,
        burst=irc.burst if irc.host else _SANDBOX_LINES,
        lines_per_s=irc.lines_per_s if irc.host else _SANDBOX_LINES,
    )


def _irc(spec: AgentSpec, events: Events, log: FilteringBoundLogger) -> IrcTransport:
    return IrcTransport(
        irc_config(spec),
        on_heard=events.heard,
        on_change=lambda health: events.changed(IRC, health),
        before_join=lambda channel: events.before_join(IRC, channel),
        veto=events.veto,
        rng=random.Random(),
        log=log,
    )


def _discord(
    spec: AgentSpec, state: StateFolder, events: Events, log: FilteringBoundLogger
) -> Transport:
    # Only a swarm on Discord pays for the library; its fork server has it loaded.
    from bots.agent.discord import GuildTransport  # noqa: PLC0415

    return GuildTransport(spec, state, events, log)


def _plain(secret: SecretStr | None) -> str | None:
    return secret.get_secret_value() if secret else None
