"""What a prompt is made of: who thinks, where, what is asked, and what was said before."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from brain.souls import Soul
from brain.tools.context import AgentCard
from storage.sessions import History
from storage.tables import Message as Line


@dataclass(frozen=True, kw_only=True)
class Persona:
    """The agent that thinks; what seldom changes, and so comes first in a prompt."""

    name: str
    nick: str
    role: str
    swarm: str
    soul: Soul
    #: the other agents
    peers: Sequence[AgentCard] = ()
    has_tools: bool = True


@dataclass(frozen=True, kw_only=True)
class Place:
    network: str
    #: its name as people see it, with its ``#``; None in private
    channel: str | None
    #: name of the thread below that channel, if it is one
    thread: str = ""
    #: what one line or message holds, and how many may be said there
    line_characters: int = 400
    lines: int = 3
    has_markdown: bool = False


@dataclass(frozen=True, kw_only=True)
class Asked:
    """A question, and what is true at that moment."""

    text: str
    asker: str
    #: an agent asks
    by_agent: bool = False
    #: aware UTC
    now: datetime
    #: the channel's topic
    topic: str = ""
    #: earlier turns of this session
    history: History = field(default_factory=lambda: History("", ()))
    #: what was said there and belongs to no turn, oldest first
    talk: Sequence[Line] = ()
    #: how the market is, a fact a line
    market: Sequence[str] = ()


@dataclass(frozen=True, kw_only=True)
class Heard:
    """A channel, as an agent sees it when it looks around: it may speak there."""

    name: str
    talk: Sequence[Line] = ()


@dataclass(frozen=True, kw_only=True)
class Look:
    """What an agent sees when it looks around by itself."""

    now: datetime
    #: its last look
    since: datetime | None = None
    #: our own words on what waits and what is left, a fact a line
    state: Sequence[str] = ()
    #: what happened that it wants to be told of, an event a line
    events: Sequence[str] = ()
    channels: Sequence[Heard] = ()
    market: Sequence[str] = ()
