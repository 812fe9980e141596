"""What stands around the messages, taken from the model: channels, members, the head. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bots.console import growing, icons
from bots.console.faces import Face, face, face_of
from bots.console.message_views import waits
from bots.console.model import Channel, Guild, Kind, Member, Payload, first_id
from bots.console.swarm import OFFLINE, READY, Agent, Swarm

#: who has one of these shapes hears and answers
_HEARING = frozenset({"ready", "degraded"})

# --- members ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class MemberRow:
    face: Face
    about: str
    #: what stands at the right: how soon a kill was confirmed
    figure: str = ""
    #: it was killed alone, and so can be resumed alone
    alone: bool = False


@dataclass(frozen=True, slots=True)
class MemberGroup:
    title: str
    shape: str
    rows: Sequence[MemberRow]


def members(guild: Guild, swarm: Swarm, operators: frozenset[str]) -> list[MemberGroup]:
    """People first; then agents by state, worst last, as the picture has it."""
    here = [m for m in guild.members.values() if m.status != "gone"]
    here.sort(key=lambda m: (m.id != guild.me, m.name.lower()))
    people = [m for m in here if not m.bot]
    agents = [m for m in here if m.bot]
    groups = [("People", "", people)]
    stopped = swarm.kill is not None
    for title, shape in (
        ("Ready", "ready"),
        ("Degraded", "degraded"),
        ("Stopped" if stopped else "Killed", "killed"),
        ("Not connected", "away"),
    ):
        inside = [m for m in agents if face(m).shape == shape]
        # after a kill the slowest first
        inside.sort(key=lambda m: -swarm.confirmed_ms.get(m.name, 0.0))
        groups.append((title, shape, inside))
    return [
        MemberGroup(title, shape, [_row(m, swarm, operators) for m in inside])
        for title, shape, inside in groups
        if inside
    ]


def _row(member: Member, swarm: Swarm, operators: frozenset[str]) -> MemberRow:
    if not member.bot:
        about = "operator" if member.name in operators else "guest"
        about += "" if member.status != "offline" else " · away"
        return MemberRow(face(member), about)
    agent = swarm.agent(member.name)
    latch = swarm.held(member.name)
    ms = swarm.confirmed_ms.get(member.name)
    figure = f"{ms:.0f} ms" if ms is not None else ""
    if latch is not None and agent is not None and swarm.known:
        about = f"by {latch.by}" if agent.confirmed else "has not confirmed"
    elif agent is not None and agent.reason and swarm.known:
        about = agent.reason
    else:
        about = _doing(member, agent if swarm.known else None)
    # while all are killed, nobody is resumed alone: the supervisor refuses it
    alone = latch is not None and swarm.kill is None and swarm.known
    return MemberRow(face(member), about, figure, alone)


def _doing(member: Member, agent: Agent | None) -> str:
    """What an agent thinks with; where that is not known, or says too little, how it is."""
    if agent is None:
        return member.activity or "agent"
    if agent.state == READY and agent.brain:
        return "offline brain" if agent.brain == OFFLINE else agent.brain
    return member.activity or agent.state


# --- channels -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ChannelRow:
    id: int
    title: str
    icon: str
    unread: bool
    mentions: int
    waiting: int
    face: Face | None = None
    threads: Sequence[ChannelRow] = ()


@dataclass(frozen=True, slots=True)
class ChannelGroup:
    title: str
    rows: Sequence[ChannelRow]


def waiting(guild: Guild, now: datetime) -> list[Payload]:
    """The approvals that somebody can still give, wherever they stand, oldest first."""
    found = [
        one
        for channel in guild.channels.values()
        for one in channel.messages.values()
        # most messages have no button: this is asked of all of them, with every message that comes
        if one.get("components") and waits(one, now)
    ]
    return sorted(found, key=lambda one: int(one["id"]))


def channels(guild: Guild, waiting: Iterable[Payload] = ()) -> list[ChannelGroup]:
    """Categories with their channels and threads; then the direct messages. `waiting` is what
    waits for somebody.
    """
    below = guild.threads()
    wait = Counter(int(one["channel_id"]) for one in waiting)

    def rows(inside: Iterable[Channel]) -> list[ChannelRow]:
        return [
            _channel(guild, c, wait, [_channel(guild, t, wait) for t in below.get(c.id, ())])
            for c in inside
        ]

    groups = [
        ChannelGroup(head.name if head else "", rows(inside)) for head, inside in guild.categories()
    ]
    direct = rows(guild.dms())
    return [*groups, ChannelGroup("Direct messages", direct)] if direct else groups


def _channel(
    guild: Guild, channel: Channel, wait: Mapping[int, int], threads: Sequence[ChannelRow] = ()
) -> ChannelRow:
    other = channel.recipients[0] if channel.is_dm and channel.recipients else 0
    return ChannelRow(
        id=channel.id,
        title=guild.title_of(channel),
        icon="thread" if channel.is_thread else icons.of_channel(channel.name),
        unread=channel.unread,
        mentions=channel.mentions,
        waiting=wait.get(channel.id, 0),
        face=face_of(guild, other) if other else None,
        threads=threads,
    )


# --- after a kill ---------------------------------------------------------------------------------


def said_since(guild: Guild, at: datetime) -> int:
    """How many messages agents have sent since then, as far as this person can see; what answers a
    command does not count, for `status` is answered also when killed.
    """
    after = first_id(at)
    return sum(
        1
        for channel in guild.channels.values()
        if channel.last_message_id > after
        for key, one in channel.messages.items()
        if key > after and one["author"].get("bot") and not one.get("interaction_metadata")
    )


# --- who writes -----------------------------------------------------------------------------------


def writing(guild: Guild, channel: Channel, now_s: float, now: datetime) -> list[Member]:
    """Agents whose answers grow before people's eyes, then who types there; each once."""
    newest = list(channel.messages.values())[-growing.NEWEST :]
    authors = (int(m["author"]["id"]) for m in newest if growing.grows(channel, m, now))
    growers = (guild.members[a] for a in authors if a in guild.members)
    both = [*growers, *guild.typing_in(channel.id, now_s)]
    return list({member.id: member for member in both}.values())


