"""How an agent is: what its parts say in, one state and one reason out. Pure."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from bots.messages import TransportHealth
from storage.latch import Latch
from storage.tables import AgentState


@dataclass(frozen=True, kw_only=True)
class Parts:
    latch: Latch | None
    transport: TransportHealth
    wanted_nick: str
    wanted_channels: Collection[str]
    #: it has been ready before in this life
    was_ready: bool
    bus_connected: bool
    #: why lines cannot be stored; empty when they can
    store_trouble: str


def state_of(parts: Parts) -> tuple[AgentState, str]:
    """The worst that is true, with the reason; an empty reason when all is well."""
    if parts.latch is not None:
        return AgentState.KILLED, told(parts.latch)
    transport = parts.transport
    if transport.fatal:
        return AgentState.FAILED, transport.fatal
    missing = sorted(set(parts.wanted_channels) - set(transport.channels))
    if not parts.was_ready and (not transport.connected or missing or not parts.bus_connected):
        return AgentState.STARTING, transport.note
    if not transport.connected:
        return AgentState.DEAF, transport.note or "not connected to IRC"
    troubles = [
        parts.store_trouble and f"cannot store: {parts.store_trouble}",
        f"not in {', '.join(missing)}" if missing else "",
        "" if parts.bus_connected else "the bus is away; work is found by looking",
        _nick_trouble(parts),
    ]
    reasons = [t for t in troubles if t]
    return (AgentState.DEGRADED, "; ".join(reasons)) if reasons else (AgentState.READY, "")


def told(latch: Latch) -> str:
    """By whom and when, as a killed agent says it."""
    when = f"{latch.changed_at:%Y-%m-%d %H:%M:%S} UTC"
    return f"killed by {latch.by} at {when}" + (f": {latch.reason}" if latch.reason else "")


def _nick_trouble(parts: Parts) -> str:
    nick = parts.transport.nick
    if nick is None or nick.lower() == parts.wanted_nick.lower():
        return ""
    return f"somebody else has the nick {parts.wanted_nick}; known as {nick} until it is free"
