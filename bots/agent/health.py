"""How an agent is: what its parts say in, one state and one reason out. Pure."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from bots.messages import TransportHealth
from storage.latch import Latch
from storage.tables import AgentState


@dataclass(frozen=True, kw_only=True)
class Link:
    """One network that the agent is to live in."""

    #: as people call it: ``IRC``, ``Discord``
    network: str
    health: TransportHealth
    #: the name it should have there; empty when any will do
    wanted_name: str = ""

    @property
    def is_up(self) -> bool:
        return self.health.connected and not self.health.missing

    @property
    def trouble(self) -> str:
        """What is wrong with it, in one sentence; empty when all is well."""
        health = self.health
        if health.fatal:
            return health.fatal
        if not health.connected:
            return health.note or f"not connected to {self.network}"
        troubles = [f"not in {', '.join(health.missing)}" if health.missing else "", self._name()]
        return "; ".join([*filter(None, troubles)]) or health.note

    def _name(self) -> str:
        name, wanted = self.health.nick, self.wanted_name
        if name is None or not wanted or name.lower() == wanted.lower():
            return ""
        return f"somebody else has the nick {wanted}; known as {name} until it is free"


@dataclass(frozen=True, kw_only=True)
class Parts:
    latch: Latch | None
    links: Collection[Link]
    #: it has been ready before in this life
    was_ready: bool
    bus_connected: bool
    #: why lines cannot be stored; empty when they can
    store_trouble: str
    #: which of its models does not answer; empty while the first one does
    mind_trouble: str = ""
    #: why it can sign nothing; empty when it can
    key_trouble: str = ""


def state_of(parts: Parts) -> tuple[AgentState, str]:
    """The worst that is true, with the reason; an empty reason when all is well."""
    if parts.latch is not None:
        return AgentState.KILLED, parts.latch.told
    live = [link for link in parts.links if not link.health.fatal]
    troubles = [link.trouble for link in parts.links if link.trouble]
    if not live:
        return AgentState.FAILED, "; ".join(troubles) or "it is on no network"
    if not parts.was_ready and not (parts.bus_connected and all(link.is_up for link in live)):
        return AgentState.STARTING, "; ".join(link.health.note for link in live if link.health.note)
    if not any(link.health.connected for link in live):
        return AgentState.DEAF, "; ".join(troubles)
    if parts.store_trouble:
        troubles.insert(0, f"cannot store: {parts.store_trouble}")
    if not parts.bus_connected:
        troubles.append("the bus is away; work is found by looking")
    if parts.mind_trouble:
        troubles.append(parts.mind_trouble)
    if parts.key_trouble:
        troubles.append(parts.key_trouble)
    return (AgentState.DEGRADED, "; ".join(troubles)) if troubles else (AgentState.READY, "")