# --- the head -----------------------------------------------------------------------------------


def _agents(guild: Guild, swarm: Swarm) -> list[Member]:
    """The swarm's own bots: others hear as well, but nobody counts on them. As long as nobody has
    said who is of the swarm, every bot may be.
    """
    ours = {agent.name for agent in swarm.agents}
    return [m for m in guild.members.values() if m.bot and (not ours or m.name in ours)]


def _reach(channel: Channel, agents: Iterable[Member]) -> str:
    """Which agents hear what is written here, in a few words."""
    here = [m for m in agents if not channel.is_dm or m.id in channel.recipients]
    hear = [m.name for m in here if face(m).shape in _HEARING]
    if len(hear) > 1:
        return f"reaches {len(hear)} agents"
    return f"reaches {hear[0]}" if hear else "reaches no agent"


def head(guild: Guild, channel: Channel, swarm: Swarm) -> Mapping[str, Any]:
    """The line above the messages."""
    parent = guild.channels.get(channel.parent_id) if channel.is_thread else None
    agents = _agents(guild, swarm)
    listening = [face(m) for m in agents if m.status not in ("gone", "offline")]
    other = guild.members.get(channel.recipients[0]) if channel.recipients else None
    return {
        "id": channel.id,
        "title": guild.title_of(channel),
        "topic": channel.topic or (other.activity if other else ""),
        "icon": "thread" if channel.is_thread else icons.of_channel(channel.name),
        "face": face(other) if other else None,
        "parent": parent,
        "listening": [] if channel.kind == Kind.DM else listening,
        "reach": _reach(channel, agents),
        "locked": channel.locked,
    }
