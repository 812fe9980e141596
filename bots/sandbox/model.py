"""What the sandbox guild is made of: values with ids, and no rule but their own shape."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import IntEnum, IntFlag
from typing import Any


class ChannelType(IntEnum):
    """The kinds of channel that the sandbox has."""

    TEXT = 0
    DM = 1
    CATEGORY = 4
    PUBLIC_THREAD = 11
    PRIVATE_THREAD = 12


class MessageType(IntEnum):
    """The kinds of message that the sandbox has."""

    DEFAULT = 0
    THREAD_CREATED = 18
    REPLY = 19
    CHAT_INPUT_COMMAND = 20
    THREAD_STARTER = 21


class MessageFlag(IntFlag):
    """The message flags that change what the sandbox does."""

    SUPPRESS_EMBEDS = 1 << 2
    HAS_THREAD = 1 << 5
    EPHEMERAL = 1 << 6
    LOADING = 1 << 7
    SUPPRESS_NOTIFICATIONS = 1 << 12
    IS_COMPONENTS_V2 = 1 << 15


@dataclass(eq=False, kw_only=True)
class User:
    """A person or a bot; a bot's application has the same id."""

    id: int
    name: str
    token: str
    bot: bool = False
    operator: bool = False
    global_name: str | None = None
    #: hash of the avatar's bytes, and the bytes
    avatar: str | None = None
    avatar_image: bytes = b""
    #: privileged intents that this bot may ask for: message_content, members, presences
    intents: frozenset[str] = frozenset()
    #: roles beside @everyone
    role_ids: list[int] = field(default_factory=list)
    nick: str | None = None
    #: gateway sessions that are connected now
    connections: int = 0
    status: str = "offline"
    activities: list[dict[str, Any]] = field(default_factory=list)
    #: what the application says of itself (PATCH applications/@me)
    description: str = ""


@dataclass(eq=False, kw_only=True)
class Role:
    """A named set of permissions."""

    id: int
    name: str
    permissions: int
    position: int = 0
    color: int = 0
    hoist: bool = False


@dataclass(frozen=True, kw_only=True)
class Overwrite:
    """What a channel allows or denies to one role (type 0) or member (type 1)."""

    id: int
    type: int
    allow: int = 0
    deny: int = 0


@dataclass(frozen=True, kw_only=True)
class Attachment:
    """A file that came with a message, kept with its bytes."""

    id: int
    channel_id: int
    filename: str
    data: bytes
    content_type: str
    description: str | None = None


@dataclass(eq=False, kw_only=True)
class Message:
    """A message with all that hangs on it."""

    id: int
    channel_id: int
    author: User
    content: str
    created_at: datetime
    type: int = MessageType.DEFAULT
    flags: int = 0
    tts: bool = False
    edited_at: datetime | None = None
    embeds: list[dict[str, Any]] = field(default_factory=list)
    components: list[dict[str, Any]] = field(default_factory=list)
    attachments: list[Attachment] = field(default_factory=list)
    mentions: list[User] = field(default_factory=list)
    mention_roles: list[int] = field(default_factory=list)
    mention_everyone: bool = False
    #: ``message_reference`` as it is shown, and what it points to
    reference: dict[str, Any] | None = None
    referenced: Message | None = None
    nonce: str | int | None = None
    pinned: bool = False
    #: emoji (``👀`` or ``name:id``) → ids of who reacted, in order
    reactions: dict[str, list[int]] = field(default_factory=dict)
    application_id: int | None = None
    interaction: dict[str, Any] | None = None
    #: an ephemeral message is seen by this user only
    only_for: int | None = None
    #: the thread that was opened on this message
    thread_id: int | None = None


@dataclass(eq=False, kw_only=True)
class Channel:
    """A category, a text channel, a thread or a DM."""

    id: int
    type: ChannelType
    name: str = ""
    topic: str | None = None
    position: int = 0
    parent_id: int | None = None
    nsfw: bool = False
    slowmode_s: int = 0
    overwrites: list[Overwrite] = field(default_factory=list)
    #: ordered by id, ephemeral ones among them
    messages: dict[int, Message] = field(default_factory=dict)
    last_message_id: int | None = None
    #: DM: both people
    recipients: tuple[User, ...] = ()
    #: DM: whether its people were told of it
    shown: bool = False
    #: thread: who opened it, who sits in it (user id → since), and whether it sleeps
    owner_id: int | None = None
    members: dict[int, datetime] = field(default_factory=dict)
    archived: bool = False
    locked: bool = False
    invitable: bool = True
    auto_archive_min: int = 1440
    opened_at: datetime | None = None
    archive_changed_at: datetime | None = None
    #: thread: when somebody last spoke in it, woke it or changed how long it may be silent
    active_at: datetime | None = None
    message_count: int = 0

    @property
    def is_thread(self) -> bool:
        return self.type in (ChannelType.PUBLIC_THREAD, ChannelType.PRIVATE_THREAD)

    @property
    def is_dm(self) -> bool:
        return self.type == ChannelType.DM

    @property
    def audience(self) -> frozenset[int] | None:
        """The only users who may hear of what happens in it; None: whoever sees it."""
        return frozenset(u.id for u in self.recipients) if self.is_dm else None
