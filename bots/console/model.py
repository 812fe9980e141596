"""What one person can see of the guild, kept in memory: values, and questions about them. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from enum import IntEnum
from typing import Any, Literal

Payload = dict[str, Any]

#: messages kept of a channel when new ones come in
KEPT = 500
#: a typing mark lasts this long (Discord's documentation, "Typing Start")
TYPING_S = 10.0
_EPHEMERAL = 1 << 6
_EPOCH_MS = 1_420_070_400_000


class Kind(IntEnum):
    """The kinds of channel that the page shows, by Discord's numbers."""

    TEXT = 0
    DM = 1
    CATEGORY = 4
    THREAD = 11
    PRIVATE_THREAD = 12


THREADS = frozenset({Kind.THREAD, Kind.PRIVATE_THREAD})


@dataclass(slots=True, kw_only=True)
class Member:
    """Somebody in the guild."""

    id: int
    name: str
    bot: bool = False
    avatar: str = ""
    status: str = "offline"
    #: what their presence says in words
    activity: str = ""


@dataclass(slots=True, kw_only=True)
class Channel:
    """A channel of any kind. `messages` are payloads as the guild sent them, ordered by id."""

    id: int
    kind: int
    name: str = ""
    topic: str = ""
    position: int = 0
    parent_id: int = 0
    recipients: tuple[int, ...] = ()
    archived: bool = False
    #: nobody but moderators may write: a locked thread
    locked: bool = False
    last_message_id: int = 0
    message_count: int = 0
    messages: dict[int, Payload] = field(default_factory=dict)
    #: unfinished messages whose authors went on with another one
    left: set[int] = field(default_factory=set)
    #: history was asked for since the last READY
    loaded: bool = False
    #: there is nothing before the oldest message
    complete: bool = False
    #: the last message that the person has seen
    read_id: int = 0
    #: messages after it that name the person
    mentions: int = 0

    @property
    def is_thread(self) -> bool:
        return self.kind in THREADS

    @property
    def is_dm(self) -> bool:
        return self.kind == Kind.DM

    @property
    def unread(self) -> bool:
        return self.last_message_id > self.read_id


@dataclass(slots=True)
class Guild:
    """Everything that this person's sessions have heard of."""

    id: int
    name: str = ""
    me: int = 0
    members: dict[int, Member] = field(default_factory=dict)
    channels: dict[int, Channel] = field(default_factory=dict)
    roles: dict[int, str] = field(default_factory=dict)
    #: channel → user → until when they count as typing, in the clock's seconds
    typing: dict[int, dict[int, float]] = field(default_factory=dict)

    def name_of(self, user_id: int) -> str:
        found = self.members.get(user_id)
        return found.name if found else str(user_id)

    def title_of(self, channel: Channel) -> str:
        """A channel's name; for a DM, who is on the other side."""
        if channel.is_dm:
            return ", ".join(self.name_of(r) for r in channel.recipients) or "yourself"
        return channel.name

    def categories(self) -> Iterator[tuple[Channel | None, list[Channel]]]:
        """Each category with its channels; first the channels that have none."""
        listed = [c for c in self.channels.values() if c.kind == Kind.TEXT]
        listed.sort(key=lambda c: (c.position, c.id))
        heads = [c for c in self.channels.values() if c.kind == Kind.CATEGORY]
        heads.sort(key=lambda c: (c.position, c.id))
        known = {h.id for h in heads}
        loose = [c for c in listed if c.parent_id not in known]
        if loose:
            yield None, loose
        for head in heads:
            inside = [c for c in listed if c.parent_id == head.id]
            if inside:
                yield head, inside

    def threads(self) -> dict[int, list[Channel]]:
        """Channel → the threads below it that are awake, oldest first."""
        found: dict[int, list[Channel]] = {}
        awake = (c for c in self.channels.values() if c.is_thread and not c.archived)
        for thread in sorted(awake, key=lambda c: c.id):
            found.setdefault(thread.parent_id, []).append(thread)
        return found

    def dms(self) -> list[Channel]:
        """Direct messages, the latest first."""
        found = [c for c in self.channels.values() if c.is_dm]
        return sorted(found, key=lambda c: (-c.last_message_id, c.id))

    def first_channel(self) -> Channel | None:
        """Where a person begins: the first channel in the list."""
        return next((inside[0] for _, inside in self.categories()), None)

    def typing_in(self, channel_id: int, now_s: float) -> list[Member]:
        """Who writes there just now, without the person."""
        writing = self.typing.get(channel_id, {})
        return [
            self.members[user]
            for user, until_s in writing.items()
            if until_s > now_s and user != self.me and user in self.members
        ]


def first_id(at: datetime) -> int:
    """The smallest id that something made at this time can have (Discord's "Snowflakes")."""
    return max(0, int(at.timestamp() * 1000) - _EPOCH_MS) << 22


def calls(message: Payload, user_id: int) -> bool:
    """Whether a message names this person, or everybody."""
    mentioned = any(int(u["id"]) == user_id for u in message.get("mentions", ()))
    return mentioned or bool(message.get("mention_everyone"))


def is_private(message: Payload) -> bool:
    """Whether only this person can see it (Discord's message flag EPHEMERAL)."""
    return bool(int(message.get("flags") or 0) & _EPHEMERAL)


@dataclass(frozen=True, slots=True)
class Change:
    """A part of what is shown that is different now.

    `everything`: the guild began anew. `channels`: the list at the side. `channel`: one channel's
    head. `message`: one message came, changed or went. `modal`: a form wants to be shown.
    `swarm`: the supervisor's word. `link`: whether we are connected.
    """

    what: Literal[
        "everything",
        "channels",
        "channel",
        "message",
        "members",
        "typing",
        "modal",
        "swarm",
        "link",
    ]
    channel_id: int = 0
    message_id: int = 0
